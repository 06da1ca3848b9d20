import type { JobGraph } from '@flink-ts/jobgraph'
import type { CheckpointMetadata, OperatorState } from '@flink-ts/state'
import { expect, test } from 'vitest'
import { mapSnapshot } from './snapshot-mapping.ts'

const KEYED = {
  keyGroupRange: { start: 0, end: 127 },
  offsets: [],
  location: { type: 'inline', base64: '' },
}

function state(
  operatorId: string,
  name: string,
  uid?: string,
  keyed: readonly object[] = [KEYED],
): OperatorState {
  return {
    ...{ operatorId, name, parallelism: 2, maxParallelism: 128, ...(uid !== undefined && { uid }) },
    subtasks: [{ index: 0, state: { operatorId, keyed, operator: [] } }],
  } as unknown as OperatorState
}

function operator(operatorId: string, name: string, uid?: string, maxParallelism = 128): object {
  return { parallelism: 3, maxParallelism, operators: [{ operatorId, name, uid }] }
}

const map = (vertices: readonly object[], operators: readonly OperatorState[]) =>
  mapSnapshot({ vertices } as unknown as JobGraph, { operators } as unknown as CheckpointMetadata).map(
    ({ outcome, snapshot, job, advice }) => [outcome, snapshot?.name, job?.name, advice],
  )

test('state goes by id, whatever the names; what has no state is left out', () => {
  expect(
    map(
      [operator('a', 'counts', 'c'), operator('b', 'new one')],
      [state('a', 'sums', 'c'), state('d', 'map', undefined, [])],
    ),
  ).toEqual([
    ['restored', 'sums', 'counts', ''],
    ['new', undefined, 'new one', ''],
  ])
})

test('what nobody takes is dropped, and the advice names the operator that has lost its uid', () => {
  expect(map([operator('b', 'counts')], [state('a', 'counts', 'c')])).toEqual([
    ['dropped', 'counts', undefined, "the job's 'counts' has no uid: give it .uid('c')"],
    ['new', undefined, 'counts', ''],
  ])
  expect(map([operator('b', 'counts', 'd')], [state('a', 'counts', 'c')])[0]?.[3]).toBe(
    "the job's 'counts' has uid 'd': give it .uid('c')",
  )
  expect(map([], [state('a', 'counts', 'c')])[0]?.[3]).toBe("give the operator that is to take it .uid('c')")
  expect(map([], [state('a', 'counts')])[0]?.[3]).toMatch(/^it had no uid/)
})

test('keyed state with another number of key groups is refused, other state is not', () => {
  expect(map([operator('a', 'counts', 'c', 64)], [state('a', 'counts', 'c')])).toEqual([
    ['refused', 'counts', 'counts', 'it has 128 key groups, the job 64: setMaxParallelism(128)'],
  ])
  const offsets = {
    ...state('a', 'source', 's', []),
    coordinator: { base64: '' },
  }
  expect(map([operator('a', 'source', 's', 64)], [offsets])[0]?.[0]).toBe('restored')
})
