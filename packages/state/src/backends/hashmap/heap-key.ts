import { canonicalKey } from '@flink-ts/serialization'

/** Begins the text of a pair, behind U+0000: no text of `canonicalKey` has it there. */
const PAIR = 'p'.charCodeAt(0)

/**
 * What stands for a key in the Maps of this backend, in memory only: as `canonicalKey`, equal exactly for equal keys. A
 * pair of integers of 32 bits is a text of six units, made and hashed in half of the time that digits take.
 * @throws serialization.invalid-key
 */
export function heapKey(key: unknown): ReturnType<typeof canonicalKey> {
  if (Array.isArray(key) && key.length === 2) {
    const [first, second] = key as readonly unknown[]
    if (
      typeof first === 'number' &&
      typeof second === 'number' &&
      (first | 0) === first &&
      (second | 0) === second
    ) {
      return String.fromCharCode(0, PAIR, first >>> 16, first & 0xffff, second >>> 16, second & 0xffff)
    }
  }
  return canonicalKey(key)
}
