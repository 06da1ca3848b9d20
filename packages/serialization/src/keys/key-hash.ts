import { requireKeyElement, requirePlainFields } from './key-check.ts'
import { murmurHash, stringHashCode } from './murmur-hash.ts'

/**
 * Hash of a key: non-negative, 31 bits, the same in all processes, machines and versions (a stored format: key groups
 * of savepoints depend on it). It is Flink's murmur hash over a hash code:
 *
 * - number: int32 as Java's int; other safe integers as Java's long; everything else as Java's double (one NaN; -0 is 0);
 * - string, boolean: as in Java; bigint: as Java's long if it fits in 64 bits, else as Java's BigInteger; Date: its milliseconds as a long;
 * - arrays and plain objects of these, our own: `h = 31 * (31 * h + tag) + code` over the elements, from 7 for arrays,
 *   11 for objects; fields by ascending name (UTF-16 units), each as the string of its name and then its value; the
 *   tags are 1 number, 2 string, 3 boolean, 4 bigint, 5 Date.
 *
 * Keys that are equal by {@link canonicalKey} have equal hashes.
 * @throws serialization.invalid-key
 */
export function hashKey(key: unknown): number {
  if (typeof key === 'string') return murmurHash(stringHashCode(key))
  if (typeof key === 'number') return murmurHash(numberHashCode(key))
  return murmurHash(hashCode(key))
}

const words = new Int32Array(2)
const float = new Float64Array(words.buffer)

function numberHashCode(value: number): number {
  if ((value | 0) === value) return value | 0
  if (Number.isSafeInteger(value)) return longHashCode(value)
  // Other bit patterns of NaN must not make another key of it.
  if (Number.isNaN(value)) return 0x7ff80000
  float[0] = value
  return (words[0] as number) ^ (words[1] as number)
}

/** Low word xor high word of the two's complement of an integer. */
function longHashCode(value: number): number {
  return (value | 0) ^ (Math.floor(value / 4294967296) | 0)
}

function bigintHashCode(value: bigint): number {
  if (BigInt.asIntN(64, value) === value) {
    return Number(BigInt.asIntN(32, value)) ^ Number(BigInt.asIntN(32, value >> 32n))
  }
  const digits = (value < 0n ? -value : value).toString(16)
  let h = 0
  // Most significant 32-bit word first; the first one may have fewer digits.
  for (let end = digits.length % 8 || 8, start = 0; start < digits.length; start = end, end += 8) {
    h = (Math.imul(h, 31) + Number.parseInt(digits.slice(start, end), 16)) | 0
  }
  return value < 0n ? -h | 0 : h
}

function hashCode(key: unknown): number {
  if (typeof key !== 'object' || key === null || key instanceof Date)
    return elementHashCode(requireKeyElement(key, key))
  if (Array.isArray(key)) {
    let h = 7
    for (let i = 0; i < key.length; i++) h = combine(h, requireKeyElement(key[i], key, i))
    return h
  }
  const fields = requirePlainFields(key)
  let h = 11
  for (const name of fields) {
    h = combine(h, name)
    h = combine(h, requireKeyElement((key as Record<string, unknown>)[name], key, name))
  }
  return h
}

type KeyElement = string | number | boolean | bigint | Date

const TAGS = { number: 1, string: 2, boolean: 3, bigint: 4, object: 5 }

function combine(h: number, element: KeyElement): number {
  const tag = TAGS[typeof element as keyof typeof TAGS]
  return (Math.imul((Math.imul(h, 31) + tag) | 0, 31) + elementHashCode(element)) | 0
}

function elementHashCode(element: KeyElement): number {
  switch (typeof element) {
    case 'string':
      return stringHashCode(element)
    case 'number':
      return numberHashCode(element)
    case 'boolean':
      return element ? 1231 : 1237
    case 'bigint':
      return bigintHashCode(element)
    default:
      return longHashCode(element.getTime())
  }
}
