import type {
  CheckpointRecord,
  CheckpointStatistics,
  JobDetails,
  RestoredRecord,
  SubtaskCheckpoint,
  Summary,
  VertexCheckpoint,
} from '@flink-ts/gateways'

/** GET /jobs/:id/checkpoints. Its names are those of Flink: snake_case. */
export function jobCheckpoints({ totals, history, latest, summary }: CheckpointStatistics): object {
  const { completed, savepoint, failed, restored } = latest
  return {
    counts: {
      restored: totals.restored,
      total: totals.triggered,
      in_progress: totals.inProgress,
      completed: totals.completed,
      failed: totals.failed,
    },
    summary: {
      checkpointed_size: summary.writtenBytes,
      state_size: summary.stateBytes,
      end_to_end_duration: whole(summary.durationMs),
      alignment_buffered: summary.bufferedBytes ?? NOTHING,
      processed_data: summary.processedBytes ?? NOTHING,
      persisted_data: summary.persistedBytes,
    },
    latest: {
      completed: completed === undefined ? null : checkpointInfo(completed),
      savepoint: savepoint === undefined ? null : checkpointInfo(savepoint),
      failed: failed === undefined ? null : checkpointInfo(failed),
      restored: restored === undefined ? null : restoredInfo(restored),
    },
    history: history.map(checkpointInfo),
  }
}

/** GET /jobs/:id/checkpoints/config */
export function checkpointConfig({ graph }: JobDetails): object {
  const { checkpointing } = graph
  const { externalizedRetention: retention } = checkpointing
  return {
    mode: checkpointing.mode.replaceAll('-', '_'),
    interval: checkpointing.intervalMs ?? Number.MAX_SAFE_INTEGER,
    timeout: checkpointing.timeoutMs,
    min_pause: checkpointing.minPauseMs,
    max_concurrent: checkpointing.maxConcurrent,
    externalization: {
      enabled: retention !== 'no-externalized-checkpoints',
      delete_on_cancellation: retention !== 'retain-on-cancellation',
    },
    state_backend: graph.state?.backend ?? 'hashmap',
    checkpoint_storage: checkpointing.directory ?? '',
    unaligned_checkpoints: checkpointing.unaligned !== undefined,
    tolerable_failed_checkpoints: checkpointing.tolerableFailures,
    aligned_checkpoint_timeout: checkpointing.unaligned?.alignedTimeoutMs ?? 0,
    checkpoints_after_tasks_finish: true,
    state_changelog_enabled: false,
  }
}

/** One item of the history, and GET /jobs/:id/checkpoints/details/:checkpointId. */
export function checkpointInfo(record: CheckpointRecord): object {
  const { vertices, failure } = record
  return {
    className: record.status.toLowerCase(),
    id: record.id,
    status: record.status,
    is_savepoint: record.kind !== 'checkpoint',
    ...(record.kind !== 'checkpoint' && { savepointFormat: 'CANONICAL' }),
    trigger_timestamp: record.triggeredAt,
    latest_ack_timestamp: record.latestAckAt,
    ...sizes(record, record.durationMs, vertices.flatMap(subtasksOf)),
    num_subtasks: sum(vertices, vertex => vertex.parallelism),
    num_acknowledged_subtasks: sum(vertices, vertex => vertex.subtasks.length),
    checkpoint_type: typeOf(record),
    tasks: Object.fromEntries(vertices.map(vertex => [vertex.vertexId, vertexInfo(record, vertex)])),
    ...(record.pointer !== undefined && {
      external_path: record.pointer,
      discarded: record.discarded === true,
    }),
    ...(failure !== undefined && { failure_timestamp: failure.timestamp, failure_message: failure.message }),
  }
}

/** GET /jobs/:id/checkpoints/details/:checkpointId/subtasks/:vertexId; undefined: no such vertex. */
export function checkpointSubtasks(record: CheckpointRecord, vertexId: string): object | undefined {
  const vertex = record.vertices.find(candidate => candidate.vertexId === vertexId)
  if (vertex === undefined) return undefined
  const { subtasks, parallelism } = vertex
  const of = (read: (subtask: SubtaskCheckpoint) => number): Summary => whole(summaryOf(subtasks.map(read)))
  const byIndex = new Map(subtasks.map(subtask => [subtask.index, subtask]))
  return {
    ...vertexInfo(record, vertex),
    summary: {
      checkpointed_size: of(s => s.writtenBytes),
      state_size: of(s => s.stateBytes),
      end_to_end_duration: of(s => s.acknowledgedAt - record.triggeredAt),
      checkpoint_duration: { sync: of(s => s.syncMs), async: of(s => s.asyncMs) },
      alignment: {
        buffered: of(s => s.bufferedBytes ?? 0),
        processed: of(s => s.processedBytes ?? 0),
        persisted: of(s => s.persistedBytes),
        duration: of(s => s.alignmentMs),
      },
      start_delay: of(s => s.startDelayMs),
    },
    subtasks: Array.from({ length: parallelism }, (_, index) => {
      const subtask = byIndex.get(index)
      return subtask === undefined
        ? { className: 'pending', index, status: 'pending_or_failed' }
        : subtaskInfo(subtask, record.triggeredAt)
    }),
  }
}

