import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { ManualClock, SystemClock } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { findCollector, RingReclaimer } from './reclaim-rings.ts'

const MB = 2 ** 20

test('collects a while after 64 MB were let go, once for all that came meanwhile', () => {
  const clock = new ManualClock()
  let collections = 0
  const reclaimer = new RingReclaimer({ clock, collect: () => collections++ })
  reclaimer.released(63 * MB)
  clock.advance(5000)
  expect(collections).toBe(0)
  reclaimer.released(MB)
  reclaimer.released(500 * MB)
  expect(collections).toBe(0)
  clock.advance(1000)
  expect(collections).toBe(1)
  clock.advance(10_000)
  expect(collections).toBe(1)
  reclaimer.released(64 * MB)
  clock.advance(1000)
  expect(collections).toBe(2)
})

test('the memory of rings that nobody holds is free afterwards', async () => {
  const reclaimer = new RingReclaimer({ clock: new SystemClock() })
  const before = process.memoryUsage().arrayBuffers
  let rings: SharedArrayBuffer[] = Array.from({ length: 100 }, () => new SharedArrayBuffer(MB))
  expect(process.memoryUsage().arrayBuffers - before).toBeGreaterThan(90 * MB)
  rings = []
  reclaimer.released(100 * MB)
  await expect
    .poll(() => process.memoryUsage().arrayBuffers - before, { timeout: 10_000 })
    .toBeLessThan(50 * MB)
  expect(rings).toHaveLength(0)
  expect('gc' in globalThis).toBe(false)
})

test('a thread finds the collection while another one is at the same flag of the process', async () => {
  const stop = new Int32Array(new SharedArrayBuffer(4))
  const other = new Worker(
    `const { setFlagsFromString } = require('node:v8')
const { parentPort, workerData } = require('node:worker_threads')
parentPort.postMessage('ready')
while (Atomics.load(workerData, 0) === 0) {
  setFlagsFromString('--expose-gc')
  setFlagsFromString('--no-expose-gc')
}`,
    { eval: true, workerData: stop },
  )
  await once(other, 'message')
  const found = Array.from({ length: 100 }, () => typeof findCollector())
  Atomics.store(stop, 0, 1)
  await once(other, 'exit')
  expect(new Set(found)).toEqual(new Set(['function']))
})
