import type { HeapEntry } from './heap-entry.ts'

type Canonical = string | number | bigint | boolean
type Entries<V> = Map<Canonical, HeapEntry<V>>

/** A segment is divided from this size on; no Map grows beyond twice as much. */
export const SEGMENT_LIMIT = 32_768
/** Entries moved by each insert into a segment that is being divided. */
const MOVES_PER_INSERT = 4
/** A segment is divided into 64, so that tables up to two million keys move each entry once. */
const DIVISION_BITS = 6
const PARTS = 2 ** DIVISION_BITS
/** Keys whose hashes agree in all these bits stay in one segment, whatever its size. */
const MAX_DEPTH = 12
const HASH_BITS = 31

interface Segment<V> {
  readonly entries: Entries<V>
  /** How many leading bits of the hash the keys of this segment have in common. */
  readonly depth: number
  division: Division<V> | undefined
}

/** While it lasts, an entry is in a part, or only in the divided segment; new ones go to the parts. */
interface Division<V> {
  readonly parts: readonly Segment<V>[]
  readonly rest: Iterator<[Canonical, HeapEntry<V>]>
}

/**
 * A map of many keys in segments, by the leading bits of the hash. A segment that is full is divided step by step with
 * the inserts that follow: rehashing one table of a million keys stalls 120 ms. Owner: one table.
 */
export class SegmentedMap<V> {
  readonly #limit: number
  #directory: Segment<V>[]
  #depth = 0

  /** @param limit entries from which on a segment is divided; smaller in tests */
  constructor(entries: Entries<V>, limit = SEGMENT_LIMIT) {
    this.#limit = limit
    const segment: Segment<V> = { entries, depth: 0, division: undefined }
    this.#divideIfFull(segment)
    this.#directory = [segment]
  }

  /**
   * A map for about so many keys, divided from the start: nothing is moved while they come. Undefined if one Map will do.
   * @param limit as of the constructor
   */
  static reserved<V>(keys: number, limit = SEGMENT_LIMIT): SegmentedMap<V> | undefined {
    const depth = keys < limit ? 0 : keys < limit * PARTS ? DIVISION_BITS : MAX_DEPTH
    if (depth === 0) return undefined
    const map = new SegmentedMap<V>(new Map(), limit)
    map.#depth = depth
    map.#directory = Array.from({ length: 2 ** depth }, () => ({
      entries: new Map(),
      depth,
      division: undefined,
    }))
    return map
  }

  get(canonical: Canonical, hash: number): HeapEntry<V> | undefined {
    const segment = this.#segment(hash)
    if (segment.division === undefined) return segment.entries.get(canonical)
    return partOf(segment, hash).entries.get(canonical) ?? segment.entries.get(canonical)
  }

  /** Adds an entry; returns false if the key was there. */
  add(canonical: Canonical, entry: HeapEntry<V>): boolean {
    const segment = this.#segment(entry.hash)
    if (segment.division === undefined) {
      const { entries } = segment
      const before = entries.size
      entries.set(canonical, entry)
      this.#divideIfFull(segment)
      return entries.size > before
    }
    if (segment.entries.has(canonical)) return false
    const { entries } = partOf(segment, entry.hash)
    const before = entries.size
    entries.set(canonical, entry)
    const added = entries.size > before
    this.#move(segment, segment.division)
    return added
  }

  delete(canonical: Canonical, hash: number): void {
    const segment = this.#segment(hash)
    segment.entries.delete(canonical)
    if (segment.division !== undefined) partOf(segment, hash).entries.delete(canonical)
  }

  /**
   * Maps that together hold every entry at least once, some twice. Entries added later may appear in them or not;
   * entries of now stay until they are removed.
   */
  maps(): Entries<V>[] {
    const maps: Entries<V>[] = []
    for (const segment of new Set(this.#directory)) {
      maps.push(segment.entries)
      if (segment.division !== undefined) maps.push(...segment.division.parts.map(part => part.entries))
    }
    return maps
  }

  /** Each entry once. */
  *values(): Iterable<HeapEntry<V>> {
    for (const segment of new Set(this.#directory)) {
      yield* segment.entries.values()
      for (const { entries } of segment.division?.parts ?? []) {
        for (const [canonical, entry] of entries) if (!segment.entries.has(canonical)) yield entry
      }
    }
  }

  #segment(hash: number): Segment<V> {
    return this.#directory[hash >>> (HASH_BITS - this.#depth)] as Segment<V>
  }

  #move(segment: Segment<V>, division: Division<V>): void {
    for (let i = 0; i < MOVES_PER_INSERT; i++) {
      const next = division.rest.next()
      if (next.done === true) {
        this.#replace(segment, division)
        return
      }
      const [canonical, entry] = next.value
      partOf(segment, entry.hash).entries.set(canonical, entry)
    }
  }

  #replace(segment: Segment<V>, { parts }: Division<V>): void {
    if (segment.depth === this.#depth) {
      this.#directory = this.#directory.flatMap(s => new Array<Segment<V>>(PARTS).fill(s))
      this.#depth += DIVISION_BITS
    }
    let at = this.#directory.indexOf(segment)
    const count = 2 ** (this.#depth - segment.depth - DIVISION_BITS)
    for (const part of parts) {
      this.#directory.fill(part, at, at + count)
      at += count
      // All new entries may have gone to one part.
      this.#divideIfFull(part)
    }
  }

  #divideIfFull(segment: Segment<V>): void {
    if (segment.entries.size < this.#limit || segment.depth >= MAX_DEPTH) return
    const depth = segment.depth + DIVISION_BITS
    segment.division = {
      parts: Array.from({ length: PARTS }, () => ({ entries: new Map(), depth, division: undefined })),
      rest: segment.entries.entries(),
    }
  }
}

function partOf<V>(segment: Segment<V>, hash: number): Segment<V> {
  const index = (hash >>> (HASH_BITS - DIVISION_BITS - segment.depth)) & (PARTS - 1)
  return (segment.division as Division<V>).parts[index] as Segment<V>
}
