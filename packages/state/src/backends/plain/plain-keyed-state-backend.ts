import { CancellationError } from '@flink-ts/common'
import { canonicalKey, createValueSerializer, keyGroupOf } from '@flink-ts/serialization'
import type {
  Key,
  KeyedStateBackend,
  KeyGroupedParticipant,
  NamespaceBoundState,
  NamespacedState,
  TimerEntry,
} from '../../api/keyed-state-backend.ts'
import type { KeyedBackendOptions } from '../../api/state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import { DuplicateParticipant, NoCurrentKey, StateKindMismatch, TimeToLiveUnsupported } from '../../errors.ts'
import type { StoredEntry, StoredState } from '../../snapshot/keyed-format.ts'
import { KeyedSnapshotFile } from '../../snapshot/keyed-snapshot-file.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from '../../storage/checkpoint-storage.ts'
import { convertStored } from '../hashmap/ttl/convert-times.ts'
import { PlainTables } from './plain-tables.ts'
import { makePlainUserState } from './plain-user-state.ts'
import { fromParts, storedParts } from './stored-parts.ts'

const NO_KEY = Symbol('no key')

/**
 * The smallest keyed backend that keeps the whole contract: plain Maps, and snapshots that copy everything at once. An
 * example for backends of one's own (`state.backend.type: plain`), and a second opinion in tests. Not for large state:
 * each snapshot stops the task until all of it is encoded. Owner: the operator instance, slot thread.
 */
export class PlainKeyedStateBackend implements KeyedStateBackend {
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  readonly maxParallelism: number
  readonly #options: KeyedBackendOptions
  readonly #states = new Map<string, PlainTables>()
  readonly #participants = new Map<string, KeyGroupedParticipant>()
  /** Restored timers whose queue is not registered yet. */
  readonly #restoredTimers = new Map<string, TimerEntry[]>()
  readonly #cancelled = new Set<number>()
  readonly #serializer = createValueSerializer()
  #key: unknown = NO_KEY

  constructor(options: KeyedBackendOptions) {
    this.#options = options
    this.keyGroupRange = options.keyGroupRange
    this.maxParallelism = options.maxParallelism
  }

  setCurrentKey(key: Key): void {
    this.#key = key
  }

  currentKey(): Key {
    return this.#key === NO_KEY ? undefined : this.#key
  }

  /** Times to live are not offered. */
  useTime(): void {}

  namespacedState<V>(descriptor: StateDescriptor<V>): NamespacedState<V> {
    return this.#tables(descriptor.name, descriptor.kind) as unknown as NamespacedState<V>
  }

  state<S>(descriptor: StateDescriptor<unknown>): S {
    return this.#userState<S>(descriptor, () => undefined)
  }

  boundState<S>(descriptor: StateDescriptor<unknown>): NamespaceBoundState<S> {
    let namespace: string | number | undefined
    return {
      state: this.#userState<S>(descriptor, () => namespace),
      setNamespace: next => {
        namespace = next
      },
    }
  }

  *keys(descriptor: StateDescriptor<unknown>): Iterable<Key> {
    const entries = this.#states.get(descriptor.name)?.existing(undefined)?.entries() ?? []
    for (const { key } of [...entries]) yield key
  }

