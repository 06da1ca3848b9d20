import { SystemClock } from '@flink-ts/common'
import type { RocksDbStore } from '@flink-ts/rocksdb'
import type {
  BackendMetric,
  Key,
  KeyedStateBackend,
  KeyGroupedParticipant,
  NamespaceBoundState,
  NamespacedState,
  TimerEntry,
} from '../../api/keyed-state-backend.ts'
import type { KeyedBackendOptions } from '../../api/state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import { NO_EVENT_TIME, type StateTime } from '../../api/state-time.ts'
import type { StateTtlConfig } from '../../api/state-ttl-config.ts'
import type { StateType } from '../../api/state-type.ts'
import {
  ConflictingDeclaration,
  DuplicateParticipant,
  IncompatibleType,
  NoCurrentKey,
  SnapshotInProgress,
  StateKindMismatch,
  UnsupportedStateKind,
} from '../../errors.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from '../../storage/checkpoint-storage.ts'
import { findConflict } from '../../types/check-type.ts'
import { mergeTypes } from '../../types/merge-types.ts'
import { valueFitter } from '../../types/value-fitter.ts'
import { convertTime, type TtlMode } from '../hashmap/ttl/convert-times.ts'
import { makeTtlState, timedDescriptor } from '../hashmap/ttl/make-ttl-state.ts'
import { stampOf, TtlClock } from '../hashmap/ttl/ttl-clock.ts'
import type { CellCacheOptions } from './cell-cache.ts'
import { convertEntries } from './convert-entries.ts'
import { IncrementalRocksDbSnapshot } from './incremental-rocksdb-snapshot.ts'
import { RocksDbContext } from './rocksdb-context.ts'
import { storeMetrics } from './rocksdb-metrics.ts'
import { DEFAULT_ROCKSDB_SETTINGS } from './rocksdb-settings.ts'
import { RocksDbSnapshot } from './rocksdb-snapshot.ts'
import { RocksDbState } from './rocksdb-state.ts'
import { RocksDbTtlSweeper } from './rocksdb-ttl-sweeper.ts'
import { makeRocksDbUserState } from './rocksdb-user-states.ts'
import { SharedFiles } from './shared-files.ts'

const NO_KEY = Symbol('no key')
/** Enough for what a record or a group of them holds on to, few enough to be encoded in milliseconds at a barrier. */
const CACHE: CellCacheOptions = { cells: 1024, sizeBytes: 4 << 20 }

/** Until {@link RocksDbKeyedStateBackend.useTime}: in tests and tools. */
const MACHINE_TIME: StateTime = {
  processingTime: () => new SystemClock().now(),
  watermark: () => NO_EVENT_TIME,
  recordTimestamp: () => Number.NaN,
}

/** A state that was asked for, and what its time to live needs. */
interface Claim {
  readonly state: RocksDbState
  readonly clock?: TtlClock
  readonly sweeper?: RocksDbTtlSweeper
}

/**
 * Keyed state in a RocksDB store on the local disk; timers on the heap. Values that were used lately are in memory as
 * objects: see `CellCache`. States and timers of the snapshot that nobody asks for are kept and written again. Owner: the
 * operator instance, slot thread.
 */
export class RocksDbKeyedStateBackend implements KeyedStateBackend {
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  readonly maxParallelism: number
  readonly context: RocksDbContext
  readonly #options: KeyedBackendOptions
  readonly #states = new Map<string, RocksDbState>()
  readonly #claims = new Map<string, Claim>()
  /** Of states that are cleaned up at each record. */
  readonly #recordSweepers: RocksDbTtlSweeper[] = []
  readonly #participants = new Map<string, KeyGroupedParticipant>()
  /** Restored timers whose queue is not registered yet. */
  readonly #restoredTimers = new Map<string, TimerEntry[]>()
  readonly #shared = new SharedFiles()
  #time: StateTime = MACHINE_TIME
  #key: unknown = NO_KEY
  #snapshot: RocksDbSnapshot | IncrementalRocksDbSnapshot | undefined
  #closed = false

