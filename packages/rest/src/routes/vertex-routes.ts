import type { JobDetails, SubtaskDetails, VertexDetails } from '@flink-ts/gateways'
import { VertexNotFound } from '../errors.ts'
import { aggregated, countStates, durationOf, ioMetrics, placeOf, subtaskInfo } from './subtask-info.ts'

/** The vertex of a path. @throws rest.vertex-not-found */
export function vertexOf(job: JobDetails, vertexId: string): VertexDetails {
  const vertex = job.vertices.find(({ id }) => id === vertexId)
  if (vertex !== undefined) return vertex
  throw VertexNotFound({ jobId: job.jobId, vertexId, known: job.vertices.map(({ id }) => id) })
}

/** GET /jobs/:id/vertices/:vertexId */
export function vertexWithSubtasks(vertex: VertexDetails, nowMs: number): object {
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    now: nowMs,
    aggregated: aggregated(vertex.subtasks, nowMs),
    subtasks: vertex.subtasks.map(subtask => subtaskInfo(subtask, nowMs)),
  }
}

/** GET /jobs/:id/vertices/:vertexId/subtasktimes */
export function subtaskTimes(vertex: VertexDetails, nowMs: number): object {
  return {
    id: vertex.id,
    name: vertex.name,
    now: nowMs,
    subtasks: vertex.subtasks.map(subtask => ({
      subtask: subtask.index,
      ...placeOf(subtask),
      duration: durationOf(subtask, nowMs),
      timestamps: Object.fromEntries(
        Object.keys(countStates([])).map(state => [
          state,
          subtask.timestamps[state as keyof typeof subtask.timestamps] ?? 0,
        ]),
      ),
    })),
  }
}

/** GET /jobs/:id/vertices/:vertexId/taskmanagers */
export function vertexTaskManagers(vertex: VertexDetails, nowMs: number): object {
  const groups = Map.groupBy(vertex.subtasks, subtask => subtask.taskManagerId)
  return {
    id: vertex.id,
    name: vertex.name,
    now: nowMs,
    taskmanagers: [...groups.values()].map(subtasks => taskManagerPart(subtasks, nowMs)),
  }
}

function taskManagerPart(subtasks: readonly SubtaskDetails[], nowMs: number): object {
  const first = subtasks[0] as SubtaskDetails
  const started = subtasks.map(subtask => subtask.startTime).filter(time => time >= 0)
  const startTime = started.length === 0 ? -1 : Math.min(...started)
  const over = subtasks.every(subtask => subtask.endTime >= 0)
  const endTime = over ? Math.max(...subtasks.map(subtask => subtask.endTime)) : -1
  return {
    ...placeOf(first),
    status: statusOf(subtasks),
    'start-time': startTime,
    'end-time': endTime,
    duration: durationOf({ startTime, endTime }, nowMs),
    metrics: ioMetrics(subtasks),
    'status-counts': countStates(subtasks.map(subtask => subtask.status)),
    'taskmanager-id': first.taskManagerId ?? '(unassigned)',
    aggregated: aggregated(subtasks, nowMs),
  }
}

/** The state that says most about all of them, in this order. */
const TELLING = [
  'FAILED',
  'CANCELING',
  'CANCELED',
  'RECONCILING',
  'RUNNING',
  'INITIALIZING',
  'DEPLOYING',
  'SCHEDULED',
  'CREATED',
] as const

function statusOf(subtasks: readonly SubtaskDetails[]): string {
  return TELLING.find(state => subtasks.some(subtask => subtask.status === state)) ?? 'FINISHED'
}

/** Parts of a second that a subtask is back-pressured from which Flink speaks of low and high back pressure. */
const LOW_RATIO = 0.1
const HIGH_RATIO = 0.5
const LEVELS = ['ok', 'low', 'high'] as const

/** GET /jobs/:id/vertices/:vertexId/backpressure */
export function vertexBackPressure(vertex: VertexDetails, nowMs: number): object {
  const running = vertex.subtasks.filter(
    ({ status, metrics }) => status === 'RUNNING' && metrics.load !== undefined,
  )
  // What Flink answers while there is nothing to tell.
  if (running.length === 0) return { status: 'deprecated' }
  const subtasks = running.map(subtask => {
    const { backPressuredMs = 0, idleMs = 0, busyMs = 0 } = subtask.metrics.load?.perSecond ?? {}
    const ratio = backPressuredMs / 1000
    return { subtask, level: levelOf(ratio), ratio, idleRatio: idleMs / 1000, busyRatio: busyMs / 1000 }
  })
  return {
    status: 'ok',
    ...levelFields(Math.max(...subtasks.map(({ level }) => level))),
    'end-timestamp': nowMs,
    subtasks: subtasks.map(({ subtask, level, ...ratios }) => ({
      subtask: subtask.index,
      'attempt-number': subtask.attempt,
      ...levelFields(level),
      ...ratios,
    })),
  }
}

function levelOf(ratio: number): number {
  return ratio <= LOW_RATIO ? 0 : ratio <= HIGH_RATIO ? 1 : 2
}

/** Both spellings, as in Flink. */
function levelFields(level: number): object {
  return { 'backpressure-level': LEVELS[level], backpressureLevel: LEVELS[level] }
}
