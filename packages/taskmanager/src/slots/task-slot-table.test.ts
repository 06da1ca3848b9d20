import type { AllocationId, JobId, ResourceId, SlotId } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { TaskSlotTable } from './task-slot-table.ts'

const JOB = 'j' as JobId
const [A, B] = ['a', 'b'] as unknown as [AllocationId, AllocationId]
const SLOT = 'tm_0' as SlotId

test('a slot is free, allocated, being released, and free again', () => {
  const table = new TaskSlotTable({ resourceId: 'tm' as ResourceId, slots: 2 })
  expect(table.allocate(SLOT, A, JOB)).toBe(true)
  expect(table.allocate(SLOT, A, JOB)).toBe(false)
  expect(() => table.allocate(SLOT, B, JOB)).toThrowError(/allocation a has it/)
  expect(() => table.allocate('tm_2' as SlotId, B, JOB)).toThrowError(/has 2 slots/)
  expect(table.slotOf(A)).toBe(SLOT)
  expect(table.release(A)).toBe(SLOT)
  expect(table.release(A)).toBeUndefined()
  expect(table.slotOf(A)).toBeUndefined()
  // The thread has not ended: nobody else gets it, not even the same allocation again.
  expect(() => table.allocate(SLOT, A, JOB)).toThrowError(/cannot be given/)
  expect(table.report()[0]).toEqual({ slotId: SLOT, allocation: { allocationId: A, jobId: JOB } })
  table.free(A)
  table.free(A)
  expect(table.report()).toEqual([
    { slotId: SLOT, allocation: undefined },
    { slotId: 'tm_1', allocation: undefined },
  ])
  expect(table.allocate(SLOT, B, JOB)).toBe(true)
})
