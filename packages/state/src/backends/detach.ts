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
