import type { TimerEntry } from '../../api/keyed-state-backend.ts'
import type { TableIdentity } from './copy-on-write.ts'
import type { Entries } from './entry-index.ts'
import type { HeapTable } from './heap-table.ts'
import type { NumberShape } from './number-columns.ts'
import type { FrozenSegment } from './number-segment.ts'

/** A table as it was when a snapshot began. */
export interface FrozenTable {
  readonly table: TableIdentity
  /** Whether its values consist of parts. */
  readonly parts: boolean
  /** See `EntryIndex.arrays`: younger entries are known by their `saved`. */
  readonly arrays: readonly Entries<unknown>[]
  /** Of values in columns. */
  readonly numbers: { readonly shape: NumberShape; readonly segments: readonly FrozenSegment[] } | undefined
}

/** Timers of one queue as they were when a snapshot began. */
export interface FrozenTimers {
  readonly stateIndex: number
  readonly keys: unknown[]
  readonly namespaces: (string | number | undefined)[]
  readonly timestamps: number[]
}

/** Notes which entries there are: the synchronous part of a snapshot. */
export function freezeTable(table: HeapTable<unknown>, parts: boolean): FrozenTable {
  const { numbers } = table
  return {
    table,
    parts,
    arrays: table.arrays(),
    numbers: numbers === undefined ? undefined : { shape: numbers.shape, segments: numbers.freeze() },
  }
}

/** Notes the timers of a queue. */
export function freezeTimers(stateIndex: number, entries: Iterable<TimerEntry>): FrozenTimers {
  const frozen: FrozenTimers = { stateIndex, keys: [], namespaces: [], timestamps: [] }
  for (const entry of entries) {
    frozen.keys.push(entry.key)
    frozen.namespaces.push(entry.namespace)
    frozen.timestamps.push(entry.timestamp)
  }
  return frozen
}
