import type { OperatorId } from '@flink-ts/common'
import type { CheckpointMetadata, OperatorState, OperatorSubtaskState } from '@flink-ts/state'
import { expect, it } from 'vitest'
import { sampleGraph } from '../testing/sample-graph.ts'
import { checkRestorable } from './state-assignment.ts'

const graph = sampleGraph('source*1 sink*1', 'source>sink')

function snapshotWith(
  change: Partial<OperatorState>,
  state: Partial<OperatorSubtaskState>,
): CheckpointMetadata {
  const operatorId = 'gone' as OperatorId
  const subtasks = [{ index: 0, state: { operatorId, keyed: [], operator: [], ...state } }]
  const operator = { operatorId, name: 'Map', parallelism: 1, maxParallelism: 128, subtasks, ...change }
  return { version: 1, checkpointId: 1, jobId: 'a'.repeat(32), timestamp: 0, operators: [operator] }
}

const restore = { path: 'chk-1', allowNonRestoredState: false }

it('drops nothing in silence: neither records on their way to an operator that is gone, nor what its coordinator knew', () => {
  const location = { type: 'inline' as const, base64: '' }
  const inputs = [{ subtask: 0, parallelism: 1, channels: [], location }]
  const cases: [CheckpointMetadata, string][] = [
    [snapshotWith({}, { inputs }), "'Map' (id gone) with records on their way to it at parallelism 1"],
    [
      snapshotWith({ coordinator: { base64: '' } }, {}),
      "'Map' (id gone) with state of its coordinator at parallelism 1",
    ],
  ]
  for (const [metadata, described] of cases) {
    expect(() => checkRestorable(graph, metadata, restore)).toThrow(described)
    expect(checkRestorable(graph, metadata, { ...restore, allowNonRestoredState: true })).toEqual([described])
  }
})

it('lets operators go that had nothing', () => {
  expect(checkRestorable(graph, snapshotWith({}, {}), restore)).toEqual([])
  expect(checkRestorable(graph, snapshotWith({}, { inputs: [] }), restore)).toEqual([])
})
