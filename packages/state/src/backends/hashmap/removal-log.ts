import type { EntryIdentity, TableIdentity } from './copy-on-write.ts'

/** More removals than this are not remembered: the next snapshot writes everything instead. */
const MAX_REMOVALS = 200_000

/** Something that a file of changes must take out of what the files before it have. */
export interface Removal {
  readonly state: TableIdentity['state']
  readonly namespace: string | number | undefined
  /** Absent: all keys of the namespace. */
  readonly entry?: { readonly key: unknown }
  /** Only this entry of the key's map. */
  readonly part?: { readonly key: unknown }
}

interface Interval {
  /** Of the snapshot that it began with. */
  readonly number: number
  readonly removals: Removal[]
}

/** What was removed from the tables of a backend between its snapshots. Owner: the backend's copy-on-write. */
export class RemovalLog {
  #intervals: Interval[] = []
  #count = 0
  /** Snapshots up to this number cannot be followed by changes alone: removals since were forgotten. */
  #lostUpTo = 0

  /** A snapshot begins: what follows belongs to the next one. */
  begin(number: number): void {
    this.#intervals.push({ number, removals: [] })
  }

  add(removal: Removal): void {
    const interval = this.#intervals.at(-1)
    // Before the first snapshot nothing is stored that could have to be removed.
    if (interval === undefined) return
    interval.removals.push(removal)
    if (++this.#count <= MAX_REMOVALS) return
    this.#lostUpTo = interval.number
    this.#intervals = []
    this.#count = 0
  }

  /** Whether all removals since that snapshot are known. */
  knowsSince(number: number): boolean {
    return number > this.#lostUpTo
  }

  /** Removals since the snapshot `from` and before the snapshot `to`. */
  between(from: number, to: number): readonly Removal[] {
    return this.#intervals
      .filter(interval => interval.number >= from && interval.number < to)
      .flatMap(interval => interval.removals)
  }

  /** Forgets what was removed before that snapshot. The latest one may be being written: what follows it stays. */
  forgetBefore(number: number): void {
    const latest = this.#intervals.at(-1)
    this.#intervals = this.#intervals.filter(interval => interval.number >= number || interval === latest)
    this.#count = this.#intervals.reduce((sum, { removals }) => sum + removals.length, 0)
  }
}

/** The removal of one key, by what the table knows it by. */
export function removalOf(table: TableIdentity, entry: EntryIdentity): Removal {
  return { state: table.state, namespace: table.namespace, entry: { key: entry.key } }
}
