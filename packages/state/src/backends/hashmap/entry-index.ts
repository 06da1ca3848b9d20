import type { HeapEntry } from './heap-entry.ts'
import { sameKey, tagOf } from './key-tag.ts'

/** Entries of one segment in the order in which they came; undefined: removed. */
export type Entries<V> = (HeapEntry<V> | undefined)[]

/** So few entries are a list. */
const LONGEST_LIST = 8
const FEWEST_PLACES = 32
/** A segment of so many entries is divided in two: they move in a tenth of a millisecond. */
export const SEGMENT_LIMIT = 16_384
const MOST_PLACES = 2 * SEGMENT_LIMIT
/** So many entries for each segment leave it room for what it has more than others. */
const MOST_RESERVED = 12_288
/** Leading bits of the tag that may choose a segment: 1,024 segments, so 16 million entries; then segments grow. */
const MOST_DEPTH = 10

const NONE = new Int32Array(0)

/** Source text of `findIn(index, key, tag)`, for code of each state's own. Needs `sameKey`. */
export const FIND_CODE = `const findIn = (index, key, tag) => {
  const segment = index.parts === undefined ? index : index.parts[tag >>> index.shift]
  const entries = segment.entries
  const tags = segment.tags
  if (tags === undefined) {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]
      if (entry.key === key || sameKey(entry.key, key)) return entry
    }
    return undefined
  }
  const mask = tags.length - 1
  for (let at = (tag ^ (tag >>> 15)) & mask; ; at = (at + 1) & mask) {
    const found = tags[at]
    if (found === tag) {
      const entry = entries[segment.numbers[at]]
      if (entry !== undefined && (entry.key === key || sameKey(entry.key, key))) return entry
    } else if (found === 0) return undefined
  }
}`

/**
 * Entries by key: a list of a few, then open addressing by tags, which lie side by side, so that keys that are not there
 * and places on the way are seen without loading an entry. Large ones are segments by the leading bits of the tag. Within
 * a segment entries keep the order in which they came.
 *
 * Arrays are never written to in a way that whoever goes through them would miss an entry that was there and is not
 * removed: who needs more room makes new ones. Owner: one table, or one key's map.
 */
export class EntryIndex<V> {
  size = 0
  /** While it has no parts. */
  entries: Entries<V> = []
  /** Of each place that is or was taken; 0: free. Undefined: `entries` is all there is. */
  tags: Int32Array | undefined = undefined
  /** At each place that is or was taken: where its entry is in `entries`. */
  numbers: Int32Array = NONE
  /** By the leading bits of the tag, each segment as many times as it has fewer of them. */
  parts: EntryIndex<V>[] | undefined = undefined
  /** A tag shifted by it is the number of its part: 31 at most. */
  shift = 31
  /** Leading bits that all tags of a segment have in common. */
  #depth = 0

