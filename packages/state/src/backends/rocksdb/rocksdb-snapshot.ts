import { inspect } from 'node:util'
import { CancellationError } from '@flink-ts/common'
import type { TimerEntry } from '../../api/keyed-state-backend.ts'
import type { StateType } from '../../api/state-type.ts'
import { KeyGroupWriter } from '../../snapshot/key-group-writer.ts'
import {
  encodeHeader,
  type KeyedSnapshotHeader,
  type SnapshotCompression,
  type StoredState,
} from '../../snapshot/keyed-format.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import {
  type BlobOutput,
  type CheckpointStreamFactory,
  discardQuietly,
} from '../../storage/checkpoint-storage.ts'
import { TypeSampler } from '../../types/type-sampler.ts'
import { type FrozenTimers, freezeTimers } from '../hashmap/frozen-tables.ts'
import { Pace } from '../hashmap/pace.ts'
import type { TtlClock } from '../hashmap/ttl/ttl-clock.ts'
import { withoutExpired } from '../hashmap/ttl/without-expired.ts'
import { addTimers } from './add-timers.ts'
import type { RocksDbContext } from './rocksdb-context.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { valuesIn } from './sample-types.ts'
import { after, LAST_KEY, parseKey, storedOf } from './store-keys.ts'

/** Copied without a look at the clock. */
const SCAN_ENTRIES = 256

interface StateWriting {
  readonly state: RocksDbState
  readonly sampler: TypeSampler
  /** Values that are over at this time are left out. */
  readonly expiry: { readonly clock: TtlClock; readonly nowMs: number } | undefined
}

/**
 * One snapshot of a RocksDB backend, in the format of all backends. The constructor is the synchronous part: what is in
 * memory is written back, timers are noted, and the store fixes what it has. {@link RocksDbSnapshot.write} copies entries
 * as they are stored. Owner: the backend.
 */
export class RocksDbSnapshot {
  readonly checkpointId: number
  readonly #context: RocksDbContext
  readonly #header: KeyedSnapshotHeader
  readonly #writer: KeyGroupWriter
  readonly #states: readonly StateWriting[]
  readonly #timers: FrozenTimers[] = []
  readonly #storeSnapshot: number
  readonly #sliceMs: number
  #released = false
  #cancelled = false

  constructor(
    options: { checkpointId: number; compression: SnapshotCompression; sliceMs: number },
    dependencies: {
      context: RocksDbContext
      states: Iterable<RocksDbState>
      timers: Iterable<readonly [name: string, entries: Iterable<TimerEntry>]>
    },
  ) {
    this.checkpointId = options.checkpointId
    this.#sliceMs = options.sliceMs
    this.#context = dependencies.context
    const { keyGroupRange, maxParallelism } = this.#context
    const { compression } = options
    this.#writer = new KeyGroupWriter({ keyGroupRange, maxParallelism, compression })
    this.#states = [...dependencies.states].map(state => ({
      state,
      sampler: new TypeSampler(),
      expiry:
        state.clock?.config.cleanupFullSnapshot === true
          ? { clock: state.clock, nowMs: state.clock.now() }
          : undefined,
    }))
    const states: StoredState[] = this.#states.map(({ state: { name, kind, ttl } }) =>
      ttl === undefined ? { name, kind } : { name, kind, ttl },
    )
    for (const [name, entries] of dependencies.timers) {
      this.#timers.push(freezeTimers(states.length, entries))
      states.push({ name, kind: 'timers' })
    }
    this.#header = {
      maxParallelism,
      keyGroupRange,
      ...(compression === 'none' ? {} : { compression }),
      states,
    }
    this.#context.cache.flushAll()
    this.#storeSnapshot = this.#context.store.takeSnapshot()
  }

  /** Gives up: {@link RocksDbSnapshot.write} rejects at its next step and removes what it has written. */
  cancel(): void {
    this.#cancelled = true
  }

  /** Frees what the store keeps for it. */
  release(): void {
    if (this.#released) return
    this.#released = true
    this.#context.store.releaseSnapshot(this.#storeSnapshot)
  }

  /** Writes everything; the states may be used whenever `yieldSlice` or a write is awaited. */
  async write(
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<readonly KeyedStateHandle[]> {
    let output: BlobOutput | undefined
    try {
      if (this.#isEmpty()) return []
      output = await streams.open('keyed')
      await output.write(encodeHeader(this.#header))
      const target = output
      const pace = new Pace(this.#sliceMs, async () => {
        if (this.#writer.due) await this.#writer.write(target)
        await yieldSlice()
        this.#check()
      })
      await this.#writeEntries(pace)
      this.release()
      await addTimers(this.#timers, this.#writer, this.#context.serializer, pace)
      const offsets = await this.#writer.finish(output)
      this.#check()
      const location = await output.close()
      return [{ keyGroupRange: this.#header.keyGroupRange, offsets, types: this.#types(), location }]
    } catch (error) {
      if (output !== undefined) await discardQuietly(output)
      throw error
    } finally {
      this.release()
    }
  }

  #isEmpty(): boolean {
    return this.#timers.every(({ keys }) => keys.length === 0) && this.#scan(FIRST_KEY, 1).length === 0
  }

  #scan(lower: Uint8Array, limit: number): ReturnType<RocksDbContext['store']['scan']> {
    return this.#context.store.scan({ lower, upper: LAST_KEY, limit, snapshot: this.#storeSnapshot })
  }

  async #writeEntries(pace: Pace): Promise<void> {
    this.#check()
    for (let from = FIRST_KEY; ; ) {
      const entries = this.#scan(from, this.#sliceMs > 0 ? SCAN_ENTRIES : 1)
      const last = entries.at(-1)
      if (last === undefined) return
      from = after(last.key)
      // Without a pause: what was scanned is overwritten by whoever scans next.
      let isOver = false
      for (const { key, value } of entries) {
        this.#writeEntry(key, value)
        if (pace.isOver()) isOver = true
      }
      if (isOver) await pace.pause()
    }
  }

  #writeEntry(storeKey: Uint8Array, value: Uint8Array): void {
    const { serializer, keys } = this.#context
    const parsed = parseKey(storeKey)
    const { state, sampler, expiry } = this.#states[parsed.state] as StateWriting
    const key = keys.encodedKey(parsed, value)
    let stored = storedOf(value)
    const sampled = sampler.wantsNext()
    if (sampled || expiry !== undefined) {
      let content: unknown = serializer.decode(stored)
      if (expiry !== undefined) {
        content = withoutExpired(state.kind, content, expiry.clock, expiry.nowMs)
        if (content === undefined) return
        stored = serializer.encode(content)
      }
      if (sampled) for (const each of valuesIn(state, content)) sampler.add(each)
    }
    // The key group stands for the hash, which is asked for its key group only.
    this.#writer.add(parsed.state, parsed.namespaceBytes, parsed.keyGroup, key, stored, () =>
      inspect(serializer.decode(key), { depth: 1, maxStringLength: 80 }),
    )
  }

  #types(): Readonly<Record<string, StateType>> {
    const types: Record<string, StateType> = {}
    for (const { state, sampler } of this.#states) {
      const type = sampler.type()
      if (type !== undefined) types[state.name] = type
    }
    return types
  }

  #check(): void {
    if (this.#cancelled) throw new CancellationError(`snapshot ${this.checkpointId}`)
  }
}

const FIRST_KEY: Uint8Array = new Uint8Array(0)
