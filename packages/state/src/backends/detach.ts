/** V8 copies shorter parts of a string instead of referring to the whole. */
const SHORTEST_SLICE = 13

/** Up to here, building a string from its characters costs less than native calls. */
const LONGEST_BUILT = 64

/**
 * An equal string that owns its characters. A part of a long text (`substring`, a decoded field) keeps all of it alive,
 * a whole batch for one key. Short ones are built anew, since a Map compares those faster (measured 90 against 155 ns
 * for a lookup); for long ones, joining makes a rope, and `slice` flattens ropes into new memory.
 */
export function detachString(text: string): string {
  const { length } = text
  if (length < SHORTEST_SLICE) return text
  if (length > LONGEST_BUILT) return ` ${text}`.slice(1)
  const codes: number[] = new Array(length)
  for (let i = 0; i < length; i++) codes[i] = text.charCodeAt(i)
  return String.fromCharCode.apply(null, codes)
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

function ownTexts(value: object, old: unknown, depth: number): void {
  const prototype = Object.getPrototypeOf(value) as unknown
  if (prototype !== Object.prototype && prototype !== null && prototype !== Array.prototype) return
  const target = value as Record<string, unknown>
  const earlier = typeof old === 'object' && old !== null ? (old as Record<string, unknown>) : undefined
  for (const name in target) {
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
