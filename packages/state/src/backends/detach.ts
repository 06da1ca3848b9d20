import { generate } from '@flink-ts/serialization'

/** V8 copies shorter parts of a string instead of referring to the whole. */
const SHORTEST_SLICE = 13

/**
 * An equal string that owns its characters. A part of a long text (`substring`, a decoded field) keeps all of it alive,
 * a whole batch for one key. `join` of two parts writes a new flat text in one go: 70 to 110 ns for any usual length,
 * where building it from its characters takes 90 for 13 of them and 450 for 100. A Map compares flat texts faster than
 * what `slice` makes of a rope (measured 90 against 155 ns for a lookup).
 */
export function detachString(text: string): string {
  return text.length < SHORTEST_SLICE ? text : [text.charAt(0), text.slice(1)].join('')
}

/** A key that shares nothing with the record it came from: strings detached, arrays, objects and Dates copied. */
export function detachKey(key: unknown): unknown {
  if (typeof key === 'string') return detachString(key)
  if (typeof key !== 'object' || key === null) return key
  if (key instanceof Date) return new Date(key.getTime())
  if (Array.isArray(key)) return key.map(detachKey)
  return Object.fromEntries(Object.entries(key).map(([name, value]) => [name, detachKey(value)]))
}

/** Texts in objects are looked for so deep. */
const MAX_DEPTH = 4

/**
 * A value that is to be kept: its texts own their characters, those in plain objects and arrays too. Texts of objects are
 * replaced in place by equal ones, which nobody can tell; frozen objects stay as they are.
 * @param old the value that it takes the place of: equal texts are taken from it, which costs less
 */
export function ownValue(value: unknown, old?: unknown): unknown {
  if (typeof value === 'string') return detachString(value)
  if (typeof value === 'object' && value !== null && value !== old) ownTexts(value, old, MAX_DEPTH)
  return value
}

/** Of any value, to the depth given. Names are listed first: going by `for in` over what is assigned to, V8 gives up anew each time. */
function ownTexts(value: object, old: unknown, depth: number): void {
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null && prototype !== Array.prototype) return
  const target = value as Record<string, unknown>
  const earlier = typeof old === 'object' && old !== null ? (old as Record<string, unknown>) : undefined
  for (const name of Object.keys(target)) {
    const field = target[name]
    if (typeof field === 'string') {
      if (field.length < SHORTEST_SLICE) continue
      const own = earlier?.[name]
      // Assigning would throw where the object does not let itself be changed.
      if (!Reflect.set(target, name, own === field ? own : detachString(field))) return
    } else if (typeof field === 'object' && field !== null && depth > 1) {
      const own = earlier?.[name]
      if (own !== field) ownTexts(field, own, depth - 1)
    }
  }
}

/** Shapes that a state has code for, one after another. */
const MOST_SHAPES = 3
const MOST_FIELDS = 32

/** Does as {@link ownValue} for objects of one shape, and nothing for others. */
type OwnShape = (value: object, old: unknown) => boolean

/**
 * {@link ownValue} for the values of one state, which mostly are of one shape: with code for its fields, which takes a
 * few nanoseconds beside the copying, where fields by name take hundreds.
 */
export function generateOwnValue(): (value: unknown, old?: unknown) => unknown {
  let shapes = 0
  const other = (value: object, old: unknown): OwnShape | undefined => {
    ownTexts(value, old, MAX_DEPTH)
    return shapes++ < MOST_SHAPES ? ownShape(value) : undefined
  }
  return generate<(value: unknown, old?: unknown) => unknown>(
    ['detachString', 'other'],
    `let own = () => false
return (value, old) => {
  if (typeof value === 'string') return detachString(value)
  if (typeof value === 'object' && value !== null && value !== old && !own(value, old)) own = other(value, old) ?? own
  return value
}`,
    [detachString, other],
  )
}

/** Undefined: objects of this shape get no code. */
function ownShape(value: object): OwnShape | undefined {
  const names = Object.keys(value)
  if (Object.getPrototypeOf(value) !== Object.prototype || names.length > MOST_FIELDS) return undefined
  if (names.some(name => name in Object.prototype)) return undefined
  const fields = names.map((name, i) => ({ name: JSON.stringify(name), field: `field${i}` }))
  // Not strict, so that assigning does nothing where the object does not let itself be changed. As many fields as known
  // and all that are known: no others.
  return generate<OwnShape>(
    ['detachString', 'ownTexts'],
    `return (value, old) => {
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  let count = 0
  for (const name in value) count++
  if (count !== ${names.length}) return false
  ${fields
    .map(
      ({ name, field }) => `const ${field} = value[${name}]
  if (${field} === undefined && !(${name} in value)) return false`,
    )
    .join('\n  ')}
  const earlier = typeof old === 'object' && old !== null ? old : undefined
  ${fields
    .map(
      ({ name, field }) => `if (typeof ${field} === 'string') {
    if (${field}.length >= ${SHORTEST_SLICE}) {
      const own = earlier?.[${name}]
      value[${name}] = own === ${field} ? own : detachString(${field})
    }
  } else if (typeof ${field} === 'object' && ${field} !== null) {
    const own = earlier?.[${name}]
    if (own !== ${field}) ownTexts(${field}, own, ${MAX_DEPTH - 1})
  }`,
    )
    .join('\n  ')}
  return true
}`,
    [detachString, ownTexts],
  )
}
