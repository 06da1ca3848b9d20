import { generate, hashKey } from '@flink-ts/serialization'
import type { NumberColumns as Contract, StateEntry } from '../../api/keyed-state-backend.ts'
import type { CopyOnWrite } from './copy-on-write.ts'
import { GOLDEN_RATIO } from './key-tag.ts'
import { type FrozenSegment, NO_INTEGER_KEY, NumberSegment } from './number-segment.ts'

/** Bits of the product of a key that may choose its segment: 1,024 segments, so 16 million keys at 16,384 each. */
const MOST_DEPTH = 10
/** A segment of this many bits of places is divided in two when it is half full: 16,384 keys move in half a millisecond. */
const MOST_BITS = 15
const FIRST_BITS = 4
/** By how much a small segment grows. */
const BITS_MORE = 2

/** How values become numbers and back. `fields` empty: the value is the number itself. */
export interface NumberShape {
  readonly fields: readonly string[]
  /** How many numbers a key has. */
  readonly stride: number
  /** A new value of the numbers from `at` on. */
  readonly make: (data: Float64Array, at: number) => unknown
}

/** The shape of plain objects of these fields, none of them `__proto__`. */
export function numberShape(fields: readonly string[]): NumberShape {
  const parts = fields.map((field, i) => `${JSON.stringify(field)}: data[at + ${i}]`)
  const value = fields.length === 0 ? 'data[at]' : `({ ${parts.join(', ')} })`
  return {
    fields,
    stride: Math.max(1, fields.length),
    make: generate<NumberShape['make']>([], `return (data, at) => ${value}`, []),
  }
}

/** Numbers by integer key, in segments. Owner: one table. */
export class NumberColumns implements Contract {
  readonly shape: NumberShape
  size = 0
  data: Float64Array
  readonly #stride: number
  readonly #copyOnWrite: CopyOnWrite
  /** By the leading bits of the product; as many times as its keys have fewer bits in common. */
  #directory: NumberSegment[]
  /** 32 less the number of those bits: at least one, since a shift by 32 is none. */
  #shift = 31

  constructor(shape: NumberShape, copyOnWrite: CopyOnWrite) {
    this.shape = shape
    this.#stride = shape.stride
    this.#copyOnWrite = copyOnWrite
    const first = this.#newSegment(FIRST_BITS, 0)
    this.#directory = [first, first]
    this.data = first.data
  }

