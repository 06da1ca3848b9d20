import { open, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { CancellationError } from '@flink-ts/common'
import type { TimerEntry } from '../../api/keyed-state-backend.ts'
import type { StateType } from '../../api/state-type.ts'
import { KeyGroupWriter } from '../../snapshot/key-group-writer.ts'
import { encodeHeader, type KeyedSnapshotHeader, type StoredState } from '../../snapshot/keyed-format.ts'
import type { KeyedStateHandle } from '../../snapshot/state-handle.ts'
import {
  type BlobOutput,
  type CheckpointStreamFactory,
  discardQuietly,
} from '../../storage/checkpoint-storage.ts'
import { mergeTypes } from '../../types/merge-types.ts'
import { type FrozenTimers, freezeTimers } from '../hashmap/frozen-tables.ts'
import { Pace } from '../hashmap/pace.ts'
import { addTimers } from './add-timers.ts'
import { inParallel } from './in-parallel.ts'
import type { RocksDbContext } from './rocksdb-context.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import { sampleTypes } from './sample-types.ts'
import type { SharedFiles } from './shared-files.ts'
import { LAST_KEY } from './store-keys.ts'
import { type StoredTables, TABLES_FILE } from './stored-store.ts'

const READ_BYTES = 1 << 20

/**
 * One snapshot of a RocksDB backend as the files of its store, of which those that an earlier checkpoint has are left
 * out. The constructor is the synchronous part: what is in memory is written into files, and all files get a second
 * name, so that they stay. Timers are in a file of the format of all backends. Owner: the backend.
 */
export class IncrementalRocksDbSnapshot {
  readonly checkpointId: number
  readonly #context: RocksDbContext
  readonly #shared: SharedFiles
  readonly #header: KeyedSnapshotHeader
  readonly #types: Readonly<Record<string, StateType>>
  readonly #tables: StoredTables
  readonly #timers: FrozenTimers[] = []
  readonly #sliceMs: number
  readonly #transfers: number
  /** Inside the folder of the store, which is removed as a whole. Undefined: there is nothing. */
  readonly #folder: string | undefined
  #cancelled = false

  constructor(
    options: { checkpointId: number; sliceMs: number; transfers: number },
    dependencies: {
      context: RocksDbContext
      states: Iterable<RocksDbState>
      timers: Iterable<readonly [name: string, entries: Iterable<TimerEntry>]>
      shared: SharedFiles
    },
  ) {
    this.checkpointId = options.checkpointId
    this.#sliceMs = options.sliceMs
    this.#transfers = options.transfers
    this.#context = dependencies.context
    this.#shared = dependencies.shared
    const { keyGroupRange, maxParallelism, store, cache } = this.#context
    cache.flushAll()
    const declared = [...dependencies.states]
    const states: StoredState[] = declared.map(({ name, kind, ttl }) =>
      ttl === undefined ? { name, kind } : { name, kind, ttl },
    )
    for (const [name, entries] of dependencies.timers) {
      this.#timers.push(freezeTimers(states.length, entries))
      states.push({ name, kind: 'timers' })
    }
    this.#header = { maxParallelism, keyGroupRange, states }
    this.#tables = declared.flatMap(state => state.sizes())
    this.#types = this.#sample(declared)
    const isEmpty =
      this.#timers.every(({ keys }) => keys.length === 0) &&
      store.scan({ lower: new Uint8Array(0), upper: LAST_KEY, limit: 1 }).length === 0
    if (isEmpty) return
    this.#folder = join(store.directory, `checkpoint-${options.checkpointId}-${process.hrtime.bigint()}`)
    store.checkpoint(this.#folder)
  }

  /** Gives up: {@link IncrementalRocksDbSnapshot.write} rejects at its next step and removes what it has written. */
  cancel(): void {
    this.#cancelled = true
  }

  /** Nothing of the store's is held: the files are this snapshot's own. */
  release(): void {}

  /** Writes the files that are in no earlier checkpoint; the states may be used meanwhile. */
  async write(
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<readonly KeyedStateHandle[]> {
    const folder = this.#folder
    if (folder === undefined) return []
    const written: BlobOutput[] = []
    try {
      const names = (await readdir(folder)).filter(name => !name.startsWith('OPTIONS'))
      const tables = names.filter(name => name.endsWith('.sst'))
      const files = new Map(this.#shared.find(tables))
      const handles = new Map<string, KeyedStateHandle>(files)
      const missing = names.filter(name => !files.has(name))
      await inParallel(this.#transfers, missing, async name => {
        const output = await streams.open('rocksdb')
        written.push(output)
        const handle = await this.#upload(name, join(folder, name), output)
        handles.set(name, handle)
        if (name.endsWith('.sst')) files.set(name, handle)
      })
      handles.set(TABLES_FILE, await this.#writeTables(streams, written))
      const main = await this.#writeTimers(streams, written, yieldSlice)
      this.#check()
      this.#shared.taken(this.checkpointId, files)
      return [...handles.values(), { ...main, storeFiles: handles.size }]
    } catch (error) {
      for (const output of written) await discardQuietly(output)
      // What is gone because everything is gone is no error of its own.
      this.#check()
      throw error
    } finally {
      // Names only: nothing is lost if they stay until the store is removed.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    }
  }

  async #upload(name: string, path: string, output: BlobOutput): Promise<KeyedStateHandle> {
    const file = await open(path)
    let crc = 0
    try {
      for (;;) {
        // A buffer of its own each time: outputs may keep it until it is sent.
        const { bytesRead, buffer } = await file.read({ buffer: Buffer.allocUnsafe(READ_BYTES) })
        this.#check()
        if (bytesRead === 0) break
        const bytes = buffer.subarray(0, bytesRead)
        crc = crc32(bytes, crc)
        await output.write(bytes)
      }
    } finally {
      await file.close()
    }
    return this.#handleOf(name, crc, await output.close())
  }

  async #writeTables(streams: CheckpointStreamFactory, written: BlobOutput[]): Promise<KeyedStateHandle> {
    const bytes = Buffer.from(JSON.stringify(this.#tables))
    const output = await streams.open('rocksdb')
    written.push(output)
    await output.write(bytes)
    return this.#handleOf(TABLES_FILE, crc32(bytes), await output.close())
  }

  async #writeTimers(
    streams: CheckpointStreamFactory,
    written: BlobOutput[],
    yieldSlice: () => Promise<void>,
  ): Promise<KeyedStateHandle> {
    const { keyGroupRange, maxParallelism } = this.#header
    const writer = new KeyGroupWriter({ keyGroupRange, maxParallelism, compression: 'none' })
    const output = await streams.open('keyed')
    written.push(output)
    await output.write(encodeHeader(this.#header))
    const pace = new Pace(this.#sliceMs, async () => {
      if (writer.due) await writer.write(output)
      await yieldSlice()
      this.#check()
    })
    await addTimers(this.#timers, writer, this.#context.serializer, pace)
    const offsets = await writer.finish(output)
    this.#check()
    const location = await output.close()
    return { keyGroupRange, offsets, types: this.#types, origin: this.checkpointId, location }
  }

  #handleOf(name: string, crc: number, location: KeyedStateHandle['location']): KeyedStateHandle {
    const { keyGroupRange } = this.#header
    return { keyGroupRange, offsets: [], storeFile: { name, crc }, origin: this.checkpointId, location }
  }

  #sample(states: readonly RocksDbState[]): Readonly<Record<string, StateType>> {
    const types: Record<string, StateType> = {}
    for (const state of states) {
      const sampled = sampleTypes(state, this.#context, this.checkpointId).type()
      // Kept for the next one, which looks at others.
      if (sampled !== undefined) state.seenType = mergeTypes(state.seenType, sampled)
      const type = mergeTypes(state.storedType, state.seenType)
      if (!Array.isArray(type) || type.length > 0) types[state.name] = type
    }
    return types
  }

  #check(): void {
    if (this.#cancelled) throw new CancellationError(`snapshot ${this.checkpointId}`)
  }
}
