import { detachKey } from '../detach.ts'
import { EntryIndex } from './entry-index.ts'
import type { HeapEntry, HeapEntryClass } from './heap-entry.ts'

/**
 * The user's map of one key: the value that tables of kind `map` hold. Entries are saved for snapshots one by one, by
 * those who hand them out or remove them. Owner: the state of its name.
 */
export class HeapMap<V> extends EntryIndex<V> {
  /** Number of the latest snapshot when it was made. */
  readonly born: number

  constructor(born: number) {
    super()
    this.born = born
  }

  /** Adds an entry of a key that has none. @param tag of the key */
  insert(Entry: HeapEntryClass<V>, key: unknown, tag: number, value: V, saved: number): HeapEntry<V> {
    const entry = new Entry(detachKey(key), value, saved)
    this.add(entry, tag)
    return entry
  }

  /** Removes the entry of a key that has one. */
  remove(key: unknown): void {
    this.delete(key)
  }
}
