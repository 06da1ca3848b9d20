import { canonicalKey } from '@flink-ts/serialization'
import type { Key, KeyGroupedParticipant, TimerEntry } from '@flink-ts/state'
import { NumberHeap } from './number-heap.ts'

type Namespace = TimerEntry['namespace']

/** Above this many timers of one time, an index takes the place of linear search. */
const INDEX_ABOVE = 8
const HOLE = Symbol('deleted timer')

/**
 * Timers of one time domain, ordered by time, one for each key, namespace and time. Buckets by time with a heap of
 * the distinct times; equal times fire in order of registration. Owner: the operator's slot thread.
 */
export class TimerQueue implements KeyGroupedParticipant {
  readonly #buckets = new Map<number, TimerBucket>()
  readonly #times = new NumberHeap()
  /** Buckets without live timers that are still in the heap. */
  #emptyBuckets = 0
  #size = 0
  /** The bucket of `#frontTime`: that of the first timer when it was last looked for. */
  #front: TimerBucket | undefined
  #frontTime = Number.NaN

  get size(): number {
    return this.#size
  }

  /** Returns false if the timer was there already. */
  add(key: Key, namespace: Namespace, timestamp: number): boolean {
    let bucket = this.#buckets.get(timestamp)
    if (bucket === undefined) {
      bucket = new TimerBucket(namespace)
      this.#buckets.set(timestamp, bucket)
      this.#times.push(timestamp)
    } else if (bucket.live === 0) {
      this.#emptyBuckets--
    }
    const added = bucket.add(key, namespace)
    if (added) {
      bucket.live++
      this.#size++
    }
    return added
  }

  /** Returns false if there was no such timer. */
  delete(key: Key, namespace: Namespace, timestamp: number): boolean {
    const bucket = this.#buckets.get(timestamp)
    if (bucket === undefined || !bucket.delete(key, namespace)) return false
    this.#size--
    if (--bucket.live === 0) {
      this.#emptyBuckets++
      this.#dropEmptyBuckets()
    }
    return true
  }

