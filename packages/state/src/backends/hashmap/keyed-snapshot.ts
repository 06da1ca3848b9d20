import { inspect } from 'node:util'
import { CancellationError } from '@flink-ts/common'
import { hashKey, type ValueSerializer } from '@flink-ts/serialization'
import type { TimerEntry } from '../../api/keyed-state-backend.ts'
import type { StateType } from '../../api/state-type.ts'
import { KeyGroupWriter } from '../../snapshot/key-group-writer.ts'
import {
  encodeHeader,
  encodeNamespace,
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
import {
  type CopyOnWrite,
  type EntryIdentity,
  isToWrite,
  type OpenSnapshot,
  type TableIdentity,
  type ValuePart,
} from './copy-on-write.ts'
import { type FrozenTable, type FrozenTimers, freezeTable, freezeTimers } from './frozen-tables.ts'
import type { HeapEntry } from './heap-entry.ts'
import type { HeapState } from './heap-state.ts'
import type { NumberShape } from './number-columns.ts'
import { type FrozenSegment, NO_INTEGER_KEY } from './number-segment.ts'
import { Pace } from './pace.ts'
import type { Removal } from './removal-log.ts'
import type { Touches } from './touch-log.ts'
import type { TtlClock } from './ttl/ttl-clock.ts'
import { withoutExpired } from './ttl/without-expired.ts'
import { hasFewParts, hasParts, hasUnsavedParts, partsOf } from './value-parts.ts'
import { writeRemovals } from './write-removals.ts'

/** Elements of a list whose types are looked at. */
const SAMPLED_ELEMENTS = 8

/** What writing the entries of a table needs. */
interface TableWriting {
  readonly table: TableIdentity
  readonly state: HeapState<unknown>
  readonly stateIndex: number
  readonly namespace: Uint8Array
  /** Values that are over at this time are left out. */
  readonly expiryMs: number | undefined
  readonly sampler: TypeSampler
}

/**
 * One snapshot of a heap backend. The constructor is the synchronous part: it notes which maps there are and which
 * timers, and opens copy-on-write. {@link KeyedSnapshot.write} is the rest. Owner: the backend.
 */
export class KeyedSnapshot implements OpenSnapshot {
  readonly checkpointId: number
  readonly base: number
  readonly #earlier: readonly KeyedStateHandle[]
  readonly #header: KeyedSnapshotHeader
  readonly #number: number
  readonly #sliceMs: number
  readonly #copyOnWrite: CopyOnWrite
  readonly #serializer: ValueSerializer
  readonly #writer: KeyGroupWriter
  readonly #indexes = new Map<TableIdentity['state'], number>()
  /** What time it was when the snapshot began, of states of which it leaves out what is over. */
  readonly #expiryMs = new Map<TableIdentity['state'], number>()
  readonly #samplers = new Map<TableIdentity['state'], TypeSampler>()
  readonly #namespaces = new WeakMap<TableIdentity, Uint8Array>()
  #writing: TableWriting | undefined
  #removals: readonly Removal[] = []
  /** Entries among which are all that tables without a namespace have to write; undefined: it may be any. */
  #touched: readonly Touches[] | undefined
  #tables: FrozenTable[] = []
  /** Values of parts that were given up since. */
  #kept: { readonly table: TableIdentity; readonly entry: EntryIdentity; readonly value: unknown }[] = []
  #timers: FrozenTimers[] = []
  /** Set when an entry could not be saved, or by {@link KeyedSnapshot.cancel}. */
  #failure: unknown
  #isEmpty = true

  constructor(
    options: {
      checkpointId: number
      keyGroupRange: { start: number; end: number }
      maxParallelism: number
      compression: SnapshotCompression
      /** Changes since the snapshot of this number are written; 0: everything. */
      base: number
      /** Longest time without a pause, in milliseconds. */
      sliceMs: number
    },
    dependencies: {
      states: Iterable<HeapState<unknown>>
      timers: Iterable<readonly [name: string, entries: Iterable<TimerEntry>]>
      copyOnWrite: CopyOnWrite
      serializer: ValueSerializer
      /** Of what it builds upon. */
      earlier: readonly KeyedStateHandle[]
    },
  ) {
    this.checkpointId = options.checkpointId
    this.base = options.base
    this.#earlier = dependencies.earlier
    this.#sliceMs = options.sliceMs
    this.#copyOnWrite = dependencies.copyOnWrite
    this.#serializer = dependencies.serializer
    this.#writer = new KeyGroupWriter(options)
    const states: StoredState[] = []
    for (const state of dependencies.states) {
      this.#indexes.set(state, states.length)
      const { name, kind, ttl } = state
      states.push(ttl === undefined ? { name, kind } : { name, kind, ttl })
      // What is over must not come back from an earlier file, so that changes have it too.
      if (this.base === 0 && state.clock?.config.cleanupFullSnapshot === true)
        this.#expiryMs.set(state, state.clock.now())
      const parts = hasParts(state.kind)
      for (const table of state.tables()) {
        if (table.size > 0 || (table.numbers?.size ?? 0) > 0) this.#tables.push(freezeTable(table, parts))
      }
    }
    for (const [name, entries] of dependencies.timers) {
      this.#timers.push(freezeTimers(states.length, entries))
      states.push({ name, kind: 'timers' })
    }
    this.#isEmpty = this.#tables.length === 0 && this.#timers.every(timers => timers.keys.length === 0)
    const { maxParallelism, keyGroupRange, compression } = options
    this.#header = {
      maxParallelism,
      keyGroupRange,
      ...(compression === 'none' ? {} : { compression }),
      states,
    }
    this.#number = this.#copyOnWrite.begin(this)
    this.#removals =
      this.base === 0 ? [] : (this.#copyOnWrite.removals?.between(this.base, this.#number) ?? [])
    if (this.base > 0) this.#touched = this.#copyOnWrite.touches?.between(this.base, this.#number)
  }

  /** As copy-on-write counts. */
  get number(): number {
    return this.#number
  }

  /** Gives up: {@link KeyedSnapshot.write} rejects at its next step and removes what it has written. */
  cancel(): void {
    this.#end(new CancellationError(`snapshot ${this.checkpointId}`))
  }

  /** Writes everything; tables may be used whenever `yieldSlice` or a write is awaited. Ends copy-on-write. */
  async write(
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<readonly KeyedStateHandle[]> {
    if (this.base === 0 && this.#isEmpty) {
      this.#end(undefined)
      return []
    }
    const earlier = this.#earlier.map(handle => ({ ...handle, timersLater: true as const }))
    try {
      const changes = await this.#writeChanges(streams, yieldSlice)
      const removals = await this.#writeRemovals(streams, yieldSlice)
      return [
        ...earlier,
        ...(removals === undefined ? [] : [removals]),
        ...(changes === undefined ? [] : [changes]),
      ]
    } catch (error) {
      this.#end(error)
      throw error
    }
  }

  /** Everything, or what has changed since the base; undefined: nothing has. */
  async #writeChanges(
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<KeyedStateHandle | undefined> {
    let output: BlobOutput | undefined
    try {
      output = await streams.open('keyed')
      await output.write(encodeHeader(this.#header))
      await this.#writeTables(output, yieldSlice)
      this.#release()
      await this.#writeTimers(output, yieldSlice)
      const offsets = await this.#writer.finish(output)
      this.#check()
      const delta = this.base === 0 ? {} : { delta: 'changes' as const }
      if (this.base > 0 && offsets.every(offset => offset < 0)) {
        await output.discard()
        return undefined
      }
      const location = await output.close()
      const { keyGroupRange } = this.#header
      return { keyGroupRange, offsets, types: this.#types(), ...delta, ...this.#origin(), location }
    } catch (error) {
      if (output !== undefined) await discardQuietly(output)
      throw error
    }
  }

  async #writeRemovals(
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<KeyedStateHandle | undefined> {
    const pace = new Pace(this.#sliceMs, async () => {
      await yieldSlice()
      this.#check()
    })
    const handle = await writeRemovals(this.#removals, {
      header: this.#header,
      indexes: this.#indexes,
      serializer: this.#serializer,
      streams,
      step: () => (pace.isOver() ? pace.pause() : undefined),
    })
    return handle === undefined ? undefined : { ...handle, ...this.#origin() }
  }

  /** Later snapshots may refer to the file if there will be such. */
  #origin(): { origin?: number } {
    return this.#copyOnWrite.removals === undefined ? {} : { origin: this.checkpointId }
  }

  async #writeTables(output: BlobOutput, yieldSlice: () => Promise<void>): Promise<void> {
    const pace = new Pace(this.#sliceMs, () => this.#pause(output, yieldSlice))
    this.#check()
    for (const touches of this.#touched ?? []) await this.#writeTouched(touches, pace)
    for (const { table, parts, arrays, numbers } of this.#tables) {
      for (const entries of this.#mayMiss(table, parts) ? [] : arrays) {
        for (const entry of entries) {
          if (entry === undefined) continue
          if (parts && hasFewParts(entry.value)) this.#writeFewParts(table, entry, entry.value)
          else if (parts) await this.#writeParts(table, entry, entry.value, pace)
          else if (isToWrite(entry.saved, this.base, this.#number)) {
            entry.saved = this.#number - 1
            this.#add(table, entry, entry.value)
          }
          if (pace.isOver()) await pace.pause()
        }
      }
      for (const segment of numbers?.segments ?? []) {
        await this.#writeNumbers(table, segment, (numbers as { shape: NumberShape }).shape, pace)
      }
    }
    for (let kept = this.#kept.pop(); kept !== undefined; kept = this.#kept.pop()) {
      await this.#writeParts(kept.table, kept.entry, kept.value, pace)
    }
  }

  /** Whether what the table has to write is among what was touched. */
  #mayMiss(table: TableIdentity, parts: boolean): boolean {
    return this.#touched !== undefined && !parts && table.namespace === undefined
  }

  async #writeTouched({ tables, entries }: Touches, pace: Pace): Promise<void> {
    const frozen = new Set(
      this.#tables.filter(({ table, parts }) => this.#mayMiss(table, parts)).map(({ table }) => table),
    )
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i] as HeapEntry<unknown>
      const table = tables[i] as TableIdentity
      if (!isToWrite(entry.saved, this.base, this.#number) || !frozen.has(table)) continue
      entry.saved = this.#number - 1
      this.#add(table, entry, entry.value)
      if (pace.isOver()) await pace.pause()
    }
  }

  async #writeNumbers(
    table: TableIdentity,
    frozen: FrozenSegment,
    { stride, make }: NumberShape,
    pace: Pace,
  ): Promise<void> {
    // Copied even if nobody writes to it now: somebody may during a pause.
    frozen.segment.save(this.#number)
    const { keys, data } = frozen.copy as { keys: Int32Array; data: Float64Array }
    for (let place = 0; place < keys.length; place++) {
      const key = keys[place] as number
      if (key === NO_INTEGER_KEY) continue
      this.#add(table, { key, hash: hashKey(key) }, make(data, place * stride))
      if (pace.isOver()) await pace.pause()
    }
    frozen.copy = undefined
  }

  /** Without a pause: awaiting costs more than a small value. */
  #writeFewParts(table: TableIdentity, entry: EntryIdentity, value: unknown): void {
    for (const part of partsOf(value)) {
      if (!isToWrite(part.saved, this.base, this.#number)) continue
      part.saved = this.#number - 1
      this.#add(table, entry, [part.key, part.value])
    }
  }

  async #writeParts(table: TableIdentity, entry: EntryIdentity, value: unknown, pace: Pace): Promise<void> {
    for (const part of partsOf(value)) {
      if (isToWrite(part.saved, this.base, this.#number)) {
        part.saved = this.#number - 1
        this.#add(table, entry, [part.key, part.value])
      }
      if (pace.isOver()) await pace.pause()
    }
  }

  async #writeTimers(output: BlobOutput, yieldSlice: () => Promise<void>): Promise<void> {
    const pace = new Pace(this.#sliceMs, () => this.#pause(output, yieldSlice))
    for (const { stateIndex, keys, namespaces, timestamps } of this.#timers) {
      const encoded = new Map<string | number | undefined, Uint8Array>()
      for (let i = 0; i < keys.length; i++) {
        const key = keys[i]
        const namespace = encoded.get(namespaces[i]) ?? encodeNamespace(namespaces[i])
        if (encoded.size < 1024) encoded.set(namespaces[i], namespace)
        this.#writer.addValue(stateIndex, namespace, hashKey(key), key, timestamps[i], shownKey)
        if (pace.isOver()) await pace.pause()
      }
    }
    this.#timers = []
  }

  async #pause(output: BlobOutput, yieldSlice: () => Promise<void>): Promise<void> {
    if (this.#writer.due) await this.#writer.write(output)
    await yieldSlice()
    this.#check()
  }

  /** Copy-on-write: called before a record sees the entry. */
  saveEntry(table: TableIdentity, entry: HeapEntry<unknown>): void {
    // Of values with parts each part is saved when it is touched.
    if (!hasParts((table.state as HeapState<unknown>).kind)) this.#save(table, entry, entry.value)
  }

  savePart(table: TableIdentity, entry: EntryIdentity, part: ValuePart): void {
    this.#save(table, entry, [part.key, part.value])
  }

  keep(table: TableIdentity, entry: EntryIdentity, value: unknown): void {
    if (!hasUnsavedParts(value, this.#number)) return
    const { key, hash } = entry
    this.#kept.push({ table, entry: { key, hash }, value })
  }

  /** A failure must not hit the record that is processed, but the snapshot. */
  #save(table: TableIdentity, entry: EntryIdentity, value: unknown): void {
    try {
      this.#add(table, entry, value)
    } catch (error) {
      this.#end(error)
    }
  }

  #add(table: TableIdentity, entry: EntryIdentity, value: unknown): void {
    // Nearly always the table of the entry before.
    const writing = table === this.#writing?.table ? this.#writing : this.#writingOf(table)
    const { state, expiryMs, sampler } = writing
    let stored = value
    if (expiryMs !== undefined) {
      stored = withoutExpired(state.kind, value, state.clock as TtlClock, expiryMs)
      if (stored === undefined) return
    }
    if (sampler.wantsNext()) for (const each of valuesIn(state, stored)) sampler.add(each)
    this.#writer.addValue(writing.stateIndex, writing.namespace, entry.hash, entry.key, stored, shownKey)
  }

  #writingOf(table: TableIdentity): TableWriting {
    const state = table.state as HeapState<unknown>
    const namespace = this.#namespaces.get(table) ?? encodeNamespace(table.namespace)
    this.#namespaces.set(table, namespace)
    const sampler = this.#samplers.get(state) ?? new TypeSampler()
    this.#samplers.set(state, sampler)
    const stateIndex = this.#indexes.get(state) as number
    this.#writing = { table, state, stateIndex, namespace, expiryMs: this.#expiryMs.get(state), sampler }
    return this.#writing
  }

  #types(): Readonly<Record<string, StateType>> {
    const types: Record<string, StateType> = {}
    for (const [state, sampler] of this.#samplers) {
      const type = sampler.type()
      if (type !== undefined) types[state.name] = type
    }
    return types
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  #end(failure: unknown): void {
    this.#failure ??= failure
    this.#release()
    this.#timers = []
  }

  /** Ends copy-on-write unless a later snapshot has begun meanwhile. */
  #release(): void {
    if (this.#copyOnWrite.isOpen(this.#number)) this.#copyOnWrite.end()
    this.#tables = []
    this.#touched = undefined
    this.#kept = []
    this.#writing = undefined
  }
}

function shownKey(key: unknown): string {
  return inspect(key, { depth: 1, maxStringLength: 80 })
}

/** What of a stored entry a descriptor's type is about; of a list some elements. */
function valuesIn(state: HeapState<unknown>, stored: unknown): readonly unknown[] {
  const inside = hasParts(state.kind) ? (stored as [unknown, unknown])[1] : stored
  const values = state.kind === 'list' ? (inside as unknown[]).slice(0, SAMPLED_ELEMENTS) : [inside]
  return state.ttl === undefined ? values : values.map(value => (value as [number, unknown])[1])
}
