import type { OperatorId } from '@flink-ts/common'
import type { KeyedStateHandle } from '@flink-ts/state'
import { expect, test } from 'vitest'
import type { DiscardAction, RetireAction } from './aborted-folders.ts'
import { type CompletedCheckpoint, CompletedStore } from './completed-store.ts'

/** A checkpoint whose keyed state is in the folders of these. */
function checkpoint(id: number, folders: readonly number[], external = false): CompletedCheckpoint {
  const operatorId = '0'.repeat(32) as OperatorId
  const keyed = folders.map(
    (origin): KeyedStateHandle => ({
      keyGroupRange: { start: 0, end: 0 },
      offsets: [0],
      origin,
      location: { type: 'file', path: `file:///chk-${origin}/f`, sizeBytes: 1 },
    }),
  )
  const state = { operatorId, keyed, operator: [] }
  const operators = [{ operatorId, parallelism: 1, maxParallelism: 1, subtasks: [{ index: 0, state }] }]
  return {
    ...{ id, pointer: `file:///chk-${id}`, origins: new Map(), stateBytes: 0, durationMs: 0, external },
    metadata: { version: 3, checkpointId: id, jobId: 'job', timestamp: 0, operators },
  }
}

test('a folder stays as long as a retained checkpoint refers to files in it', () => {
  const store = new CompletedStore(1)
  expect(ids(store.add(checkpoint(1, [1])))).toEqual([])
  expect(ids(store.add(checkpoint(2, [1, 2])))).toEqual([])
  expect(ids(store.add(checkpoint(3, [1, 2, 3])))).toEqual([])
  expect([...ids(store.discardAll())].sort()).toEqual([1, 2, 3])
  // One that was built upon 2, because 3 was not known to be complete.
  expect(ids(store.add(checkpoint(4, [1, 2, 4])))).toEqual([3])
  expect(ids(store.add(checkpoint(5, [5])))).toEqual([1, 2, 4])
  expect(ids(store.discardAll())).toEqual([5])
})

test('a folder stays as long as a checkpoint under way may build upon it', () => {
  const store = new CompletedStore(1)
  store.add(checkpoint(1, [1]))
  // 3 began when 1 was the latest; 2 is complete and does not need it.
  expect(ids(store.add(checkpoint(2, [2]), [3]))).toEqual([])
  expect(store.holds(1)).toBe(true)
  // It did build upon 1; 4 began when 2 was the latest.
  expect(ids(store.add(checkpoint(3, [1, 3]), [4]))).toEqual([])
  expect(ids(store.add(checkpoint(4, [2, 4])))).toEqual([1, 3])
  expect([1, 2, 3, 4].filter(id => store.holds(id))).toEqual([2, 4])
  // Nobody that began then is left.
  store.add(checkpoint(5, [5]), [6])
  expect(ids(store.add(checkpoint(7, [7]), [8]))).toEqual([2, 4])
})

test('a savepoint has its own files: it keeps no folder of others', () => {
  const store = new CompletedStore(1)
  store.add(checkpoint(1, [1]))
  expect(ids(store.add(checkpoint(2, [1], true)))).toEqual([1])
  expect(ids(store.discardAll())).toEqual([])
})

test('what is kept for its files only is retired, once', () => {
  const store = new CompletedStore(1)
  store.add(checkpoint(1, [1]))
  const retired = [
    store.add(checkpoint(2, [1, 2])),
    store.add(checkpoint(3, [1, 2, 3])),
    store.add(checkpoint(4, [1, 4])),
  ].map(actions => actions.filter(({ type }) => type === 'retire').map(({ checkpointId }) => checkpointId))
  expect(retired).toEqual([[1], [2], []])
  expect(store.content().discarded).toEqual([])
})

function ids(actions: readonly (DiscardAction | RetireAction)[]): readonly number[] {
  return actions.filter(({ type }) => type === 'discard').map(({ checkpointId }) => checkpointId)
}
