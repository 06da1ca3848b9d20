// Incremental checkpoints of RocksDB: what each of ten in a row writes after 1 % of the keys were changed, as a share of the
// state, compaction included; how long the synchronous part takes; and how long a restore takes.
// Arguments: keys, bytes of a value, options as JSON. The last line is JSON.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Configuration, SeededRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import {
  FileCheckpointStorage,
  type KeyedStateHandle,
  loadStateBackend,
  locationSizeBytes,
  stateSettingsOf,
  type ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'

const CHECKPOINTS = 10
const [keyCount = '1000000', valueBytes = '100', settings = '{}'] = process.argv.slice(2)
const keys = Number(keyCount)
const folder = mkdtempSync(join(tmpdir(), 'flink-bench-rocksdb-'))
const random = new SeededRandom(1)
// Values that do not compress well.
const text = (): string => random.bytes(Math.ceil(Number(valueBytes) / 2)).toString('hex')

async function measure(): Promise<void> {
  const storage = new FileCheckpointStorage(
    { directory: join(folder, 'checkpoints'), jobId: 'job', inlineThresholdBytes: 20_000 },
    { fileSystem: new LocalFileSystem(), random },
  )
  const { createKeyedBackend } = await loadStateBackend('rocksdb')
  const options = {
    ...{ keyGroupRange: { start: 0, end: 127 }, maxParallelism: 128, incremental: true },
    localDirectory: folder,
    rocksDb: stateSettingsOf(Configuration.of(JSON.parse(settings) as Record<string, string>)).rocksDb,
  }
  const backend = await createKeyedBackend(options, [], storage)
  const state = backend.state<ValueState<string>>(new ValueStateDescriptor<string>('text'))
  const update = (key: number): void => {
    backend.setCurrentKey(key)
    state.update(text())
  }
  const written: number[] = []
  const syncMs: number[] = []
  let handles: readonly KeyedStateHandle[] = []
  const sizeOf = (of: readonly KeyedStateHandle[]): number =>
    of.reduce((sum, { location }) => sum + locationSizeBytes(location), 0)
  const take = async (id: number): Promise<void> => {
    const start = performance.now()
    const running = backend.snapshot(id, storage.streams(id, 'a'), () => Promise.resolve())
    syncMs.push(performance.now() - start)
    handles = await running
    written.push(sizeOf(handles.filter(({ origin }) => origin === id)))
    backend.notifyCheckpointComplete?.(id)
    // Compactions come to their end, so that they are in one of the next ones.
    await delay(500)
  }
  for (let key = 0; key < keys; key++) update(key)
  await take(1)
  const fullBytes = written[0] as number
  for (let id = 2; id <= CHECKPOINTS + 1; id++) {
    for (let i = 0; i < keys / 100; i++) update(Math.floor(random.next() * keys))
    await take(id)
  }
  const shares = written.slice(1).map(bytes => bytes / fullBytes)
  const sorted = shares.toSorted((a, b) => a - b)
  const start = performance.now()
  const restored = await createKeyedBackend(options, handles, storage)
  const restoreMs = performance.now() - start
  restored.close?.()
  backend.close?.()
  const percent = (share: number): number => Math.round(share * 1000) / 10
  console.log(`shares of ${Math.round(fullBytes / 1e6)} MB in percent: ${shares.map(percent).join(' ')}`)
  console.log(
    JSON.stringify({
      stateBytes: sizeOf(handles),
      medianPercent: percent(
        (sorted[CHECKPOINTS / 2] as number) / 2 + (sorted[CHECKPOINTS / 2 - 1] as number) / 2,
      ),
      meanPercent: percent(shares.reduce((a, b) => a + b, 0) / CHECKPOINTS),
      synchronousMs: syncMs.map(Math.round),
      restoreMs: Math.round(restoreMs),
      restoreMegabytesPerSecond: Math.round(sizeOf(handles) / 1000 / restoreMs),
    }),
  )
}

process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
await measure()
