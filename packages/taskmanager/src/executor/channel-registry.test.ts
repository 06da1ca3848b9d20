import type { AllocationId, ExecutionAttemptId } from '@flink-ts/common'
import type { TaskDeployment } from '@flink-ts/gateways'
import type { ChannelEnds } from '@flink-ts/network'
import { expect, test } from 'vitest'
import { ChannelRegistry } from './channel-registry.ts'
import { NetworkMemory } from './network-memory.ts'

function setup(limitBytes = 1_000_000) {
  const memory = new NetworkMemory({ limitBytes, channelBytes: 1024 })
  const log: string[] = []
  const bell = new SharedArrayBuffer(4)
  const bells = new Map(['one', 'two'].map(name => [name as AllocationId, new SharedArrayBuffer(4)]))
  const opened: ChannelEnds[] = []
  const registry = new ChannelRegistry(
    { resourceId: 'here' as never, slots: 2 },
    {
      memory,
      reclaimer: { released: sizeBytes => sizeBytes > 0 && log.push(`freed ${sizeBytes}`) },
      bellOf: allocationId => bells.get(allocationId),
      network: {
        bell,
        openOutbound: ends => {
          opened.push(ends)
          log.push(`out ${ends.channelId}`)
        },
        openInbound: (ends, address) => {
          opened.push(ends)
          log.push(`in ${ends.channelId} ${address}`)
        },
        release: (ids, options) =>
          log.push(`release ${ids.join()}${options?.drain === true ? ' drain' : ''}`),
      },
    },
  )
  return { registry, log, bell, bells, opened, memory }
}

type End = readonly [channelId: string, partner: string, taskManager: string, allocation: string]
const edge = (ends: readonly End[]) => ({
  edge: undefined as never,
  partnerParallelism: ends.length,
  channels: ends.map(([channelId, attemptId, taskManager, allocationId]) => ({
    channelId,
    partner: {
      subtaskIndex: 0,
      attemptId,
      taskManager,
      allocationId,
      dataAddress: `${taskManager}:1`,
    } as never,
  })),
})
const task = (
  attemptId: string,
  allocationId: string,
  inputs: readonly End[],
  outputs: readonly End[],
): TaskDeployment =>
  ({
    attemptId,
    allocationId,
    inputs: [edge(inputs)],
    outputs: [edge(outputs)],
    job: { jobId: 'job', graph: { name: 'test' } },
  }) as unknown as TaskDeployment
const attempt = (name: string) => name as ExecutionAttemptId

test('direct inside a slot, one ring between two slots whoever comes first, the network thread between processes', () => {
  const { registry, log, bell, bells, opened } = setup()
  const producer = task(
    'p',
    'one',
    [],
    [
      ['same', 'q', 'here', 'one'],
      ['next', 'c', 'here', 'two'],
      ['far', 'r', 'there', 'x'],
    ],
  )
  const consumer = task('c', 'two', [['next', 'p', 'here', 'one']], [])
  const [second] = registry.open([consumer])
  const first = registry.open([producer])
  expect(first.map(ends => ends.channelId)).toEqual(['next', 'far'])
  expect(first[0]!.ring).toBe(second!.ring)
  expect(first[0]!.producerBell).toBe(bells.get('one' as AllocationId))
  expect(first[0]!.consumerBell).toBe(bells.get('two' as AllocationId))
  expect(opened[0]!.consumerBell).toBe(bell)
  expect(registry.userOf('far')).toEqual({ attemptId: 'p', allocationId: 'one' })
  registry.close(attempt('p'), true)
  expect(registry.size).toBe(1)
  registry.close(attempt('c'), false)
  expect(registry.size).toBe(0)
  expect(log).toEqual(['out far', 'release far drain', 'freed 2304', 'freed 1280'])
})

test('a channel whose partner never came goes with the slot of the partner', () => {
  const { registry } = setup()
  registry.open([task('c', 'two', [['next', 'p', 'here', 'one']], [])])
  registry.close(attempt('c'), false)
  expect(registry.size).toBe(1)
  registry.closeAllocation('one' as AllocationId)
  expect(registry.size).toBe(0)
})

test('channels for a task that never came are given up when its slot gets the next attempt', () => {
  const { registry, memory } = setup()
  registry.open([task('c1', 'two', [['next1', 'p1', 'here', 'one']], [])])
  // p1 was refused, and the job starts again in the same slots.
  registry.close(attempt('c1'), false)
  registry.open([task('c2', 'two', [['next2', 'p2', 'here', 'one']], [])])
  registry.open([task('p2', 'one', [], [['next2', 'c2', 'here', 'two']])])
  expect(registry.size).toBe(1)
  expect(memory.usedBytes).toBe(1024)
  registry.close(attempt('p2'), true)
  registry.close(attempt('c2'), true)
  expect(memory.usedBytes).toBe(0)
})

test('a partner slot that is not here refuses the deployment and leaves nothing', () => {
  const { registry, log, memory } = setup()
  const consumer = task(
    'c',
    'two',
    [
      ['far', 'p', 'there', 'x'],
      ['near', 'q', 'here', 'gone'],
    ],
    [],
  )
  expect(() => registry.open([consumer])).toThrowError(/allocation gone/)
  expect(registry.size).toBe(0)
  expect(memory.usedBytes).toBe(0)
  expect(log).toEqual(['in far there:1', 'release far', 'freed 2304'])
})

test('a deployment beyond the network memory is refused with what it needs, and leaves nothing', () => {
  const { registry, log, memory } = setup(3 * 1024)
  registry.open([task('c', 'two', [['next', 'p', 'here', 'one']], [])])
  const ends = ['a', 'b', 'c'].map((name): End => [name, 'r', 'there', 'x'])
  const producer = task('p', 'one', [], [['next', 'c', 'here', 'two'], ...ends])
  expect(() => registry.open([producer])).toThrowError(/needs 4096 bytes .* and it has 3072/)
  expect(registry.size).toBe(1)
  expect(memory.usedBytes).toBe(1024)
  registry.close(attempt('c'), false)
  registry.closeAllocation('one' as AllocationId)
  expect(memory.usedBytes).toBe(0)
  expect(log).toEqual(['freed 1280'])
})
