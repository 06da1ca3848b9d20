import { SystemClock } from '@flink-ts/common'
import { createValueSerializer, type ValueSerializer } from '@flink-ts/serialization'
import type {
  KeyedStateBackend,
  KeyGroupedParticipant,
  NamespaceBoundState,
  NamespacedState,
  TimerEntry,
} from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import { NO_EVENT_TIME, type StateTime } from '../../api/state-time.ts'
import type { StateTtlConfig } from '../../api/state-ttl-config.ts'
import type { StateType } from '../../api/state-type.ts'
import {
  ConflictingDeclaration,
  DuplicateParticipant,
  IncompatibleType,
  SnapshotInProgress,
  StateKindMismatch,
  UnsupportedStateKind,
} from '../../errors.ts'
import type { SnapshotCompression } from '../../snapshot/keyed-format.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from '../../storage/checkpoint-storage.ts'
import { findConflict } from '../../types/check-type.ts'
import { mergeTypes } from '../../types/merge-types.ts'
import { valueFitter } from '../../types/value-fitter.ts'
import { CopyOnWrite } from './copy-on-write.ts'
import { HeapState } from './heap-state.ts'
import { KeyCursor } from './key-cursor.ts'
import { KeyedSnapshot } from './keyed-snapshot.ts'
import { makeUserState } from './make-user-state.ts'
import { RemovalLog } from './removal-log.ts'
import { SnapshotChain } from './snapshot-chain.ts'
import { convertState, convertTime, type TtlMode } from './ttl/convert-times.ts'
import { makeTtlState, timedDescriptor } from './ttl/make-ttl-state.ts'
import { stampOf, TtlClock } from './ttl/ttl-clock.ts'
import { TtlSweeper } from './ttl/ttl-sweeper.ts'
import { hasParts } from './value-parts.ts'

/** Of one operator instance. */
export interface HashMapBackendOptions {
  /** Inclusive. */
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  readonly maxParallelism: number
  /** Longest time that a snapshot works without a pause, in milliseconds; 1 if absent. */
  readonly snapshotSliceMs?: number
  /** Of the files of snapshots; `none` if absent. */
  readonly compression?: SnapshotCompression
  /** Whether snapshots leave to the files of completed ones what has not changed since; false if absent. */
  readonly incremental?: boolean
}

/** A state that was asked for, and what its time to live needs. */
interface Claim {
  readonly state: HeapState<unknown>
  readonly clock?: TtlClock
  readonly sweeper?: TtlSweeper
}

/** Until {@link HashMapKeyedStateBackend.useTime}: in tests and tools. */
const MACHINE_TIME: StateTime = {
  processingTime: () => new SystemClock().now(),
  watermark: () => NO_EVENT_TIME,
  recordTimestamp: () => Number.NaN,
}

/**
 * Keyed state on the heap. Snapshots are copy-on-write by key: see {@link CopyOnWrite}. States and timers of the
 * snapshot that nobody asks for are kept and written again. Owner: the operator instance, slot thread.
 */
export class HashMapKeyedStateBackend implements KeyedStateBackend {
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  readonly maxParallelism: number
  readonly #sliceMs: number
  readonly #compression: SnapshotCompression
  readonly #cursor = new KeyCursor()
  readonly #copyOnWrite: CopyOnWrite
  readonly #chain = new SnapshotChain()
  readonly #serializer: ValueSerializer = createValueSerializer()
  readonly #states = new Map<string, HeapState<unknown>>()
  /** States that were asked for, by name; others are only kept. */
  readonly #claims = new Map<string, Claim>()
  /** Of states that are cleaned up at each record. */
  readonly #recordSweepers: TtlSweeper[] = []
  #time: StateTime = MACHINE_TIME
  readonly #participants = new Map<string, KeyGroupedParticipant>()
  /** Restored timers whose queue is not registered yet. */
  readonly #restoredTimers = new Map<string, TimerEntry[]>()
  #snapshot: KeyedSnapshot | undefined
  /** Replaced as soon as a state is cleaned up at each record: all others do not even ask. */
  setCurrentKey: (key: unknown) => void = this.#cursor.set

  constructor(options: HashMapBackendOptions) {
    this.keyGroupRange = options.keyGroupRange
    this.maxParallelism = options.maxParallelism
    this.#sliceMs = options.snapshotSliceMs ?? 1
    this.#compression = options.compression ?? 'none'
    const removals = options.incremental === true ? new RemovalLog() : undefined
    this.#copyOnWrite = new CopyOnWrite(this.#cursor, removals)
  }