  constructor(
    options: KeyedBackendOptions & { readonly cache?: CellCacheOptions },
    dependencies: { store: RocksDbStore },
  ) {
    this.#options = options
    const { keyGroupRange, maxParallelism, cache = CACHE } = options
    this.keyGroupRange = keyGroupRange
    this.maxParallelism = maxParallelism
    this.context = new RocksDbContext({ keyGroupRange, maxParallelism, cache }, dependencies)
  }

  setCurrentKey(key: Key): void {
    this.#key = key
    this.context.cache.settle()
    for (const sweeper of this.#recordSweepers) sweeper.sweep()
  }

  currentKey(): Key {
    return this.#key === NO_KEY ? undefined : this.#key
  }

  useTime(time: StateTime): void {
    this.#time = time
  }

  namespacedState<V>(descriptor: StateDescriptor<V>): NamespacedState<V> {
    const { name, kind } = descriptor
    if (kind === 'list' || kind === 'map') {
      const known = ['internal', 'value', 'reducing', 'aggregating']
      throw UnsupportedStateKind({ name, kind, known })
    }
    return this.#claim(descriptor as StateDescriptor<unknown>).state as unknown as NamespacedState<V>
  }

  state<S>(descriptor: StateDescriptor<unknown>): S {
    return this.#userState(descriptor, () => undefined) as S
  }

  boundState<S>(descriptor: StateDescriptor<unknown>): NamespaceBoundState<S> {
    let namespace: string | number | undefined
    return {
      state: this.#userState(descriptor, () => namespace) as S,
      setNamespace: next => {
        namespace = next
      },
    }
  }

  keys(descriptor: StateDescriptor<unknown>): Iterable<Key> {
    return this.#states.get(descriptor.name)?.keys() ?? []
  }

  /** The state of a name, made if absent. Throws `state.kind-mismatch`. */
  rocksDbState(name: string, kind: StateDescriptor<unknown>['kind'], ttl: TtlMode): RocksDbState {
    const existing = this.#states.get(name)
    if (existing === undefined) {
      const id = this.#states.size
      const state = new RocksDbState({ name, kind, id, ttl }, { context: this.context })
      this.#states.set(name, state)
      return state
    }
    if (existing.kind !== kind) throw StateKindMismatch({ name, existing: existing.kind, requested: kind })
    return existing
  }

  states(): Iterable<RocksDbState> {
    return this.#states.values()
  }

  registerParticipant(name: string, participant: KeyGroupedParticipant): void {
    if (this.#participants.has(name)) throw DuplicateParticipant({ name })
    this.#participants.set(name, participant)
    const restored = this.#restoredTimers.get(name)
    this.#restoredTimers.delete(name)
    if (restored !== undefined) participant.restoreEntries(restored)
  }

  /** Used while restoring: a timer for a queue that is not registered yet. */
  restoreTimer(name: string, entry: TimerEntry): void {
    const entries = this.#restoredTimers.get(name) ?? []
    entries.push(entry)
    this.#restoredTimers.set(name, entries)
  }

  /** What a snapshot says about the values of its states. */
  noteTypes(types: Readonly<Record<string, StateType>>): void {
    for (const [name, type] of Object.entries(types)) {
      const state = this.#states.get(name)
      if (state !== undefined) state.storedType = mergeTypes(state.storedType, type)
    }
  }

  async snapshot(
    checkpointId: number,
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<readonly KeyedStateHandle[]> {
    if (this.#snapshot !== undefined) {
      throw SnapshotInProgress({ checkpointId, running: this.#snapshot.checkpointId })
    }
    const { compression = 'none', snapshotSliceMs: sliceMs = 1, rocksDb } = this.#options
    const { transfers } = rocksDb ?? DEFAULT_ROCKSDB_SETTINGS
    const content = { context: this.context, states: this.#states.values(), timers: this.#timers() }
    const snapshot =
      this.#options.incremental === true && streams.selfContained !== true
        ? new IncrementalRocksDbSnapshot(
            { checkpointId, sliceMs, transfers },
            { ...content, shared: this.#shared },
          )
        : new RocksDbSnapshot({ checkpointId, compression, sliceMs }, content)
    this.#snapshot = snapshot
    try {
      return await snapshot.write(streams, yieldSlice)
    } finally {
      // A cancelled one may end after the next has begun.
      if (this.#snapshot === snapshot) this.#snapshot = undefined
    }
  }

  notifyCheckpointComplete(checkpointId: number): void {
    this.#shared.completed(checkpointId)
  }

  cancelSnapshot(checkpointId: number): void {
    if (this.#snapshot?.checkpointId !== checkpointId) return
    this.#snapshot.cancel()
    this.#snapshot = undefined
  }

  metrics(): readonly BackendMetric[] {
    return storeMetrics(this.context.store, this.#options.rocksDb?.metrics ?? [], () => this.#closed)
  }

  /** Removes the store. A snapshot that is being written rejects. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#snapshot?.cancel()
    this.#snapshot?.release()
    this.context.store.close()
  }

  #userState(descriptor: StateDescriptor<unknown>, namespace: () => string | number | undefined): unknown {
    const { state, clock, sweeper } = this.#claim(descriptor)
    const key = (): Key => {
      if (this.#key === NO_KEY) throw NoCurrentKey({ name: descriptor.name })
      return this.#key
    }
    const place = { key, namespace }
    if (clock === undefined) return makeRocksDbUserState(state, descriptor, place)
    const below = makeRocksDbUserState(state, timedDescriptor(descriptor, clock), place)
    return makeTtlState(descriptor, below, clock, sweeper === undefined ? () => {} : () => sweeper.sweep())
  }

  /** The state of a descriptor, with values as it wants them. Throws `state.conflicting-declaration`. */
  #claim(descriptor: StateDescriptor<unknown>): Claim {
    const { name, kind } = descriptor
    const ttl = descriptor.ttl?.updateType === 'disabled' ? undefined : descriptor.ttl
    const existing = this.#claims.get(name)
    const state = this.rocksDbState(name, kind, ttl?.time)
    if (existing !== undefined) {
      if (JSON.stringify(existing.clock?.config) !== JSON.stringify(ttl))
        throw ConflictingDeclaration({ name })
      return existing
    }
    this.#migrate(state, descriptor)
    const from = state.ttl
    if (from !== ttl?.time) {
      const stamp = ttl === undefined ? Number.NaN : stampOf(ttl.time, this.#time)
      convertEntries(state, this.context, value => convertTime(value, from, ttl?.time, stamp))
      state.ttl = ttl?.time
    }
    const claim = ttl === undefined ? { state } : this.#claimTimed(state, ttl)
    this.#claims.set(name, claim)
    return claim
  }

  /** Fits restored values to the descriptor's type. Throws `state.incompatible-type`, `state.migration-failed`. */
  #migrate(state: RocksDbState, descriptor: StateDescriptor<unknown>): void {
    const { type } = descriptor
    if (type === undefined || !state.restored) return
    const conflict = descriptor.migrate === undefined ? findConflict(state.storedType, type) : undefined
    if (conflict !== undefined) throw IncompatibleType({ name: state.name, ...conflict })
    const fitted = valueFitter(descriptor, type)
    const timed = state.ttl !== undefined
    convertEntries(state, this.context, (value, key) =>
      timed
        ? [(value as [number, unknown])[0], fitted((value as [number, unknown])[1], key)]
        : fitted(value, key),
    )
    // Nothing is as it was stored any more.
    state.storedType = []
  }

  #claimTimed(state: RocksDbState, ttl: StateTtlConfig): Claim {
    const clock = new TtlClock(ttl, {
      processingTime: () => this.#time.processingTime(),
      watermark: () => this.#time.watermark(),
      recordTimestamp: () => this.#time.recordTimestamp(),
    })
    state.clock = clock
    if (ttl.cleanupEntries === 0) return { state, clock }
    const sweeper = new RocksDbTtlSweeper({ clock }, { state, context: this.context })
    if (ttl.cleanupEveryRecord) this.#recordSweepers.push(sweeper)
    return { state, clock, sweeper }
  }

  *#timers(): Iterable<readonly [string, Iterable<TimerEntry>]> {
    for (const [name, participant] of this.#participants) yield [name, participant.snapshotEntries()]
    yield* this.#restoredTimers
  }
}