  registerParticipant(name: string, participant: KeyGroupedParticipant): void {
    if (this.#participants.has(name)) throw DuplicateParticipant({ name })
    this.#participants.set(name, participant)
    const restored = this.#restoredTimers.get(name)
    this.#restoredTimers.delete(name)
    if (restored !== undefined) participant.restoreEntries(restored)
  }

  /** Used while restoring: adds an entry, or replaces an older one. */
  restore({ name, kind, ttl }: StoredState, { namespace, key, value }: StoredEntry): void {
    const { decode } = this.#serializer
    if (kind === 'timers') {
      const timers = this.#restoredTimers.get(name) ?? []
      timers.push({ key: decode(key), namespace, timestamp: decode(value) as number })
      this.#restoredTimers.set(name, timers)
      return
    }
    const table = this.#tables(name, kind).table(namespace)
    const existing = table.find(decode(key))
    const stored = convertStored(kind, decode(value), ttl, undefined, Number.NaN)
    const restored = fromParts(kind, existing?.value, stored)
    if (existing === undefined) table.insert(decode(key), restored)
    else existing.value = restored
  }

  /** Used while restoring: takes away what a later file says was removed. See `keyed-format.ts`. */
  restoreRemoval(
    { name, kind }: StoredState,
    { namespace, key, value }: StoredEntry,
    keyGroup: number,
  ): void {
    if (kind === 'timers') return
    const { decode } = this.#serializer
    const table = this.#tables(name, kind).table(namespace)
    if (key.length === 0) {
      for (const entry of [...table.entries()]) {
        if (keyGroupOf(entry.key, this.maxParallelism) === keyGroup) table.remove(entry.key)
      }
    } else if (value.length === 0) table.remove(decode(key))
    else {
      const map = table.find(decode(key))?.value as Map<unknown, unknown> | undefined
      map?.delete(canonicalKey(decode(value)))
      if (map?.size === 0) table.remove(decode(key))
    }
  }

  /** Used when all is restored. */
  completeRestore(): void {
    for (const tables of this.#states.values()) {
      if (tables.kind !== 'list') continue
      for (const namespace of tables.namespaces()) {
        for (const entry of tables.table(namespace).entries())
          entry.value = (entry.value as unknown[][]).flat()
      }
    }
  }

  async snapshot(
    checkpointId: number,
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<readonly KeyedStateHandle[]> {
    const copyOf = (value: unknown): unknown => this.#serializer.decode(this.#serializer.encode(value))
    // Everything is copied here, before the first await: what follows does not belong to the snapshot.
    const { keyGroupRange, maxParallelism, compression = 'none' } = this.#options
    const states: StoredState[] = []
    const entries: { state: number; namespace: string | number | undefined; key: Key; value: unknown }[] = []
    for (const [name, tables] of this.#states) {
      const state = states.push({ name, kind: tables.kind }) - 1
      for (const namespace of tables.namespaces()) {
        for (const { key, value } of tables.existing(namespace)?.entries() ?? []) {
          for (const part of storedParts(tables.kind, value)) {
            entries.push({ state, namespace, key, value: copyOf(part) })
          }
        }
      }
    }
    const timers = [...this.#participants].map(([name, queue]) => [name, queue.snapshotEntries()] as const)
    for (const [name, queue] of [...timers, ...this.#restoredTimers]) {
      const state = states.push({ name, kind: 'timers' }) - 1
      for (const { key, namespace, timestamp } of queue)
        entries.push({ state, namespace, key, value: timestamp })
    }
    if (entries.length === 0) return []
    const file = await KeyedSnapshotFile.open({ keyGroupRange, maxParallelism, compression, states }, streams)
    for (const [i, { state, namespace, key, value }] of entries.entries()) {
      await file.add(state, namespace, key, value)
      if (i % 256 === 0) await yieldSlice()
      if (!this.#cancelled.delete(checkpointId)) continue
      await file.discard()
      throw new CancellationError(`snapshot ${checkpointId}`)
    }
    return [await file.close()]
  }

  cancelSnapshot(checkpointId: number): void {
    this.#cancelled.add(checkpointId)
  }

  #userState<S>(descriptor: StateDescriptor<unknown>, namespace: () => string | number | undefined): S {
    const { name, kind, ttl } = descriptor
    if (ttl !== undefined && ttl.updateType !== 'disabled')
      throw TimeToLiveUnsupported({ name, backend: 'plain' })
    const tables = this.#tables(name, kind)
    const key = (): Key => {
      if (this.#key === NO_KEY) throw NoCurrentKey({ name })
      return this.#key
    }
    return makePlainUserState(descriptor, { table: () => tables.table(namespace()), key }) as S
  }

  #tables(name: string, kind: StateDescriptor<unknown>['kind']): PlainTables {
    const existing = this.#states.get(name)
    if (existing === undefined) {
      const tables = new PlainTables({ kind, canonical: canonicalKey })
      this.#states.set(name, tables)
      return tables
    }
    if (existing.kind !== kind) throw StateKindMismatch({ name, existing: existing.kind, requested: kind })
    return existing
  }
}
