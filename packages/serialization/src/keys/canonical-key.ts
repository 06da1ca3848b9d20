import { requireKeyElement, requirePlainFields } from './key-check.ts'

const TAG = '\0'

/**
 * A primitive that is equal (as a Map key) exactly for equal keys. Numbers, strings, booleans and bigints are returned
 * as they are, except that -0 is 0 and that a string that begins with U+0000 is escaped; NaN equals NaN in a Map. Dates,
 * arrays and plain objects become strings that begin with U+0000, with type tags and lengths, so that none equals
 * another key. Objects are equal whatever the order of their fields. Kinds never mix: 1, '1', 1n and [1] differ.
 * @throws serialization.invalid-key
 */
export function canonicalKey(key: unknown): string | number | bigint | boolean {
  switch (typeof key) {
    case 'string':
      return key.charCodeAt(0) === 0 ? `${TAG}s${key}` : key
    case 'number':
      return key === 0 ? 0 : key
    case 'boolean':
    case 'bigint':
      return key
    default:
      return TAG + compositeText(key)
  }
}

function compositeText(key: unknown): string {
  if (typeof key !== 'object' || key === null || key instanceof Date)
    return elementText(requireKeyElement(key, key))
  if (Array.isArray(key)) {
    let text = 't'
    for (let i = 0; i < key.length; i++) text += elementText(requireKeyElement(key[i], key, i))
    return text
  }
  let text = 'o'
  for (const name of requirePlainFields(key)) {
    text +=
      elementText(name) + elementText(requireKeyElement((key as Record<string, unknown>)[name], key, name))
  }
  return text
}

/** Prefix-free: the kind, then either a length or a terminator that cannot occur inside. */
function elementText(element: string | number | boolean | bigint | Date): string {
  switch (typeof element) {
    case 'string':
      return `s${element.length}:${element}`
    case 'number':
      return `n${element};`
    case 'boolean':
      return element ? 'T' : 'F'
    case 'bigint':
      return `i${element};`
    default:
      return `d${element.getTime()};`
  }
}