  /** The entry of a key: for what is not done at each record, {@link FIND_CODE} is faster. */
  find(key: unknown): HeapEntry<V> | undefined {
    const tag = tagOf(key)
    const part = this.#part(tag)
    const at = part.#placeOf(key, tag)
    return at < 0 ? undefined : part.entries[part.#numberAt(at)]
  }

  /** Adds the entry of a key that has none. */
  add(entry: HeapEntry<V>, tag: number): void {
    let part = this.#part(tag)
    if (part.tags === undefined && part.entries.length < LONGEST_LIST) part.entries.push(entry)
    else {
      while (part.tags === undefined || part.entries.length * 2 >= part.tags.length) {
        this.#makeRoom(part)
        part = this.#part(tag)
      }
      part.#put(entry, tag)
    }
    if (part !== this) part.size++
    this.size++
  }

  /** Removes the entry of a key; false if it has none. */
  delete(key: unknown): boolean {
    const tag = tagOf(key)
    const part = this.#part(tag)
    const at = part.#placeOf(key, tag)
    if (at < 0) return false
    const { tags } = part
    if (tags === undefined) part.entries = part.entries.toSpliced(at, 1)
    else part.entries[part.#numberAt(at)] = undefined
    if (part !== this) part.size--
    this.size--
    return true
  }

  /** Makes room for about so many entries; there must be none. */
  reserve(entries: number): void {
    if (entries <= LONGEST_LIST || this.parts !== undefined) return
    if (entries <= SEGMENT_LIMIT) {
      this.#clear(roomFor(entries / 2))
      return
    }
    const depth = Math.min(MOST_DEPTH, Math.ceil(Math.log2(entries / MOST_RESERVED)))
    this.shift = 32 - depth
    this.parts = Array.from({ length: 2 ** depth }, () => {
      const part = new EntryIndex<V>()
      part.#depth = depth
      part.#clear(MOST_PLACES)
      return part
    })
  }

  /** Arrays that together go on to hold all entries of now that are not removed; younger ones may be among them. */
  arrays(): readonly Entries<V>[] {
    return this.parts === undefined ? [this.entries] : [...new Set(this.parts)].map(part => part.entries)
  }

  /** Each entry once, without those that are removed meanwhile. */
  *values(): Generator<HeapEntry<V>> {
    const parts = this.parts === undefined ? [this as EntryIndex<V>] : [...new Set(this.parts)]
    for (const { part, entries } of parts.map(part => ({ part, entries: part.entries }))) {
      for (const entry of entries) {
        // Of arrays that were replaced meanwhile, removed entries are not taken out.
        if (entry !== undefined && (part.entries === entries || this.find(entry.key) === entry)) yield entry
      }
    }
  }

  #part(tag: number): EntryIndex<V> {
    return this.parts === undefined ? this : (this.parts[tag >>> this.shift] as EntryIndex<V>)
  }

  /** -1: the key has none. */
  #placeOf(key: unknown, tag: number): number {
    const { entries, tags } = this
    if (tags === undefined) return entries.findIndex(entry => sameKey(entry?.key, key))
    const mask = tags.length - 1
    for (let at = (tag ^ (tag >>> 15)) & mask; tags[at] !== 0; at = (at + 1) & mask) {
      if (tags[at] !== tag) continue
      const entry = entries[this.#numberAt(at)]
      if (entry !== undefined && sameKey(entry.key, key)) return at
    }
    return -1
  }

  #numberAt(place: number): number {
    return this.tags === undefined ? place : (this.numbers[place] as number)
  }

  /** Into the first free place: there is one. */
  #put(entry: HeapEntry<V>, tag: number): void {
    const tags = this.tags as Int32Array
    const mask = tags.length - 1
    let at = (tag ^ (tag >>> 15)) & mask
    while (tags[at] !== 0) at = (at + 1) & mask
    tags[at] = tag
    this.numbers[at] = this.entries.length
    this.entries.push(entry)
  }

  /** New arrays for a part that is full of entries or of places where some were; of two parts if it is large. */
  #makeRoom(part: EntryIndex<V>): void {
    const { entries } = part
    const tags = part.#tagsInOrder()
    const room = roomFor(part.size)
    if (room <= MOST_PLACES || part.#depth === MOST_DEPTH) {
      part.#clear(room)
      for (const [i, entry] of entries.entries()) if (entry !== undefined) part.#put(entry, tags[i] as number)
      return
    }
    const depth = part.#depth + 1
    const [left, right] = [new EntryIndex<V>(), new EntryIndex<V>()]
    for (const half of [left, right]) {
      half.#depth = depth
      half.#clear(MOST_PLACES)
    }
    this.#replace(part, left, right, depth)
    for (const [i, entry] of entries.entries()) {
      const tag = tags[i] as number
      if (entry !== undefined) ((tag >>> (32 - depth)) & 1 ? right : left).#put(entry, tag)
    }
    for (const half of [left, right]) half.size = half.entries.length
  }

  /** Of each of its entries. */
  #tagsInOrder(): Int32Array {
    const { tags, entries, numbers } = this
    if (tags === undefined) return Int32Array.from(entries, entry => tagOf(entry?.key))
    const inOrder = new Int32Array(entries.length)
    for (let at = 0; at < tags.length; at++)
      if (tags[at] !== 0) inOrder[numbers[at] as number] = tags[at] as number
    return inOrder
  }

  #replace(part: EntryIndex<V>, left: EntryIndex<V>, right: EntryIndex<V>, depth: number): void {
    part.entries = []
    part.tags = undefined
    if (this.parts === undefined) {
      this.parts = [left, right]
      return
    }
    if (depth > 32 - this.shift) {
      this.parts = this.parts.flatMap(each => [each, each])
      this.shift--
    }
    const further = 32 - this.shift - depth
    this.parts = this.parts.map((each, i) => (each === part ? ((i >>> further) & 1 ? right : left) : each))
  }

  #clear(room: number): void {
    this.entries = []
    this.tags = new Int32Array(room)
    this.numbers = new Int32Array(room)
  }
}

/** Places for so many entries, and as many more before they are too few. */
function roomFor(entries: number): number {
  let room = FEWEST_PLACES
  while (room < entries * 4) room *= 2
  return room
}
