import type { HeapEntry } from './heap-entry.ts'
import type { KeyCursor } from './key-cursor.ts'
import { type RemovalLog, removalOf } from './removal-log.ts'
import { TouchLog } from './touch-log.ts'

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

/** Whether a snapshot must write an entry with this `saved` that it has not written yet. */
export function isToWrite(saved: number, base: number, snapshot: number): boolean {
  return saved >= base && saved < snapshot - 1
}

/** The open snapshot, as tables see it: takes what is about to change. Must not throw. */
export interface OpenSnapshot {
  /** Changes since the snapshot of this number are written; 0: everything. */
  readonly base: number
  /** The value of an entry. */
  saveEntry(table: TableIdentity, entry: HeapEntry<unknown>): void
  /** A part of the value of an entry. */
  savePart(table: TableIdentity, entry: EntryIdentity, part: ValuePart): void
  /** A value of parts that its table does not refer to any longer, and nobody changes: to be written later. */
  keep(table: TableIdentity, entry: EntryIdentity, value: unknown): void
}

/**
 * What all tables of a backend share about the open snapshot. Snapshots have even numbers from 2; `entry.saved < open`
 * is the whole check on the record path.
 *
 * `saved` of an entry is the number of the latest snapshot when it was made or first touched after, or one less than the
 * number of the snapshot that wrote it since. So what has changed since snapshot n are the entries with `saved` of n or
 * more: with incremental snapshots, touches are noted after the end of a snapshot too. Owner: the slot thread's backend.
 */
export class CopyOnWrite {
  /** Number of the open snapshot, with incremental ones of the latest; 0: nothing is to be noted. */
  open = 0
  /** Number of the latest snapshot: entries made from now on do not belong to it. */
  latest = 0
  /** Undefined: snapshots are not incremental. */
  readonly removals: RemovalLog | undefined
  /** With `removals`. */
  readonly touches: TouchLog | undefined
  readonly #cursor: KeyCursor
  #snapshot: OpenSnapshot | undefined

  constructor(cursor: KeyCursor, removals?: RemovalLog) {
    this.#cursor = cursor
    this.removals = removals
    this.touches = removals === undefined ? undefined : new TouchLog()
  }

  begin(snapshot: OpenSnapshot): number {
    this.#snapshot = snapshot
    this.#cursor.advance()
    this.latest += 2
    this.open = this.latest
    this.removals?.begin(this.latest)
    this.touches?.begin(this.latest)
    return this.latest
  }

  end(): void {
    if (this.removals === undefined) this.open = 0
    this.#snapshot = undefined
  }

  /** Called at the first touch of an entry while a snapshot is open. */
  save(table: TableIdentity, entry: HeapEntry<unknown>): void {
    const before = entry.saved
    entry.saved = this.latest
    if (this.touches !== undefined && table.namespace === undefined) this.touches.add(table, entry)
    if (this.#snapshot !== undefined && isToWrite(before, this.#snapshot.base, this.latest)) {
      this.#snapshot.saveEntry(table, entry)
    }
  }

  /** The same for a part of a value. */
  savePart(table: TableIdentity, entry: EntryIdentity, part: ValuePart): void {
    const before = part.saved
    part.saved = this.latest
    if (this.#snapshot !== undefined && isToWrite(before, this.#snapshot.base, this.latest)) {
      this.#snapshot.savePart(table, entry, part)
    }
  }

  /** Called when the table gives up a value of parts: a list or map is cleared or replaced. */
  orphan(table: TableIdentity, entry: EntryIdentity, value: unknown): void {
    this.#snapshot?.keep(table, entry, value)
  }

  /** Called when a key is removed from a table, or its list replaced. */
  removed(table: TableIdentity, entry: EntryIdentity): void {
    this.removals?.add(removalOf(table, entry))
  }

  /** Called when an entry of a user's map is removed. */
  removedPart(table: TableIdentity, entry: EntryIdentity, part: ValuePart): void {
    this.removals?.add({ ...removalOf(table, entry), part: { key: part.key } })
  }

  /** Snapshots before that number are not built upon any longer. */
  forgetBefore(number: number): void {
    this.removals?.forgetBefore(number)
    this.touches?.forgetBefore(number)
  }

  /** Whether anybody wants to know the number of the open snapshot. */
  isOpen(number: number): boolean {
    return this.#snapshot !== undefined && this.latest === number
  }
}
