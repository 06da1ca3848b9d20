import type { AllocationId, ResourceId, SlotId } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { SlotPool } from './slot-pool.ts'

const demands = [0, 1, 2].map(index => ({ group: 'default', index }))
const taskManager = (name: string) => name as ResourceId
const offer = (slot: string, allocation: string) => ({
  slotId: slot as SlotId,
  allocationId: allocation as AllocationId,
})
const places = (pool: SlotPool) => demands.map(({ group, index }) => pool.slotOf(group, index)?.slotId)

test('slots are given in order', () => {
  const pool = new SlotPool(demands)
  pool.offer(taskManager('b'), [offer('b_10', '1'), offer('b_9', '2')])
  pool.offer(taskManager('a'), [offer('a_0', '3')])
  pool.assign()
  expect(places(pool)).toEqual(['a_0', 'b_9', 'b_10'])
})

test('who has lost its slot goes back to the same one, else to the same TaskManager', () => {
  const pool = new SlotPool(demands)
  pool.offer(taskManager('a'), [offer('a_0', '1'), offer('a_1', '2')])
  pool.offer(taskManager('b'), [offer('b_0', '3')])
  pool.assign()
  expect(places(pool)).toEqual(['a_0', 'a_1', 'b_0'])

  for (const id of ['1', '2', '3']) pool.remove(id as AllocationId)
  pool.offer(taskManager('b'), [offer('b_0', '4')])
  pool.offer(taskManager('a'), [offer('a_2', '5'), offer('a_1', '6')])
  pool.assign()
  expect(places(pool)).toEqual(['a_2', 'a_1', 'b_0'])
})

test('a slot that nobody had before is not left to those who come from elsewhere', () => {
  const pool = new SlotPool(demands)
  pool.offer(taskManager('a'), [offer('a_0', '1')])
  pool.offer(taskManager('b'), [offer('b_0', '2'), offer('b_1', '3')])
  pool.assign()
  pool.removeTaskManager(taskManager('b'))
  pool.offer(taskManager('c'), [offer('c_0', '4')])
  pool.assign()
  // The demand in a_0 keeps it.
  expect(places(pool)).toEqual(['a_0', 'c_0', undefined])
})
