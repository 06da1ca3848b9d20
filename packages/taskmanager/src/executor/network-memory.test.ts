import type { JobId } from '@flink-ts/common'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { NetworkMemory } from './network-memory.ts'

const KB = 1024
const job = (name: string): JobId => name as JobId

test('channels get their full size while there is plenty, and less where there are many', () => {
  const memory = new NetworkMemory({ limitBytes: 1024 * KB, channelBytes: 200_000 })
  const demand = { jobId: job('a'), jobName: 'a', remote: 0, otherSlots: 0 }
  const both = (sizeBytes: number) => expect.objectContaining({ local: sizeBytes })
  expect(memory.reserve({ ...demand, channels: 2 })).toEqual(both(256 * KB))
  expect(memory.reserve({ ...demand, channels: 3 })).toEqual(both(128 * KB))
  expect(memory.reserve({ ...demand, channels: 8 })).toEqual(both(16 * KB))
  expect(memory.usedBytes).toBe(1024 * KB)
  memory.release(job('a'), 1024 * KB)
  expect(memory.usedBytes).toBe(0)
})

test('channels between TaskManagers get twice the size where all can have it, and the same otherwise', () => {
  const memory = new NetworkMemory({ limitBytes: 1280 * KB, channelBytes: 256 * KB })
  const demand = { jobId: job('a'), jobName: 'a', otherSlots: 0 }
  expect(memory.reserve({ ...demand, channels: 3, remote: 2 })).toEqual({ local: 256 * KB, remote: 512 * KB })
  expect(memory.usedBytes).toBe(1280 * KB)
  memory.release(job('a'), 1280 * KB)
  expect(memory.reserve({ ...demand, channels: 4, remote: 2 })).toEqual({ local: 256 * KB, remote: 256 * KB })
  expect(memory.usedBytes).toBe(1024 * KB)
})

test('whether another job has the memory decides whether waiting helps', () => {
  const memory = new NetworkMemory({ limitBytes: 100 * KB, channelBytes: 16 * KB })
  memory.reserve({ jobId: job('a'), jobName: 'a', channels: 4, remote: 0, otherSlots: 0 })
  expect(() =>
    memory.reserve({ jobId: job('b'), jobName: 'b', channels: 4, remote: 0, otherSlots: 0 }),
  ).toThrow(expect.objectContaining({ code: 'taskmanager.network-memory-taken', retry: 'backoff' }))
  expect(() =>
    memory.reserve({ jobId: job('a'), jobName: 'a', channels: 4, remote: 0, otherSlots: 0 }),
  ).toThrow(
    expect.objectContaining({
      code: 'taskmanager.network-memory-too-small',
      retry: 'no',
      message: expect.stringContaining(`taskmanager.memory.network.min to ${8 * 16 * KB} or more`),
    }),
  )
  expect(memory.usedBytes).toBe(4 * 16 * KB)
})

test('slots with equal demands all fit or are refused for want of the least sizes, in any order', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 16 }),
      fc.integer({ min: 1, max: 200 }),
      fc.nat(200),
      fc.integer({ min: 1, max: 20_000 }),
      (slots, channels, most, limitKb) => {
        const remote = Math.min(most, channels)
        const memory = new NetworkMemory({ limitBytes: limitKb * KB, channelBytes: 256 * KB })
        const fits = slots * channels * 16 <= limitKb
        let refused = false
        for (let slot = 0; slot < slots && !refused; slot++) {
          try {
            memory.reserve({ jobId: job('a'), jobName: 'a', channels, remote, otherSlots: slots - 1 - slot })
          } catch {
            refused = true
          }
          expect(memory.usedBytes).toBeLessThanOrEqual(limitKb * KB)
        }
        expect(refused).toBe(!fits)
      },
    ),
  )
})
