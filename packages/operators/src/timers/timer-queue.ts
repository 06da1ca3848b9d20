import { canonicalKey } from '@flink-ts/serialization'
import type { Key, KeyGroupedParticipant, TimerEntry } from '@flink-ts/state'
import { NumberHeap } from './number-heap.ts'

type Namespace = TimerEntry['namespace']

const NONE = Symbol('no key')

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
  /** The bucket of `#lastTime`, the last one added to: mostly the next timer is of the same time. */
  #last: TimerBucket | undefined
  #lastTime = Number.NaN
  /** The bucket of `#frontTime`: that of the first timer when it was last looked for. */
  #front: TimerBucket | undefined
  #frontTime = Number.NaN

  get size(): number {
    return this.#size
  }

  /** Returns false if the timer was there already. */
  add(key: Key, namespace: Namespace, timestamp: number): boolean {
    const bucket =
      timestamp === this.#lastTime && this.#last !== undefined
        ? this.#last
        : this.#bucketAt(timestamp, namespace)
    const wasEmpty = bucket.live === 0
    const added = bucket.add(key, namespace)
    if (added) {
      if (wasEmpty) this.#emptyBuckets--
      bucket.live++
      this.#size++
    }
    return added
  }

  #bucketAt(timestamp: number, namespace: Namespace): TimerBucket {
    let bucket = this.#buckets.get(timestamp)
    if (bucket === undefined) {
      bucket = new TimerBucket(namespace)
      this.#buckets.set(timestamp, bucket)
      this.#times.push(timestamp)
      this.#emptyBuckets++
    }
    this.#last = bucket
    this.#lastTime = timestamp
    return bucket
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
      if (time === this.#lastTime) this.#last = undefined
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
    this.#last = undefined
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

/**
 * Distinct keys in order of insertion, with deletion, and removal from the front. The first one alone costs nothing:
 * with timers of many different times most lists have no other.
 */
class KeyList {
  size = 0
  /** The only key, in its canonical form; NONE if there is none or `#ids` is there. */
  #only: unknown = NONE
  #ids: Set<unknown> | undefined
  /** Keys that differ from their canonical form, by that. */
  #originals: Map<unknown, Key> | undefined
  /** Goes through `#ids` from the front. What it has passed is still in there, as long as nothing else looks. */
  #front: Iterator<unknown> | undefined
  #passed = 0

  add(key: Key): boolean {
    const id = canonicalKey(key)
    if (this.#ids !== undefined) {
      if (this.#passed > 0) this.#forgetPassed()
      this.#ids.add(id)
      if (this.#ids.size === this.size) return false
    } else if (this.size === 0) {
      this.#only = id
    } else {
      // A Set compares as canonical keys are compared: NaN equals NaN.
      this.#ids = new Set([this.#only, id])
      if (this.#ids.size === 1) {
        this.#ids = undefined
        return false
      }
      this.#only = NONE
    }
    this.size++
    if (id !== key) {
      this.#originals ??= new Map()
      this.#originals.set(id, key)
    }
    return true
  }

  delete(key: Key): boolean {
    const id = canonicalKey(key)
    if (this.#ids === undefined) {
      if (this.size === 0 || !isSameId(this.#only, id)) return false
    } else {
      if (this.#passed > 0) this.#forgetPassed()
      if (!this.#ids.delete(id)) return false
    }
    this.#originals?.delete(id)
    this.#shrink()
    return true
  }

  /** There must be one. */
  takeFirst(): Key {
    let id = this.#only
    if (this.#ids !== undefined) {
      this.#front ??= this.#ids.values()
      id = this.#front.next().value
      this.#passed++
    }
    const key = this.#originals?.get(id) ?? (id as Key)
    this.#shrink()
    return key
  }

  *live(): Iterable<Key> {
    if (this.#passed > 0) this.#forgetPassed()
    const ids = this.#ids ?? (this.size === 0 ? [] : [this.#only])
    for (const id of ids) yield this.#originals?.get(id) ?? (id as Key)
  }

  /** Taking one by one out of the Set would cost as much again as having put it there. */
  #forgetPassed(): void {
    const ids = this.#ids as Set<unknown>
    for (const id of ids) {
      if (this.#passed === 0) break
      this.#passed--
      ids.delete(id)
      this.#originals?.delete(id)
    }
    this.#front = undefined
  }

  #shrink(): void {
    this.size--
    if (this.size > 0) return
    this.#only = NONE
    this.#ids = undefined
    this.#originals = undefined
    this.#front = undefined
    this.#passed = 0
  }
}

/** As a Set compares. */
function isSameId(a: unknown, b: unknown): boolean {
  return a === b || (Number.isNaN(a) && Number.isNaN(b))
}
