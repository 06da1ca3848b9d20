import type { CheckpointStatistics, JobDetails } from '@flink-ts/gateways'
import type { JobStatus } from '@flink-ts/jobgraph'
import { type MetricValues, textsOf } from './task-metrics.ts'

/** Statuses that a job passes through. */
const PASSING: readonly JobStatus[] = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'RESTARTING',
  'CANCELLING',
  'FAILING',
]

/** Metrics of a job by Flink's names. */
export function jobMetrics(job: JobDetails, checkpoints: CheckpointStatistics, nowMs: number): MetricValues {
  const { totals, latest } = checkpoints
  const { completed, restored } = latest
  const since = (status: JobStatus): number =>
    job.status === status ? nowMs - (job.timestamps[status] ?? nowMs) : 0
  const values: Record<string, number | string> = {
    numRestarts: job.restarts,
    fullRestarts: job.restarts,
    uptime: since('RUNNING'),
    downtime: since('RESTARTING') + since('FAILING'),
    restartingTime: since('RESTARTING'),
    totalNumberOfCheckpoints: totals.triggered,
    numberOfCompletedCheckpoints: totals.completed,
    numberOfFailedCheckpoints: totals.failed,
    numberOfInProgressCheckpoints: totals.inProgress,
    // -1 as in Flink: there is none.
    lastCompletedCheckpointId: completed?.id ?? -1,
    lastCheckpointDuration: completed?.durationMs ?? -1,
    lastCheckpointSize: completed?.writtenBytes ?? -1,
    lastCheckpointFullSize: completed?.stateBytes ?? -1,
    lastCheckpointCompletedTimestamp:
      completed === undefined ? -1 : completed.triggeredAt + completed.durationMs,
    lastCheckpointPersistedData:
      completed?.vertices
        .flatMap(vertex => vertex.subtasks)
        .reduce((sum, subtask) => sum + subtask.persistedBytes, 0) ?? -1,
    lastCheckpointProcessedData:
      completed?.vertices
        .flatMap(vertex => vertex.subtasks)
        .reduce((sum, subtask) => sum + (subtask.processedBytes ?? 0), 0) ?? -1,
    lastCheckpointExternalPath: completed?.pointer ?? 'n/a',
    lastCheckpointRestoreTimestamp: restored?.timestamp ?? -1,
  }
  for (const status of PASSING) {
    const name = status.toLowerCase()
    values[`${name}State`] = job.status === status ? 1 : 0
    values[`${name}Time`] = since(status)
  }
  return textsOf(values)
}
