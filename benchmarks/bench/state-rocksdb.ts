// A keyed counter of a million keys on RocksDB: million updates a second of the thread's CPU time. `engine`: value() and update() of a ValueState;
// `reference`: get and put of the addon called directly, one by one, as in a loop written for it alone.
// Arguments: kind, updates. The last line is JSON.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Configuration } from '@flink-ts/common'
import { loadRocksDbAddon } from '@flink-ts/rocksdb'
import { loadStateBackend, stateSettingsOf, type ValueState, ValueStateDescriptor } from '@flink-ts/state'

const KEYS = 1_000_000
const KEY_BYTES = 14
const VALUE_AT = 512
const memory = { memoryBytes: 320 << 20, writeBufferRatio: 0.4 }

const [kind = 'engine', count = '1000000'] = process.argv.slice(2)
const updates = Math.round(Number(count))
const folder = mkdtempSync(join(tmpdir(), 'flink-bench-rocksdb-'))
// The same keys for both, in an order without any.
let seed = 1
const nextKey = (): number => {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return seed % KEYS
}

async function engine(): Promise<(key: number) => void> {
  const { createKeyedBackend } = await loadStateBackend('rocksdb')
  const options = { keyGroupRange: { start: 0, end: 127 }, maxParallelism: 128, localDirectory: folder }
  const rocksDb = Object.assign({}, stateSettingsOf(Configuration.of({})).rocksDb, memory)
  const backend = await createKeyedBackend({ ...options, rocksDb }, [], {
    readRange: () => Promise.reject(new Error('there is nothing to restore')),
  })
  const state = backend.state<ValueState<number>>(new ValueStateDescriptor<number>('count', 0))
  return key => {
    backend.setCurrentKey(key)
    state.update((state.value() ?? 0) + 1)
  }
}

function reference(): (key: number) => void {
  const addon = loadRocksDbAddon()
  const store = addon.open(join(folder, 'store'), { ...memory, temporary: 1 })
  const buffer = Buffer.from(addon.scratch(store, 4096))
  // One operation: kind, lengths, key, value.
  const batch = Buffer.alloc(9 + KEY_BYTES + 8)
  batch.writeUInt32LE(KEY_BYTES, 1)
  batch.writeUInt32LE(8, 5)
  return key => {
    buffer.writeUInt32BE(key % 128, 0)
    buffer.writeUInt32BE(key, 4)
    const found = addon.get(store, KEY_BYTES, VALUE_AT)
    const value = found < 0 ? 0 : buffer.readDoubleLE(VALUE_AT)
    buffer.copy(batch, 9, 0, KEY_BYTES)
    batch.writeDoubleLE(value + 1, 9 + KEY_BYTES)
    addon.write(store, batch, batch.length)
  }
}

try {
  const update = kind === 'engine' ? await engine() : reference()
  for (let key = 0; key < KEYS; key++) update(key)
  const before = process.threadCpuUsage()
  for (let i = 0; i < updates; i++) update(nextKey())
  const { user, system } = process.threadCpuUsage(before)
  console.log(JSON.stringify({ millionsPerSecond: updates / (user + system) }))
} finally {
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
}
