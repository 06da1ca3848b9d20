import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SplitAssignments } from './split-assignments.ts'

test('what was assigned after a checkpoint comes back, in order, and once', () => {
  const assignments = new SplitAssignments<string>(undefined)
  assignments.assigned(0, ['a'])
  assignments.snapshotTaken(1)
  assignments.assigned(0, ['b', 'c'])
  assignments.assigned(1, ['d'])
  assignments.snapshotTaken(2)
  assignments.assigned(0, ['e'])
  expect(assignments.takeBack(0, 1)).toEqual(['b', 'c', 'e'])
  expect(assignments.takeBack(0, 1)).toEqual([])
  expect(assignments.takeBack(1, undefined)).toEqual(['d'])
})

test('a completed checkpoint lets go of what it has, an aborted one does not', () => {
  const assignments = new SplitAssignments<string>(7)
  assignments.assigned(0, ['a'])
  assignments.snapshotTaken(8)
  assignments.assigned(0, ['b'])
  assignments.snapshotTaken(9)
  assignments.completed(9)
  expect(assignments.size).toBe(0)
  assignments.assigned(0, ['c'])
  assignments.snapshotTaken(10)
  // 10 was aborted: the reader starts from 9.
  expect(assignments.takeBack(0, 9)).toEqual(['c'])
})

test('under any course, a split is either covered by the checkpoint or comes back', () => {
  const step = fc.oneof(
    fc.record({ type: fc.constant('assign' as const), subtask: fc.integer({ min: 0, max: 2 }) }),
    fc.record({ type: fc.constant('snapshot' as const), completes: fc.boolean() }),
    fc.record({ type: fc.constant('reset' as const), subtask: fc.integer({ min: 0, max: 2 }) }),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), steps => {
      const assignments = new SplitAssignments<number>(undefined)
      /** By subtask: splits since ever, and how many of them the latest completed checkpoint has. */
      const held: number[][] = [[], [], []]
      let covered = [0, 0, 0]
      let completed: number | undefined
      let checkpointId = 0
      let split = 0
      for (const next of steps) {
        if (next.type === 'assign') {
          assignments.assigned(next.subtask, [split])
          held[next.subtask]?.push(split++)
        } else if (next.type === 'snapshot') {
          assignments.snapshotTaken(++checkpointId)
          if (!next.completes) continue
          completed = checkpointId
          covered = held.map(splits => splits.length)
          assignments.completed(checkpointId)
        } else {
          const own = held[next.subtask] ?? []
          const back = assignments.takeBack(next.subtask, completed)
          expect(back).toEqual(own.splice(covered[next.subtask] ?? 0))
        }
      }
    }),
  )
})
