import { canonicalKey, hashKey } from '@flink-ts/serialization'

/** 2^32 divided by it, as an odd number. */
export const GOLDEN_RATIO = 0x9e3779b1
const FNV_PRIME = 0x01000193
const MIX = 0x85ebca6b

/** Source text of {@link tagOf} for a `key` that is an int32. Its upper half counts in all bits of the product. */
export const INTEGER_TAG_CODE = `Math.imul(key ^ (key >>> 16), ${GOLDEN_RATIO}) || 1`

/** Source text of {@link tagOf} for `key`. Needs `tagOf`. */
export const TAG_CODE = `(typeof key === 'number' && (key | 0) === key ? ${INTEGER_TAG_CODE} : tagOf(key))`

const words = new Int32Array(2)
const float = new Float64Array(words.buffer)

/**
 * An int32 other than 0 that equal keys have in common: what tables in memory look keys up by. Tuples are hashed in
 * place, part by part: no text is made of them. Not stored anywhere; `hashKey` is.
 * @throws serialization.invalid-key
 */
export function tagOf(key: unknown): number {
  if (typeof key === 'number') return spread(numberCode(key))
  if (typeof key === 'string') return spread(textCode(0, key))
  if (Array.isArray(key)) {
    let code = key.length
    for (let i = 0; i < key.length; i++) {
      const part = key[i] as unknown
      if (typeof part === 'number') code = mixed(code ^ numberCode(part))
      else if (typeof part === 'string') code = mixed(textCode(code, part))
      else return spread(hashKey(key))
    }
    return spread(code)
  }
  return spread(hashKey(key))
}

const spread = (code: number): number => Math.imul(code ^ (code >>> 16), GOLDEN_RATIO) || 1

/** Parts that differ in a few bits must not cancel each other out. */
function mixed(code: number): number {
  const product = Math.imul(code, MIX)
  return product ^ (product >>> 15)
}

function textCode(start: number, text: string): number {
  let code = start ^ text.length
  for (let i = 0; i < text.length; i++) code = Math.imul(code ^ text.charCodeAt(i), FNV_PRIME)
  return code ^ (code >>> 15)
}

function numberCode(value: number): number {
  if ((value | 0) === value) return value | 0
  // NaN has many bit patterns.
  float[0] = Number.isNaN(value) ? Number.NaN : value
  return mixed((words[0] as number) ^ Math.imul(words[1] as number, MIX))
}

/** Whether two keys are equal as {@link canonicalKey} says; both are valid. */
export function sameKey(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object') return Number.isNaN(a) && Number.isNaN(b)
  if (!Array.isArray(a) || !Array.isArray(b)) return canonicalKey(a) === canonicalKey(b)
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) {
    const [one, other] = [a[i] as unknown, b[i] as unknown]
    if (one === other) continue
    if (typeof one === 'object' && typeof other === 'object') return canonicalKey(a) === canonicalKey(b)
    if (!(Number.isNaN(one) && Number.isNaN(other))) return false
  }
  return true
}