  /** Time of the first timer, or undefined. */
  peekTime(): number | undefined {
    for (;;) {
      const time = this.#times.peek()
      if (time === undefined) return undefined
      if (time !== this.#frontTime || this.#front === undefined) {
        this.#front = this.#buckets.get(time)
        this.#frontTime = time
      }
      if (this.#front !== undefined && this.#front.live > 0) return time
      this.#front = undefined
      this.#times.pop()
      this.#buckets.delete(time)
      this.#emptyBuckets--
    }
  }

  /** Removes and returns the first timer if its time is at or before `limit`. */
  poll(limit: number): TimerEntry | undefined {
    const timestamp = this.peekTime()
    if (timestamp === undefined || timestamp > limit) return undefined
    const bucket = this.#front as TimerBucket
    this.#size--
    if (--bucket.live === 0) this.#emptyBuckets++
    return bucket.takeFirst(timestamp)
  }

  *snapshotEntries(): Iterable<TimerEntry> {
    for (const [timestamp, bucket] of this.#buckets) {
      for (const { key, namespace } of bucket.all()) yield { key, namespace, timestamp }
    }
  }

  restoreEntries(entries: Iterable<TimerEntry>): void {
    for (const entry of entries) this.add(entry.key, entry.namespace, entry.timestamp)
  }

  /** Timers that are deleted long before they are due must not stay in memory until then. */
  #dropEmptyBuckets(): void {
    if (this.#emptyBuckets < 64 || this.#emptyBuckets * 2 < this.#buckets.size) return
    for (const [timestamp, bucket] of this.#buckets) if (bucket.live === 0) this.#buckets.delete(timestamp)
    this.#front = undefined
    this.#times.reset(this.#buckets.keys())
    this.#emptyBuckets = 0
  }
}

/**
 * Timers of one time. Mostly there is one namespace; with windows of each key, such as sessions, there are as many as
 * keys. Beyond the first, only those with timers are kept.
 */
class TimerBucket {
  /** Live timers of all namespaces. */
  live = 0
  readonly #namespace: Namespace
  readonly #keys = new KeyList()
  #others: Map<Namespace, KeyList> | undefined
  /** Goes through `others` as they are used up. Looking for the first one each time would pass all that are gone. */
  #walk: Iterator<[Namespace, KeyList]> | undefined
  #current: [Namespace, KeyList] | undefined

  constructor(namespace: Namespace) {
    this.#namespace = namespace
  }

  /** Returns false if it was there already. */
  add(key: Key, namespace: Namespace): boolean {
    if (namespace === this.#namespace) return this.#keys.add(key)
    this.#others ??= new Map()
    let keys = this.#others.get(namespace)
    if (keys === undefined) {
      keys = new KeyList()
      this.#others.set(namespace, keys)
    }
    return keys.add(key)
  }

  /** Returns false if there was none. */
  delete(key: Key, namespace: Namespace): boolean {
    if (namespace === this.#namespace) return this.#keys.delete(key)
    const keys = this.#others?.get(namespace)
    if (keys === undefined || !keys.delete(key)) return false
    if (keys.size === 0) this.#others?.delete(namespace)
    return true
  }

  /** Removes the first timer; there must be one. */
  takeFirst(timestamp: number): TimerEntry {
    if (this.#keys.size > 0) return { key: this.#keys.takeFirst(), namespace: this.#namespace, timestamp }
    while (this.#current === undefined || this.#current[1].size === 0) this.#current = this.#nextOther()
    const [namespace, keys] = this.#current
    const key = keys.takeFirst()
    if (keys.size === 0) this.#others?.delete(namespace)
    return { key, namespace, timestamp }
  }

  *all(): Iterable<{ readonly key: Key; readonly namespace: Namespace }> {
    for (const key of this.#keys.live()) yield { key, namespace: this.#namespace }
    for (const [namespace, keys] of this.#others ?? []) {
      for (const key of keys.live()) yield { key, namespace }
    }
  }

  #nextOther(): [Namespace, KeyList] {
    for (let attempt = 0; attempt < 2; attempt++) {
      this.#walk ??= (this.#others ?? new Map<Namespace, KeyList>()).entries()
      const next = this.#walk.next()
      if (next.done !== true) return next.value
      // It had come to its end before more were added.
      this.#walk = undefined
    }
    throw new Error('A bucket of timers counts one that it does not have')
  }
}

/** Distinct keys in order of insertion, with deletion, and removal from the front. */
class KeyList {
  size = 0
  /** Canonical keys, or HOLE. */
  #ids: unknown[] = []
  /** The keys themselves, where they differ from their canonical form. */
  #keys: unknown[] = []
  /** Everything before it was taken, and may still be in the index. */
  #head = 0
  #index: Map<unknown, number> | undefined

  add(key: Key): boolean {
    const id = canonicalKey(key)
    if (this.#find(id) >= 0) return false
    const position = this.#ids.length
    this.#ids.push(id)
    this.#keys.push(key)
    this.size++
    if (this.#index !== undefined) this.#index.set(id, position)
    else if (this.size > INDEX_ABOVE) this.#reindex()
    return true
  }

  delete(key: Key): boolean {
    const id = canonicalKey(key)
    const position = this.#find(id)
    if (position < 0) return false
    this.#removeAt(position, id)
    if (this.#ids.length > 32 && this.size * 2 < this.#ids.length) this.#compact()
    return true
  }

  takeFirst(): Key {
    while (this.#ids[this.#head] === HOLE) this.#head++
    const position = this.#head++
    const key = this.#keys[position]
    this.#ids[position] = HOLE
    this.#keys[position] = undefined
    this.#shrink()
    return key
  }

  *live(): Iterable<Key> {
    for (let i = this.#head; i < this.#ids.length; i++) if (this.#ids[i] !== HOLE) yield this.#keys[i]
  }

  #removeAt(position: number, id: unknown): void {
    this.#index?.delete(id)
    this.#ids[position] = HOLE
    this.#keys[position] = undefined
    this.#shrink()
  }

  #shrink(): void {
    this.size--
    if (this.size > 0) return
    this.#ids.length = 0
    this.#keys.length = 0
    this.#head = 0
    this.#index = undefined
  }

  #find(id: unknown): number {
    if (this.#index !== undefined) {
      const position = this.#index.get(id)
      return position !== undefined && position >= this.#head ? position : -1
    }
    for (let i = this.#ids.length - 1; i >= this.#head; i--) {
      // Object.is: NaN equals NaN; there is no -0 among canonical keys.
      if (Object.is(this.#ids[i], id)) return i
    }
    return -1
  }

  #compact(): void {
    const ids: unknown[] = []
    const keys: unknown[] = []
    for (let i = this.#head; i < this.#ids.length; i++) {
      if (this.#ids[i] === HOLE) continue
      ids.push(this.#ids[i])
      keys.push(this.#keys[i])
    }
    this.#ids = ids
    this.#keys = keys
    this.#head = 0
    if (this.#index !== undefined) this.#reindex()
  }

  #reindex(): void {
    this.#index = new Map()
    for (let i = this.#head; i < this.#ids.length; i++)
      if (this.#ids[i] !== HOLE) this.#index.set(this.#ids[i], i)
  }
}
