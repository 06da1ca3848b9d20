/** Wider values need more than one 32-bit word. Dictionaries have fewer entries, levels have one bit. */
const MAX_WIDTH = 24

/**
 * Reads Parquet's RLE / bit-packing hybrid (Parquet specification, Encodings) piece by piece: runs of one value and
 * runs of packed ones. Throws an Error if the data ends too early.
 */
export class HybridCursor {
  readonly #bytes: Uint8Array
  readonly #width: number
  readonly #mask: number
  #at: number
  /** Values left in the current run. */
  #left = 0
  #packed = false
  /** Of a run of one value. */
  #value = 0
  /** Position of the next packed value from the beginning of `bytes`, in bits. */
  #bit = 0

  /** @param width bits of a value, 0 to 24 */
  constructor(bytes: Uint8Array, start: number, width: number) {
    if (width > MAX_WIDTH) throw new Error(`values of ${width} bits are not supported, at most ${MAX_WIDTH}`)
    this.#bytes = bytes
    this.#at = start
    this.#width = width
    this.#mask = 2 ** width - 1
  }

  /** Puts the next `count` values into `target`, from index 0 on. */
  read(target: Int32Array, count: number): void {
    let done = 0
    while (done < count) {
      if (this.#left === 0) this.#nextRun()
      const some = Math.min(this.#left, count - done)
      if (this.#packed) this.#unpack(target, done, some)
      else target.fill(this.#value, done, done + some)
      this.#left -= some
      done += some
    }
  }

  #nextRun(): void {
    if (this.#width === 0) {
      // Nothing is stored: all values are 0.
      this.#left = Number.MAX_SAFE_INTEGER
      return
    }
    const header = this.#varInt()
    this.#packed = (header & 1) === 1
    if (this.#packed) {
      this.#left = (header >>> 1) * 8
      this.#bit = this.#at * 8
      this.#at += (header >>> 1) * this.#width
      return
    }
    this.#left = header >>> 1
    const sizeBytes = (this.#width + 7) >> 3
    if (this.#at + sizeBytes > this.#bytes.length) throw endsEarly()
    this.#value = 0
    for (let i = 0; i < sizeBytes; i++) this.#value |= (this.#bytes[this.#at++] as number) << (8 * i)
  }

  #unpack(target: Int32Array, from: number, count: number): void {
    const bytes = this.#bytes
    const width = this.#width
    const mask = this.#mask
    let bit = this.#bit
    // The padding of the last run may be left out, but not values that are asked for.
    if (bit + count * width > bytes.length * 8) throw endsEarly()
    this.#bit = bit + count * width
    const lastWord = bytes.length - 4
    for (let i = from; i < from + count; i++) {
      const at = Math.floor(bit / 8)
      const word =
        at <= lastWord
          ? (bytes[at] as number) |
            ((bytes[at + 1] as number) << 8) |
            ((bytes[at + 2] as number) << 16) |
            ((bytes[at + 3] as number) << 24)
          : wordAtEnd(bytes, at)
      target[i] = (word >>> (bit & 7)) & mask
      bit += width
    }
  }

  #varInt(): number {
    let value = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#bytes[this.#at++]
      if (byte === undefined) throw endsEarly()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value >>> 0
    }
    throw new Error('a run length has more than 32 bits')
  }
}

function wordAtEnd(bytes: Uint8Array, at: number): number {
  let word = 0
  for (let i = 0; i < 4; i++) word |= (bytes[at + i] ?? 0) << (8 * i)
  return word
}

function endsEarly(): Error {
  return new Error('a page ends before its last value')
}
