import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Configuration } from '@flink-ts/common'
import { rocksDbProblem } from '@flink-ts/rocksdb'
import { expect, test } from 'vitest'
import { ValueStateDescriptor } from './api/state-descriptor.ts'
import type { ValueState } from './api/user-states.ts'
import { createRocksDbKeyedStateBackend } from './backends/rocksdb/rocksdb-state-backend.ts'
import { ROCKSDB_COUNTERS, ROCKSDB_METRICS } from './rocksdb-metrics-options.ts'
import { rocksDbSettingsOf } from './rocksdb-options.ts'

const settingsOf = (values: Record<string, string>) => rocksDbSettingsOf(Configuration.of(values))

test('what is predefined comes behind what is given', () => {
  expect(settingsOf({})).toMatchObject({
    threads: 2,
    blockBytes: 4096,
    universal: 0,
    statistics: 0,
    openFiles: 0,
  })
  const set = { 'state.backend.rocksdb.predefined-options': 'SPINNING_DISK_OPTIMIZED_HIGH_MEM' }
  expect(settingsOf(set)).toMatchObject({
    threads: 4,
    blockBytes: 131_072,
    writeBuffers: 4,
    buffersToMerge: 3,
  })
  expect(settingsOf({ ...set, 'state.backend.rocksdb.thread.num': '1' })).toMatchObject({
    ...{ threads: 1, blockBytes: 131_072 },
  })
  expect(settingsOf({ 'state.backend.rocksdb.compaction.style': 'universal' }).universal).toBe(1)
  expect(() => settingsOf({ 'state.backend.rocksdb.compaction.style': 'FIFO' })).toThrow(/LEVEL or UNIVERSAL/)
  expect(() => settingsOf({ 'state.backend.rocksdb.predefined-options': 'FAST' })).toThrow(
    /FLASH_SSD_OPTIMIZED/,
  )
})

test.skipIf(rocksDbProblem() !== undefined)(
  'every metric that is on has a value (needs the addon)',
  async () => {
    const directory = mkdtempSync(join(tmpdir(), 'flink-rocksdb-'))
    try {
      const rocksDb = settingsOf(Object.fromEntries(ROCKSDB_METRICS.map(({ key }) => [key, 'true'])))
      expect(rocksDb.statistics).toBe(1)
      const backend = await createRocksDbKeyedStateBackend(
        { keyGroupRange: { start: 0, end: 7 }, maxParallelism: 8, localDirectory: directory, rocksDb },
        [],
        { readRange: () => Promise.reject(new Error('nothing is restored')) },
      )
      const state = backend.state<ValueState<number>>(new ValueStateDescriptor<number>('n'))
      for (let key = 0; key < 3000; key++) {
        backend.setCurrentKey(key)
        state.update(key)
      }
      backend.context.cache.flushAll()
      const metrics = backend.metrics()
      // Levels are metrics of their own.
      expect(metrics.length).toBe(ROCKSDB_METRICS.length + 6)
      const values = new Map(metrics.map(({ name, read }) => [name, read()]))
      expect([...values].filter(([, value]) => !Number.isFinite(value))).toEqual([])
      // A name that RocksDB does not know would be 0 for ever.
      const { store } = backend.context
      for (const name of rocksDb.metrics) {
        const counter = ROCKSDB_COUNTERS[name]
        const level = name === 'num-files-at-level' ? '0' : ''
        const found =
          counter === undefined ? store.property(`rocksdb.${name}${level}`) : store.counter(counter)
        expect(found, name).toBeDefined()
      }
      expect(values.get('rocksdb.estimate-num-keys')).toBe(3000)
      expect(values.get('rocksdb.bytes-written')).toBeGreaterThan(3000)
      backend.close()
      expect(metrics.map(({ read }) => read()).every(value => value === 0)).toBe(true)
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  },
)
