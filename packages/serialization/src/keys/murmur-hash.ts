/**
 * Spreads a 32-bit hash code: MurmurHash3 (x86, 32 bit, seed 0) of its four bytes, made non-negative. The same
 * numbers as Flink, so that key groups of both systems agree; a stored format.
 * @param code int32
 * @returns 0 to 2^31 - 1
 */
export function murmurHash(code: number): number {
  let h = Math.imul(code, 0xcc9e2d51)
  h = (h << 15) | (h >>> 17)
  h = Math.imul(h, 0x1b873593)
  h = (h << 13) | (h >>> 19)
  h = (Math.imul(h, 5) + 0xe6546b64) | 0
  h ^= 4
  h ^= h >>> 16
  h = Math.imul(h, 0x85ebca6b)
  h ^= h >>> 13
  h = Math.imul(h, 0xc2b2ae35)
  h ^= h >>> 16
  if (h >= 0) return h
  return h === -2147483648 ? 0 : -h
}

/** Java's String.hashCode: s[0] * 31^(n-1) + ... over UTF-16 units, int32. */
export function stringHashCode(text: string): number {
  let h = 0
  for (let i = 0; i < text.length; i++) h = (Math.imul(h, 31) + text.charCodeAt(i)) | 0
  return h
}
