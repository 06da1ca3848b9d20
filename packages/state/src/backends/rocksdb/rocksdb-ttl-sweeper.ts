import type { ListState } from '../../api/user-states.ts'
import type { Timed, TtlClock } from '../hashmap/ttl/ttl-clock.ts'
import type { RocksDbContext } from './rocksdb-context.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { makeRocksDbUserState } from './rocksdb-user-states.ts'
import { storedOf } from './store-keys.ts'

/**
 * Goes round and round through a state, a few entries at a time, and removes what is over: what nobody asks for any more
 * would stay otherwise. Looks at what the store has; only what is over there is looked at in memory too. Owner: the
 * backend.
 */
export class RocksDbTtlSweeper {
  readonly #state: RocksDbState
  readonly #clock: TtlClock
  readonly #context: RocksDbContext
  #walk: Iterator<void> | undefined
  /** A removal must not begin another round inside this one. */
  #sweeping = false

  constructor(options: { clock: TtlClock }, dependencies: { state: RocksDbState; context: RocksDbContext }) {
    this.#clock = options.clock
    this.#state = dependencies.state
    this.#context = dependencies.context
  }

  /** Looks at the next entries, at the end of the state at none. */
  sweep(): void {
    if (this.#sweeping) return
    this.#sweeping = true
    try {
      for (let i = 0; i < this.#clock.config.cleanupEntries; i++) {
        this.#walk ??= this.#entries()
        if (this.#walk.next().done !== true) continue
        this.#walk = undefined
        return
      }
    } finally {
      this.#sweeping = false
    }
  }

  *#entries(): Generator<void> {
    // What was never written back is not in the store yet.
    this.#context.cache.flushAll()
    const { kind } = this.#state
    for (const entry of this.#state.walk()) {
      const stored = this.#context.serializer.decode(storedOf(entry.value))
      if (kind === 'map') {
        const [mapKey, timed] = stored as [unknown, Timed<unknown>]
        if (this.#isOver(timed)) this.#removeMapEntry(entry, mapKey)
      } else if (kind === 'list') {
        const [, elements] = stored as [number, Timed<unknown>[]]
        if (elements.some(element => this.#isOver(element))) this.#removeElements(entry)
      } else if (this.#isOver(stored as Timed<unknown>)) this.#remove(entry)
      yield
    }
  }

  /** One without a time gets it when it is looked at in memory. */
  #isOver(timed: Timed<unknown>): boolean {
    return Number.isNaN(timed[0]) || this.#clock.isOver(timed)
  }

  #remove(entry: { key: Uint8Array; value: Uint8Array }): void {
    const { namespace, key } = this.#state.placeOf(entry)
    const table = this.#state.existing(namespace)
    const found = table?.find(key)
    if (found !== undefined && this.#clock.isOver(found.value as Timed<unknown>)) table?.remove(key)
  }

  #removeMapEntry(entry: { key: Uint8Array; value: Uint8Array }, mapKey: unknown): void {
    const { namespace, key } = this.#state.placeOf(entry)
    const cell = this.#state.parts(namespace, key).find(mapKey)
    if (!cell.present || !this.#clock.isOver(cell.value as Timed<unknown>)) return
    cell.present = false
    cell.value = undefined
  }

  #removeElements(entry: { key: Uint8Array; value: Uint8Array }): void {
    const { namespace, key } = this.#state.placeOf(entry)
    const { name, kind } = this.#state
    const place = { namespace: () => namespace, key: () => key }
    const list = makeRocksDbUserState(this.#state, { name, kind }, place) as ListState<Timed<unknown>>
    const now = this.#clock.now()
    const elements = [...list.get()]
    const kept = elements.filter(element => !this.#clock.isOver(element, now))
    if (kept.length < elements.length) list.update(kept)
  }
}
