import { Configuration, type JobId, ManualClock, nullLogger, SeededRandom } from '@flink-ts/common'
import type { CheckpointRecord, CheckpointStatistics, DispatcherGateway, Summary } from '@flink-ts/gateways'
import { afterEach, expect, it } from 'vitest'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { createRestServer, type RestServer } from './rest-server.ts'

const JOB = 'a'.repeat(32) as JobId
const open: RestServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

const NONE: Summary = { min: 0, max: 0, avg: 0, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0 }
const subtask = (index: number, acknowledgedAt: number) => ({
  ...{
    index,
    acknowledgedAt,
    stateBytes: 10 * (index + 1),
    writtenBytes: 5,
    persistedBytes: 1,
    processedBytes: 70 + index,
    bufferedBytes: 7,
    syncMs: 2,
    asyncMs: 3,
  },
  ...{ alignmentMs: 4, startDelayMs: 5, unaligned: index === 1 },
})
const completed: CheckpointRecord = {
  ...{ id: 4, status: 'COMPLETED', kind: 'checkpoint', triggeredAt: 100, latestAckAt: 130, durationMs: 40 },
  ...{ stateBytes: 30, writtenBytes: 10, pointer: 'file:///c/chk-4' },
  vertices: [{ vertexId: 'v1', parallelism: 2, subtasks: [subtask(0, 120), subtask(1, 130)] }],
}
const failed: CheckpointRecord = {
  ...{ id: 5, status: 'FAILED', kind: 'savepoint', triggeredAt: 150, latestAckAt: -1, durationMs: 10 },
  ...{ stateBytes: 0, writtenBytes: 0, failure: { timestamp: 160, message: 'disk full' } },
  vertices: [{ vertexId: 'v1', parallelism: 2, subtasks: [] }],
}
const statistics: CheckpointStatistics = {
  totals: { triggered: 2, completed: 1, failed: 1, inProgress: 0, restored: 1 },
  history: [failed, completed],
  latest: {
    ...{ completed, savepoint: undefined, failed },
    restored: { id: 3, timestamp: 90, savepoint: true, pointer: 'file:///sp', jobId: 'b2', takenAt: 80 },
  },
  summary: {
    stateBytes: { ...NONE, max: 30 },
    writtenBytes: { ...NONE, max: 10 },
    durationMs: { ...NONE, max: 40 },
    persistedBytes: NONE,
    processedBytes: { ...NONE, max: 141 },
    bufferedBytes: { ...NONE, max: 14 },
  },
}

it("shows checkpoints in Flink's shapes", async () => {
  const checkpointing = {
    ...{ mode: 'exactly-once', intervalMs: 1000, timeoutMs: 600_000, minPauseMs: 0, maxConcurrent: 1 },
    ...{ externalizedRetention: 'retain-on-cancellation', tolerableFailures: 2, directory: 'file:///c' },
    unaligned: { alignedTimeoutMs: 30 },
  }
  const dispatcher = {
    requestJobDetails: async () => ({ graph: { checkpointing } }),
    requestCheckpoints: async () => statistics,
  } as unknown as DispatcherGateway
  const server = createRestServer(
    { bindAddress: '127.0.0.1', port: 0, allowUnauthenticated: false },
    {
      dispatcher,
      clock: new ManualClock(0),
      random: new SeededRandom(1),
      configuration: Configuration.EMPTY,
      monitor: fakeMonitor(),
      logger: nullLogger,
      version: '0.1.0',
    },
  )
  open.push(server)
  const port = await server.start()
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${port}/jobs/${JOB}/checkpoints${path}`)
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  const one = {
    ...{ id: 4, status: 'COMPLETED', is_savepoint: false, trigger_timestamp: 100, latest_ack_timestamp: 130 },
    ...{ checkpointed_size: 10, state_size: 30, end_to_end_duration: 40, persisted_data: 2, num_subtasks: 2 },
    ...{ num_acknowledged_subtasks: 2, checkpoint_type: 'UNALIGNED_CHECKPOINT', discarded: false },
    external_path: 'file:///c/chk-4',
    ...{ alignment_buffered: 14, processed_data: 141, persisted_data: 2 },
    tasks: { v1: { id: 4, status: 'COMPLETED', latest_ack_timestamp: 130, end_to_end_duration: 30 } },
  }
  expect((await get('')).body).toMatchObject({
    counts: { restored: 1, total: 2, in_progress: 0, completed: 1, failed: 1 },
    summary: {
      checkpointed_size: { max: 10 },
      state_size: { max: 30 },
      end_to_end_duration: { max: 40 },
      alignment_buffered: { max: 14 },
      processed_data: { max: 141 },
    },
    latest: {
      completed: one,
      savepoint: null,
      failed: { id: 5, is_savepoint: true, failure_timestamp: 160, failure_message: 'disk full' },
      restored: { id: 3, restore_timestamp: 90, is_savepoint: true, external_path: 'file:///sp' },
    },
    history: [{ id: 5, checkpoint_type: 'SAVEPOINT', latest_ack_timestamp: -1 }, one],
  })
  expect((await get('/config')).body).toMatchObject({
    ...{ mode: 'exactly_once', interval: 1000, timeout: 600_000, min_pause: 0, max_concurrent: 1 },
    externalization: { enabled: true, delete_on_cancellation: false },
    ...{ unaligned_checkpoints: true, aligned_checkpoint_timeout: 30, tolerable_failed_checkpoints: 2 },
  })
  expect((await get('/details/4')).body).toMatchObject(one)
  expect((await get('/details/4/subtasks/v1')).body).toMatchObject({
    ...{ id: 4, num_acknowledged_subtasks: 2 },
    summary: {
      checkpointed_size: { max: 5 },
      state_size: { min: 10, max: 20, avg: 15 },
      start_delay: { p99: 5 },
    },
    subtasks: [
      { index: 0, status: 'completed', checkpoint: { sync: 2, async: 3 }, alignment: { duration: 4 } },
      { index: 1, end_to_end_duration: 30, unaligned_checkpoint: true },
    ],
  })
  expect((await get('/details/5/subtasks/v1')).body).toMatchObject({
    subtasks: [{ index: 0, status: 'pending_or_failed' }, { index: 1 }],
  })
  expect((await get('/details/99')).status).toBe(404)
  expect((await get('/details/4/subtasks/v9')).status).toBe(404)
})
