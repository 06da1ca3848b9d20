import type { HeapEntry } from './heap-entry.ts'
import type { KeyCursor } from './key-cursor.ts'

/** Which table an entry is in. */
export interface TableIdentity {
  /** The state, by identity. */
  readonly state: { readonly name: string }
  readonly namespace: string | number | undefined
}

/** Takes the value of an entry for the open snapshot, before it may change. */
export type SaveEntry = (table: TableIdentity, entry: HeapEntry<unknown>) => void

/**
 * What all tables of a backend share about the open snapshot. Snapshots are numbered from 1; `entry.saved < open` is
 * the whole check on the record path. Owner: the slot thread's backend.
 */
export class CopyOnWrite {
  /** Number of the open snapshot; 0: none is open. */
  open = 0
  /** Number of the latest snapshot: entries made from now on do not belong to it. */
  latest = 0
  readonly #cursor: KeyCursor
  #saveEntry: SaveEntry | undefined

  constructor(cursor: KeyCursor) {
    this.#cursor = cursor
  }

  begin(saveEntry: SaveEntry): number {
    this.#saveEntry = saveEntry
    this.#cursor.advance()
    this.open = ++this.latest
    return this.open
  }

  end(): void {
    this.open = 0
    this.#saveEntry = undefined
  }

  /** Called at the first touch of an entry while a snapshot is open. */
  save(table: TableIdentity, entry: HeapEntry<unknown>): void {
    entry.saved = this.open
    this.#saveEntry?.(table, entry)
  }
}
