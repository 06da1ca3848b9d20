/** V8 copies shorter parts of a string instead of referring to the whole. */
const SHORTEST_SLICE = 13

/**
 * An equal string that owns its characters. A part of a long text (`substring`, a decoded field) keeps all of it alive,
 * a whole batch for one key. Joining makes a rope, and `slice` flattens ropes into new memory: one character more than
 * needed, and nothing else is kept.
 */
export function detachString(text: string): string {
  return text.length < SHORTEST_SLICE ? text : ` ${text}`.slice(1)
}

/** A key that shares nothing with the record it came from: strings detached, arrays, objects and Dates copied. */
export function detachKey(key: unknown): unknown {
  if (typeof key === 'string') return detachString(key)
  if (typeof key !== 'object' || key === null) return key
  if (key instanceof Date) return new Date(key.getTime())
  if (Array.isArray(key)) return key.map(detachKey)
  return Object.fromEntries(Object.entries(key).map(([name, value]) => [name, detachKey(value)]))
}
