import type { ExecutionAttemptId, OperatorId } from '@flink-ts/common'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import { CheckpointCoordinator } from './checkpoint-coordinator.ts'
import { summaryOf } from './checkpoint-history.ts'
import type { CoordinatorEvent } from './coordinator-protocol.ts'

const KEYS: readonly SubtaskKey[] = ['source/0', 'sink/0', 'sink/1']

function start(maxHistory: number) {
  const graph = sampleGraph('source*1 sink*2', 'source>sink', { checkpointing: { tolerableFailures: 100 } })
  const coordinator = new CheckpointCoordinator({ graph, restored: undefined, maxHistory })
  let nowMs = 0
  const handle = (event: CoordinatorEvent): void => {
    coordinator.handle({ epochMs: 1_000_000 + nowMs, monotonicMs: nowMs }, event)
  }
  const tasks = KEYS.map(key => ({ key, attemptId: `${key}#0` as ExecutionAttemptId }))
  handle({ type: 'tasks-deployed', tasks })
  for (const { attemptId } of tasks) handle({ type: 'task-running', attemptId })
  return {
    statistics: () => coordinator.statistics(1_000_000 + nowMs),
    handle,
    advance(ms: number) {
      nowMs += ms
      handle({ type: 'timer', timer: 'trigger' })
    },
    acknowledge(checkpointId: number, key: SubtaskKey, stateBytes: number) {
      nowMs += 10
      const operatorId = `op-${key.split('/')[0]}` as OperatorId
      const location = { type: 'file' as const, path: 'f', sizeBytes: stateBytes }
      const state = { operators: [{ operatorId, keyed: [], operator: [{ states: [], location }] }] }
      const metrics = { alignmentMs: 1, syncMs: 2, asyncMs: 3, startDelayMs: 4, stateBytes }
      const attemptId = `${key}#0` as ExecutionAttemptId
      handle({ type: 'acknowledged', acknowledgement: { attemptId, checkpointId, state, metrics } })
    },
  }
}

test('tells of a checkpoint while it goes on, when it is complete, and when it is gone', () => {
  const job = start(10)
  job.advance(1000)
  job.acknowledge(1, 'sink/1', 30)
  const [going] = job.statistics().history
  expect(going).toMatchObject({ id: 1, status: 'IN_PROGRESS', durationMs: 10, latestAckAt: 1_001_010 })
  expect(going?.vertices).toMatchObject([
    { vertexId: 'source', parallelism: 1, subtasks: [] },
    {
      vertexId: 'sink',
      parallelism: 2,
      subtasks: [{ index: 1, stateBytes: 30, syncMs: 2, startDelayMs: 4 }],
    },
  ])
  job.acknowledge(1, 'source/0', 10)
  job.acknowledge(1, 'sink/0', 20)
  job.handle({ type: 'stored', checkpointId: 1, pointer: 'file:///chk-1' })
  expect(job.statistics()).toMatchObject({
    totals: { triggered: 1, completed: 1, failed: 0, inProgress: 0 },
    latest: {
      completed: { id: 1, status: 'COMPLETED', stateBytes: 60, durationMs: 30, pointer: 'file:///chk-1' },
    },
    summary: { stateBytes: { min: 60, max: 60 }, durationMs: { p99: 30 } },
  })
  job.advance(1000)
  for (const key of KEYS) job.acknowledge(2, key, 1)
  job.handle({ type: 'stored', checkpointId: 2, pointer: 'file:///chk-2' })
  expect(job.statistics().history.map(record => [record.id, record.discarded])).toEqual([
    [2, undefined],
    [1, true],
  ])
})

test('tells failures with their reason, and savepoints apart; remembers so many', () => {
  const job = start(2)
  job.advance(1000)
  const reason = { name: 'Error', message: 'disk full' }
  job.handle({
    type: 'declined',
    decline: { attemptId: 'source/0#0' as ExecutionAttemptId, checkpointId: 1, reason },
  })
  expect(job.statistics().latest.failed).toMatchObject({
    id: 1,
    failure: { timestamp: 1_001_000, message: 'disk full' },
  })
  job.handle({ type: 'savepoint-requested', requestId: 'r', folder: 'sp', stop: 'no' })
  for (const key of KEYS) job.acknowledge(2, key, 1)
  job.handle({ type: 'stored', checkpointId: 2, pointer: 'sp' })
  job.advance(5000)
  const { history, latest, totals } = job.statistics()
  expect(history.map(({ id, kind }) => [id, kind])).toEqual([
    [3, 'checkpoint'],
    [2, 'savepoint'],
  ])
  expect(totals).toMatchObject({ triggered: 3, completed: 1, failed: 1, inProgress: 1 })
  expect(latest).toMatchObject({ savepoint: { id: 2 }, failed: { id: 1 }, completed: undefined })
})

test('a summary lies between the least and the most, its parts in order', () => {
  expect(summaryOf([])).toEqual({ min: 0, max: 0, avg: 0, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0 })
  fc.assert(
    fc.property(fc.array(fc.nat(), { minLength: 1 }), values => {
      const { min, max, avg, p50, p90, p95, p99, p999 } = summaryOf(values)
      expect([min, max]).toEqual([Math.min(...values), Math.max(...values)])
      expect([min, p50, p90, p95, p99, p999, max].toSorted((a, b) => a - b)).toEqual([
        min,
        p50,
        p90,
        p95,
        p99,
        p999,
        max,
      ])
      expect(avg).toBeGreaterThanOrEqual(min)
      expect(avg).toBeLessThanOrEqual(max)
      expect(values.filter(value => value <= p50).length).toBeGreaterThanOrEqual(values.length / 2)
    }),
  )
})