const NOTHING: Summary = { min: 0, max: 0, avg: 0, p50: 0, p90: 0, p95: 0, p99: 0, p999: 0 }

function typeOf({ kind, vertices }: CheckpointRecord): string {
  if (kind === 'savepoint') return 'SAVEPOINT'
  if (kind === 'stop') return 'SYNC_SAVEPOINT'
  const unaligned = vertices.some(vertex => vertex.subtasks.some(subtask => subtask.unaligned))
  return unaligned ? 'UNALIGNED_CHECKPOINT' : 'CHECKPOINT'
}

function vertexInfo(record: CheckpointRecord, vertex: VertexCheckpoint): object {
  const { parallelism, subtasks } = vertex
  const latest = subtasks.reduce((most, subtask) => Math.max(most, subtask.acknowledgedAt), -1)
  const durationMs = latest < 0 ? -1 : latest - record.triggeredAt
  return {
    // Of the checkpoint, as in Flink.
    id: record.id,
    status: record.status,
    latest_ack_timestamp: latest,
    ...sizes(
      { stateBytes: sum(subtasks, s => s.stateBytes), writtenBytes: sum(subtasks, s => s.writtenBytes) },
      durationMs,
      subtasks,
    ),
    num_subtasks: parallelism,
    num_acknowledged_subtasks: subtasks.length,
  }
}

function subtaskInfo(subtask: SubtaskCheckpoint, triggeredAt: number): object {
  return {
    className: 'completed',
    index: subtask.index,
    status: 'completed',
    ack_timestamp: subtask.acknowledgedAt,
    end_to_end_duration: subtask.acknowledgedAt - triggeredAt,
    checkpointed_size: subtask.writtenBytes,
    state_size: subtask.stateBytes,
    checkpoint: { sync: Math.round(subtask.syncMs), async: Math.round(subtask.asyncMs) },
    alignment: {
      buffered: subtask.bufferedBytes ?? 0,
      processed: subtask.processedBytes ?? 0,
      persisted: subtask.persistedBytes,
      duration: Math.round(subtask.alignmentMs),
    },
    start_delay: Math.round(subtask.startDelayMs),
    unaligned_checkpoint: subtask.unaligned,
    aborted: false,
  }
}

function restoredInfo({ id, timestamp, savepoint, pointer }: RestoredRecord): object {
  return { id, restore_timestamp: timestamp, is_savepoint: savepoint, external_path: pointer }
}

function sizes(
  { stateBytes, writtenBytes }: { readonly stateBytes: number; readonly writtenBytes: number },
  durationMs: number,
  subtasks: readonly SubtaskCheckpoint[],
): object {
  return {
    checkpointed_size: writtenBytes,
    state_size: stateBytes,
    end_to_end_duration: Math.round(durationMs),
    alignment_buffered: sum(subtasks, subtask => subtask.bufferedBytes ?? 0),
    processed_data: sum(subtasks, subtask => subtask.processedBytes ?? 0),
    persisted_data: sum(subtasks, subtask => subtask.persistedBytes),
  }
}

function subtasksOf(vertex: VertexCheckpoint): readonly SubtaskCheckpoint[] {
  return vertex.subtasks
}

function sum<T>(items: readonly T[], read: (item: T) => number): number {
  return items.reduce((all, item) => all + read(item), 0)
}

/** What Flink has as whole numbers. */
function whole(summary: Summary): Summary {
  const { min, max, avg } = summary
  return { ...summary, min: Math.round(min), max: Math.round(max), avg: Math.round(avg) }
}

function summaryOf(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b)
  const at = (part: number): number => sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)] ?? 0
  const avg = sorted.length === 0 ? 0 : Math.round(sum(sorted, value => value) / sorted.length)
  return {
    ...{ min: at(0), max: at(1), avg },
    ...{ p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), p999: at(0.999) },
  }
}