  useTime(time: StateTime): void {
    this.#time = time
  }

  currentKey(): unknown {
    return this.#cursor.hasKey ? this.#cursor.key : undefined
  }

  namespacedState<V>(descriptor: StateDescriptor<V>): NamespacedState<V> {
    if (hasParts(descriptor.kind)) {
      const known = ['internal', 'value', 'reducing', 'aggregating']
      throw UnsupportedStateKind({ name: descriptor.name, kind: descriptor.kind, known })
    }
    return this.#claim(descriptor as StateDescriptor<unknown>).state as HeapState<V>
  }

  state<S>(descriptor: StateDescriptor<unknown>): S {
    const { state, clock } = this.#claim(descriptor)
    if (descriptor.kind !== 'value' || clock !== undefined) return this.#userState<S>(descriptor, false).state
    return state.valueState(descriptor.defaultValue) as S
  }

  boundState<S>(descriptor: StateDescriptor<unknown>): NamespaceBoundState<S> {
    return this.#userState<S>(descriptor, true)
  }

  keys(descriptor: StateDescriptor<unknown>): Iterable<unknown> {
    return this.#states.get(descriptor.name)?.keys() ?? []
  }

  /** The state of a name, made if absent. Throws `state.kind-mismatch`. */
  heapState<V>(options: { name: string; kind: StateDescriptor<V>['kind']; ttl?: TtlMode }): HeapState<V> {
    const { name, kind } = options
    const existing = this.#states.get(name)
    if (existing !== undefined) {
      if (existing.kind !== kind) throw StateKindMismatch({ name, existing: existing.kind, requested: kind })
      return existing as HeapState<V>
    }
    const state = new HeapState<V>(options, { copyOnWrite: this.#copyOnWrite, cursor: this.#cursor })
    this.#states.set(name, state as HeapState<unknown>)
    return state
  }

  registerParticipant(name: string, participant: KeyGroupedParticipant): void {
    if (this.#participants.has(name)) throw DuplicateParticipant({ name })
    this.#participants.set(name, participant)
    const restored = this.#restoredTimers.get(name)
    if (restored === undefined) return
    this.#restoredTimers.delete(name)
    participant.restoreEntries(restored)
  }

  /** Used while restoring: a timer for a queue that is not registered yet. */
  restoreTimer(name: string, entry: TimerEntry): void {
    const entries = this.#restoredTimers.get(name)
    if (entries === undefined) this.#restoredTimers.set(name, [entry])
    else entries.push(entry)
  }

  /** What a snapshot says about the values of its states. */
  noteTypes(types: Readonly<Record<string, StateType>>): void {
    for (const [name, type] of Object.entries(types)) {
      const state = this.#states.get(name)
      if (state !== undefined) state.storedType = mergeTypes(state.storedType, type)
    }
  }

  /** Called when all is restored. Throws `state.corrupt-snapshot`. */
  completeRestore(): void {
    for (const state of this.#states.values()) state.completeRestore()
  }

  async snapshot(
    checkpointId: number,
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<readonly KeyedStateHandle[]> {
    if (this.#snapshot !== undefined) {
      throw SnapshotInProgress({ checkpointId, running: this.#snapshot.checkpointId })
    }
    const { removals } = this.#copyOnWrite
    const base = streams.selfContained === true || removals === undefined ? undefined : this.#chain.base()
    const built = base !== undefined && removals?.knowsSince(base.number) === true ? base : undefined
    const snapshot = new KeyedSnapshot(
      {
        checkpointId,
        base: built?.number ?? 0,
        keyGroupRange: this.keyGroupRange,
        maxParallelism: this.maxParallelism,
        compression: this.#compression,
        sliceMs: this.#sliceMs,
      },
      {
        states: this.#states.values(),
        timers: this.#timers(),
        copyOnWrite: this.#copyOnWrite,
        serializer: this.#serializer,
        earlier: built?.handles ?? [],
      },
    )
    this.#snapshot = snapshot
    try {
      const handles = await snapshot.write(streams, yieldSlice)
      if (streams.selfContained === true) this.#chain.break()
      else if (removals !== undefined) {
        this.#chain.taken(checkpointId, snapshot.number, handles, built === undefined)
        this.#copyOnWrite.forgetBefore(this.#chain.oldestNumber())
      }
      return handles
    } finally {
      // A cancelled one may end after the next has begun.
      if (this.#snapshot === snapshot) this.#snapshot = undefined
    }
  }

  notifyCheckpointComplete(checkpointId: number): void {
    this.#chain.completed(checkpointId)
    this.#copyOnWrite.forgetBefore(this.#chain.oldestNumber())
  }

  cancelSnapshot(checkpointId: number): void {
    if (this.#snapshot?.checkpointId !== checkpointId) return
    this.#snapshot.cancel()
    this.#snapshot = undefined
  }

  stateSizes(): readonly { name: string; entries: number }[] {
    return [...this.#states.values()].map(state => {
      let entries = 0
      for (const namespace of state.namespaces()) {
        const table = state.existing(namespace)
        entries += (table?.size ?? 0) + (table?.numbers?.size ?? 0)
      }
      return { name: state.name, entries }
    })
  }

  #userState<S>(descriptor: StateDescriptor<unknown>, bound: boolean): NamespaceBoundState<S> {
    const { state, clock, sweeper } = this.#claim(descriptor)
    const dependencies = { copyOnWrite: this.#copyOnWrite, cursor: this.#cursor }
    if (clock === undefined) {
      return makeUserState(state, descriptor, dependencies, bound) as NamespaceBoundState<S>
    }
    const below = makeUserState(state, timedDescriptor(descriptor, clock), dependencies, bound)
    const access = sweeper === undefined ? () => {} : () => sweeper.sweep()
    return { ...below, state: makeTtlState(descriptor, below.state, clock, access) as S }
  }

  /** The state of a descriptor, with values as it wants them. Throws `state.conflicting-declaration`. */
  #claim(descriptor: StateDescriptor<unknown>): Claim {
    const { name } = descriptor
    const ttl = descriptor.ttl?.updateType === 'disabled' ? undefined : descriptor.ttl
    const existing = this.#claims.get(name)
    const state = this.heapState<unknown>({ name, kind: descriptor.kind, ttl: ttl?.time })
    if (existing !== undefined) {
      if (JSON.stringify(existing.clock?.config) !== JSON.stringify(ttl))
        throw ConflictingDeclaration({ name })
      return existing
    }
    this.#migrate(state, descriptor)
    const from = state.ttl
    if (from !== ttl?.time) {
      const stamp = ttl === undefined ? Number.NaN : stampOf(ttl.time, this.#time)
      convertState(state, value => convertTime(value, from, ttl?.time, stamp), this.#copyOnWrite)
      state.ttl = ttl?.time
    }
    const claim = ttl === undefined ? { state } : this.#claimTimed(state, ttl)
    this.#claims.set(name, claim)
    return claim
  }

  /** Fits restored values to the descriptor's type. Throws `state.incompatible-type`, `state.migration-failed`. */
  #migrate(state: HeapState<unknown>, descriptor: StateDescriptor<unknown>): void {
    const { type } = descriptor
    if (type === undefined || !state.restored) return
    const conflict = descriptor.migrate === undefined ? findConflict(state.storedType, type) : undefined
    if (conflict !== undefined) throw IncompatibleType({ name: state.name, ...conflict })
    const fitted = valueFitter(descriptor, type)
    const timed = state.ttl !== undefined
    convertState(
      state,
      (value, key) =>
        timed
          ? [(value as [number, unknown])[0], fitted((value as [number, unknown])[1], key)]
          : fitted(value, key),
      this.#copyOnWrite,
    )
  }

  #claimTimed(state: HeapState<unknown>, ttl: StateTtlConfig): Claim {
    const clock = new TtlClock(ttl, {
      processingTime: () => this.#time.processingTime(),
      watermark: () => this.#time.watermark(),
      recordTimestamp: () => this.#time.recordTimestamp(),
    })
    state.clock = clock
    if (ttl.cleanupEntries === 0) return { state, clock }
    const sweeper = new TtlSweeper({ clock }, { state, copyOnWrite: this.#copyOnWrite })
    if (ttl.cleanupEveryRecord) this.#sweepAtEachRecord(sweeper)
    return { state, clock, sweeper }
  }

  #sweepAtEachRecord(sweeper: TtlSweeper): void {
    this.#recordSweepers.push(sweeper)
    this.setCurrentKey = key => {
      this.#cursor.set(key)
      for (const each of this.#recordSweepers) each.sweep()
    }
  }

  *#timers(): Iterable<readonly [string, Iterable<TimerEntry>]> {
    for (const [name, participant] of this.#participants) yield [name, participant.snapshotEntries()]
    yield* this.#restoredTimers
  }
}