  find(key: number): number {
    const product = Math.imul(key, GOLDEN_RATIO)
    const segment = this.#directory[product >>> this.#shift] as NumberSegment
    if (segment.saved < this.#copyOnWrite.open) segment.save(this.#copyOnWrite.latest)
    const { keys } = segment
    const mask = keys.length - 1
    let place = (product >>> segment.shift) & mask
    while (keys[place] !== key) {
      if (keys[place] === NO_INTEGER_KEY) return -1
      place = (place + 1) & mask
    }
    this.data = segment.data
    return place * this.#stride
  }

  insert(key: number): number {
    const product = Math.imul(key, GOLDEN_RATIO)
    let segment = this.#directory[product >>> this.#shift] as NumberSegment
    if (segment.saved < this.#copyOnWrite.open) segment.save(this.#copyOnWrite.latest)
    while (segment.size * 2 >= segment.keys.length) {
      this.#makeRoom(segment)
      segment = this.#directory[product >>> this.#shift] as NumberSegment
    }
    this.size++
    this.data = segment.data
    return place(segment, key) * this.#stride
  }

  remove(key: number): boolean {
    const at = this.find(key)
    if (at < 0) return false
    const segment = this.#directory[Math.imul(key, GOLDEN_RATIO) >>> this.#shift] as NumberSegment
    const { keys, data, shift } = segment
    const mask = keys.length - 1
    const stride = this.#stride
    // What comes behind without a gap moves up, unless that is before its own first place.
    let hole = at / stride
    for (let next = (hole + 1) & mask; keys[next] !== NO_INTEGER_KEY; next = (next + 1) & mask) {
      const own = (Math.imul(keys[next] as number, GOLDEN_RATIO) >>> shift) & mask
      if (((next - own) & mask) < ((next - hole) & mask)) continue
      keys[hole] = keys[next] as number
      data.copyWithin(hole * stride, next * stride, (next + 1) * stride)
      hole = next
    }
    keys[hole] = NO_INTEGER_KEY
    segment.size--
    this.size--
    return true
  }

  /** The entry of a key, whose `value` is new at each reading. */
  entry(key: number): StateEntry<unknown> | undefined {
    return this.find(key) < 0 ? undefined : new NumberEntry(this, key)
  }

  *entries(): Iterable<StateEntry<unknown>> {
    for (const { keys } of new Set(this.#directory)) {
      for (const key of keys) if (key !== NO_INTEGER_KEY) yield new NumberEntry(this, key)
    }
  }

  /** For a snapshot that begins: see {@link FrozenSegment}. */
  freeze(): readonly FrozenSegment[] {
    return [...new Set(this.#directory)].map(segment => {
      segment.frozen = { segment, copy: undefined }
      return segment.frozen
    })
  }

  #newSegment(bits: number, depth: number): NumberSegment {
    const saved = this.#copyOnWrite.latest
    return new NumberSegment({ bits, depth, stride: this.#stride, saved, skippedBits: MOST_DEPTH })
  }

  /** Into one larger segment, or two. */
  #makeRoom(segment: NumberSegment): void {
    const bits = 31 - Math.clz32(segment.keys.length)
    if (bits < MOST_BITS || segment.depth === MOST_DEPTH) {
      const larger = this.#newSegment(
        Math.min(bits + BITS_MORE, Math.max(MOST_BITS, bits + 1)),
        segment.depth,
      )
      this.#move(segment, () => larger)
      this.#directory = this.#directory.map(each => (each === segment ? larger : each))
      return
    }
    const depth = segment.depth + 1
    const [left, right] = [this.#newSegment(MOST_BITS, depth), this.#newSegment(MOST_BITS, depth)]
    if (depth > 32 - this.#shift) {
      this.#directory = this.#directory.flatMap(each => [each, each])
      this.#shift--
    }
    this.#move(segment, product => ((product >>> (32 - depth)) & 1 ? right : left))
    const further = 32 - this.#shift - depth
    this.#directory = this.#directory.map((each, i) =>
      each === segment ? ((i >>> further) & 1 ? right : left) : each,
    )
  }

  #move({ keys, data }: NumberSegment, to: (product: number) => NumberSegment): void {
    const stride = this.#stride
    for (let from = 0; from < keys.length; from++) {
      const key = keys[from] as number
      if (key === NO_INTEGER_KEY) continue
      const segment = to(Math.imul(key, GOLDEN_RATIO))
      const at = place(segment, key) * stride
      for (let i = 0; i < stride; i++) segment.data[at + i] = data[from * stride + i] as number
    }
  }
}

/** Takes the first free place of a key, which must not be there. */
function place(segment: NumberSegment, key: number): number {
  const { keys } = segment
  const mask = keys.length - 1
  let at = (Math.imul(key, GOLDEN_RATIO) >>> segment.shift) & mask
  while (keys[at] !== NO_INTEGER_KEY) at = (at + 1) & mask
  keys[at] = key
  segment.size++
  return at
}

/** An entry whose value is in columns: it cannot be changed in place, and is replaced by one of the same shape only. */
class NumberEntry implements StateEntry<unknown> {
  readonly key: number
  readonly #columns: NumberColumns

  constructor(columns: NumberColumns, key: number) {
    this.#columns = columns
    this.key = key
  }

  get hash(): number {
    return hashKey(this.key)
  }

  get value(): unknown {
    const at = this.#columns.find(this.key)
    return this.#columns.shape.make(this.#columns.data, at)
  }
}
