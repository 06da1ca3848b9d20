import type { HeapEntry } from './heap-entry.ts'
import type { KeyCursor } from './key-cursor.ts'

/** Which table an entry is in. */
export interface TableIdentity {
  /** The state, by identity. */
  readonly state: { readonly name: string }
  readonly namespace: string | number | undefined
}

/** What an entry of a table is known by in a snapshot. */
export interface EntryIdentity {
  readonly key: unknown
  readonly hash: number
}

/** An entry of a user's map or a piece of a list: each is saved on its own. */
export interface ValuePart {
  readonly key: unknown
  readonly value: unknown
  saved: number
}

/** The open snapshot, as tables see it: takes what is about to change. Must not throw. */
export interface OpenSnapshot {
  /** The value of an entry. */
  saveEntry(table: TableIdentity, entry: HeapEntry<unknown>): void
  /** A part of the value of an entry. */
  savePart(table: TableIdentity, entry: EntryIdentity, part: ValuePart): void
  /** A value of parts that its table does not refer to any longer, and nobody changes: to be written later. */
  keep(table: TableIdentity, entry: EntryIdentity, value: unknown): void
}

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
  #snapshot: OpenSnapshot | undefined

  constructor(cursor: KeyCursor) {
    this.#cursor = cursor
  }

  begin(snapshot: OpenSnapshot): number {
    this.#snapshot = snapshot
    this.#cursor.advance()
    this.open = ++this.latest
    return this.open
  }

  end(): void {
    this.open = 0
    this.#snapshot = undefined
  }

  /** Called at the first touch of an entry while a snapshot is open. */
  save(table: TableIdentity, entry: HeapEntry<unknown>): void {
    entry.saved = this.open
    this.#snapshot?.saveEntry(table, entry)
  }

  /** The same for a part of a value. */
  savePart(table: TableIdentity, entry: EntryIdentity, part: ValuePart): void {
    part.saved = this.open
    this.#snapshot?.savePart(table, entry, part)
  }

  /** Called when the table gives up a value of parts: a list or map is cleared or replaced. */
  orphan(table: TableIdentity, entry: EntryIdentity, value: unknown): void {
    this.#snapshot?.keep(table, entry, value)
  }
}
