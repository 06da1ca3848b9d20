/** Stands for no key in columns: as a key it has entries, like all that are no int32. */
export const NO_INTEGER_KEY = -(2 ** 31)

/** What a snapshot has of a segment: as it was when the snapshot began. */
export interface FrozenSegment {
  readonly segment: NumberSegment
  /** Copies, made before the segment changes or is written; undefined: the segment has not changed. */
  copy: { readonly keys: Int32Array; readonly data: Float64Array } | undefined
}

/**
 * Integer keys with open addressing, and the numbers of each beside it. The place of a key comes from the bits of its
 * product behind those that chose the segment. Owner: one {@link NumberColumns}.
 */
export class NumberSegment {
  /** Leading bits of the product that all keys of the segment have in common. */
  readonly depth: number
  /** A power of two places. */
  readonly keys: Int32Array
  readonly data: Float64Array
  /** The product shifted by it, and masked, is the first place of a key. */
  readonly shift: number
  size = 0
  /** As `saved` of an entry: see `CopyOnWrite`. */
  saved: number
  /** Where the open snapshot takes it from. */
  frozen: FrozenSegment | undefined = undefined

  /** @param bits of the number of places, from 1 */
  constructor(options: { bits: number; depth: number; stride: number; saved: number; skippedBits: number }) {
    const { bits, depth, stride, saved, skippedBits } = options
    this.depth = depth
    this.keys = new Int32Array(2 ** bits).fill(NO_INTEGER_KEY)
    this.data = new Float64Array(2 ** bits * stride)
    this.shift = 32 - skippedBits - bits
    this.saved = saved
  }

  /** Copies what the open snapshot needs, before anything changes. */
  save(latest: number): void {
    this.saved = latest
    const { frozen } = this
    if (frozen === undefined) return
    this.frozen = undefined
    frozen.copy ??= { keys: this.keys.slice(), data: this.data.slice() }
  }
}
