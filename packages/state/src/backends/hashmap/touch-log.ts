import type { TableIdentity } from './copy-on-write.ts'
import type { HeapEntry } from './heap-entry.ts'

/** More than this are not remembered: the next snapshot looks at all entries instead. */
const MAX_TOUCHES = 1 << 20

/** `saved` of an entry that its table has no more: whatever still refers to it, no snapshot writes it. */
export const REMOVED = 2 ** 30 - 1

/** Entries that were touched or made while one snapshot was the latest; the table of each is at the same place. */
export interface Touches {
  /** Of that snapshot. */
  readonly number: number
  readonly tables: TableIdentity[]
  readonly entries: HeapEntry<unknown>[]
}

/**
 * Which entries may have changed since which snapshot, so that a snapshot of changes need not look at all others: a
 * million of them are as many misses of the cache. Of tables without a namespace; those of windows come and go. An entry
 * may be there twice, and may have been removed since. Owner: the backend's copy-on-write.
 */
export class TouchLog {
  #intervals: Touches[] = []
  #latest: Touches | undefined
  #count = 0
  /** What was touched after snapshots up to this number is not all known. */
  #lostUpTo = 0

  /** A snapshot begins: what follows belongs to the next one. */
  begin(number: number): void {
    this.#latest = { number, tables: [], entries: [] }
    this.#intervals.push(this.#latest)
  }

  add(table: TableIdentity, entry: HeapEntry<unknown>): void {
    const latest = this.#latest
    // Before the first snapshot, and after too many: the next one looks at all.
    if (latest === undefined) return
    latest.tables.push(table)
    latest.entries.push(entry)
    if (++this.#count <= MAX_TOUCHES) return
    this.#lostUpTo = latest.number
    this.#latest = undefined
    this.#intervals = []
    this.#count = 0
  }

  /** What was touched since the snapshot `from` and before the snapshot `to`; undefined: not all of it is known. */
  between(from: number, to: number): readonly Touches[] | undefined {
    if (from <= this.#lostUpTo) return undefined
    return this.#intervals.filter(({ number }) => number >= from && number < to)
  }

  /** Forgets what was touched before that snapshot. */
  forgetBefore(number: number): void {
    this.#intervals = this.#intervals.filter(
      interval => interval.number >= number || interval === this.#latest,
    )
    this.#count = this.#intervals.reduce((sum, { entries }) => sum + entries.length, 0)
  }
}
