import { types } from 'node:util'

/** Something inside a record that freezing does not protect, with what was in it. */
interface Content {
  readonly field: string
  readonly unchanged: () => boolean
}

/** Beyond so many objects, or so deep, a record is left as it is: a check must not cost more than the job. */
const MOST_OBJECTS = 1000
const DEEPEST = 16
/** Larger buffers and collections are not compared. */
const LARGEST_COMPARED = 1024

/**
 * Keeps records as they were when they were emitted: objects and arrays are frozen, so that whoever writes to one gets
 * V8's TypeError at the line that does; what cannot be frozen (Date, Map, Set, buffers) is compared afterwards.
 * Owner: one output of one operator instance.
 */
export class RecordGuard {
  #contents: Content[] = []
  #left = 0

  /** Freezes a record, all of it, and notes what it cannot freeze. Never throws. */
  protect(record: object): void {
    this.#contents = []
    this.#left = MOST_OBJECTS
    this.#visit(record, '', 0)
  }

  /** The field of the last record that was changed since; undefined: none. Fields inside others as `a.b`. */
  changedField(): string | undefined {
    for (const { field, unchanged } of this.#contents) if (!unchanged()) return field
    return undefined
  }

  #visit(value: unknown, field: string, depth: number): void {
    if (typeof value !== 'object' || value === null || depth > DEEPEST || this.#left-- <= 0) return
    const unchanged = comparisonOf(value)
    if (unchanged !== undefined) {
      this.#contents.push({ field: field === '' ? 'the record itself' : field, unchanged })
      return
    }
    // Whoever is frozen was here before, or belongs to a user who does it: both are protected as far as they go.
    if (!canFreeze(value) || Object.isFrozen(value)) return
    Object.freeze(value)
    for (const name of Object.keys(value)) {
      // Accessors are code of the user's, which nobody has asked to run.
      const descriptor = Object.getOwnPropertyDescriptor(value, name)
      if (descriptor !== undefined && 'value' in descriptor) {
        this.#visit(descriptor.value, field === '' ? name : `${field}.${name}`, depth + 1)
      }
    }
  }
}

/** Plain data and instances of the user's classes; not what the engine or Node.js keeps things in. */
function canFreeze(value: object): boolean {
  if (types.isProxy(value)) return false
  return Array.isArray(value) || Object.prototype.toString.call(value) === '[object Object]'
}

/** Says whether what a value holds beside its properties is still the same; undefined: it holds nothing like that. */
function comparisonOf(value: object): (() => boolean) | undefined {
  if (types.isDate(value)) {
    const time = value.getTime()
    return () => Object.is(value.getTime(), time)
  }
  if (types.isMap(value)) {
    if (value.size > LARGEST_COMPARED) return () => true
    const before = [...value]
    return () =>
      value.size === before.length &&
      before.every(([key, is]) => value.has(key) && Object.is(value.get(key), is))
  }
  if (types.isSet(value)) {
    if (value.size > LARGEST_COMPARED) return () => true
    const before = [...value]
    return () => value.size === before.length && before.every(is => value.has(is))
  }
  if (types.isTypedArray(value)) {
    if (value.byteLength > LARGEST_COMPARED) return () => true
    const before = value.slice()
    return () => before.every((is: number | bigint, i: number) => Object.is(is, value[i]))
  }
  return undefined
}
