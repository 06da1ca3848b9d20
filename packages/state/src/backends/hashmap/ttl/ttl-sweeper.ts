import type { CopyOnWrite } from '../copy-on-write.ts'
import { HeapMap } from '../heap-map.ts'
import type { HeapState } from '../heap-state.ts'
import type { HeapTable } from '../heap-table.ts'
import { type ListChunk, toChunks } from '../list-chunk.ts'
import type { Timed, TtlClock } from './ttl-clock.ts'

/**
 * Goes round and round through a state, a few entries at a time, and removes what is over: what nobody asks for any
 * more would stay otherwise. Owner: the backend.
 */
export class TtlSweeper {
  readonly #state: HeapState<unknown>
  readonly #clock: TtlClock
  readonly #copyOnWrite: CopyOnWrite
  #walk: Iterator<void> | undefined

  constructor(
    options: { clock: TtlClock },
    dependencies: { state: HeapState<unknown>; copyOnWrite: CopyOnWrite },
  ) {
    this.#clock = options.clock
    this.#state = dependencies.state
    this.#copyOnWrite = dependencies.copyOnWrite
  }

  /** Looks at the next entries, at the end of the state at none. */
  sweep(): void {
    const { cleanupEntries } = this.#clock.config
    for (let i = 0; i < cleanupEntries; i++) {
      this.#walk ??= this.#entries()
      if (this.#walk.next().done !== true) continue
      this.#walk = undefined
      return
    }
  }

  *#entries(): Generator<void> {
    for (const table of [...this.#state.tables()]) {
      for (const entries of table.arrays()) {
        for (const entry of entries) {
          if (entry === undefined) continue
          // Arrays of before a division have entries that were replaced since.
          if (entry.value instanceof HeapMap) yield* this.#mapEntries(table, entry.key, entry.value)
          else if (this.#isOver(entry.value) && table.find(entry.key) === entry)
            this.#remove(table, entry.key)
          yield
        }
      }
    }
  }

  /** Whether anything is to be removed from a value that is no map. */
  #isOver(value: unknown): boolean {
    if (this.#state.kind !== 'list') return this.#clock.isOver(value as Timed<unknown>)
    const now = this.#clock.now()
    return (value as ListChunk<Timed<unknown>>[]).some(chunk =>
      chunk.value.some(element => this.#clock.isOver(element, now)),
    )
  }

  #remove(table: HeapTable<unknown>, key: unknown): void {
    const entry = table.find(key)
    if (entry === undefined) return
    if (this.#state.kind === 'list') {
      const now = this.#clock.now()
      const chunks = entry.value as ListChunk<Timed<unknown>>[]
      const kept = chunks.flatMap(chunk => chunk.value.filter(element => !this.#clock.isOver(element, now)))
      this.#copyOnWrite.orphan(table, entry, chunks)
      if (kept.length > 0) {
        this.#copyOnWrite.removed(table, entry)
        entry.value = toChunks(kept, this.#copyOnWrite.latest)
        return
      }
    }
    this.#drop(table, key)
  }

  *#mapEntries(table: HeapTable<unknown>, key: unknown, map: HeapMap<unknown>): Generator<void> {
    for (const part of map.values()) {
      if (this.#clock.isOver(part.value as Timed<unknown>)) {
        const entry = table.find(key)
        if (entry?.value !== map) return
        if (map.find(part.key) !== part) continue
        if (part.saved < this.#copyOnWrite.open) this.#copyOnWrite.savePart(table, entry, part)
        if (map.size === 1) this.#drop(table, key)
        else {
          map.remove(part.key)
          this.#copyOnWrite.removedPart(table, entry, part)
        }
      }
      yield
    }
  }

  #drop(table: HeapTable<unknown>, key: unknown): void {
    table.remove(key)
    if (table.size === 0 && table.namespace !== undefined) this.#state.drop(table.namespace)
  }
}
