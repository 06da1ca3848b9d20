import { EXECUTION_STATES, type JobDetails, type JobOverview, type VertexDetails } from '@flink-ts/gateways'
import { fields, listOf, number, oneOf, orNull, type Schema, text, time, whole } from './v2-route.ts'

const STATUSES = [
  ...['INITIALIZING', 'CREATED', 'RUNNING', 'FAILING', 'FAILED', 'CANCELLING', 'CANCELED', 'FINISHED'],
  ...['RESTARTING', 'SUSPENDED', 'RECONCILING'],
]

const JOB_FIELDS: Readonly<Record<string, Schema>> = {
  id: text,
  name: text,
  status: oneOf(...STATUSES),
  startTime: time,
  endTime: orNull(time),
  durationMs: whole,
  lastModification: time,
  tasks: fields(Object.fromEntries(EXECUTION_STATES.map(state => [state, whole]))),
}

export const JOB: Schema = fields(JOB_FIELDS)

export const STATUS_QUERY: Schema = { ...oneOf(...STATUSES), description: 'Only jobs of this status.' }

interface JobView {
  readonly id: string
  readonly name: string
  readonly status: string
  readonly startTime: number
  readonly endTime: number | null
  readonly durationMs: number
  readonly lastModification: number
  readonly tasks: JobOverview['tasks']
}

/** A line of the list of jobs. */
export function jobOf(job: JobOverview, nowMs: number): JobView {
  const { jobId, name, status, startTime, endTime, lastModification, tasks } = job
  return {
    ...{ id: jobId, name, status, startTime, lastModification, tasks },
    endTime: endTime < 0 ? null : endTime,
    durationMs: Math.round((endTime < 0 ? nowMs : endTime) - startTime),
  }
}

const VERTEX: Schema = fields({
  id: text,
  name: text,
  status: oneOf(...EXECUTION_STATES),
  parallelism: whole,
  maxParallelism: whole,
  operators: listOf(fields({ id: text, name: text })),
  inputs: listOf(fields({ vertexId: text, partitioning: text })),
  recordsIn: whole,
  recordsOut: whole,
  bytesIn: whole,
  bytesOut: whole,
  recordsInPerSecond: number,
  recordsOutPerSecond: number,
  busyRatio: { ...number, description: 'Of the busiest subtask, in the last second: 0 to 1.' },
  backPressuredRatio: {
    ...number,
    description: 'Of the subtask that waits most, in the last second: 0 to 1.',
  },
})

export const JOB_DETAILS: Schema = fields({ ...JOB_FIELDS, restarts: whole, vertices: listOf(VERTEX) })

/** A job with its vertices. */
export function jobDetailsOf(job: JobDetails, nowMs: number): object {
  return {
    ...jobOf(job, nowMs),
    restarts: job.restarts,
    vertices: job.vertices.map(vertex => vertexOf(job, vertex)),
  }
}

function vertexOf({ graph }: JobDetails, vertex: VertexDetails): object {
  const { id, name, status, parallelism, maxParallelism, subtasks } = vertex
  const sum = (field: 'recordsIn' | 'recordsOut' | 'bytesIn' | 'bytesOut'): number =>
    subtasks.reduce((all, { metrics }) => all + metrics[field], 0)
  const rate = (field: 'recordsIn' | 'recordsOut'): number =>
    subtasks.reduce((all, { metrics }) => all + (metrics.rates?.[field] ?? 0), 0)
  const most = (field: 'busyMs' | 'backPressuredMs'): number =>
    subtasks.reduce((all, { metrics }) => Math.max(all, (metrics.load?.perSecond[field] ?? 0) / 1000), 0)
  const isRunning = status === 'RUNNING'
  const operators = graph.vertices.find(known => known.id === id)?.operators ?? []
  return {
    ...{ id, name, status, parallelism, maxParallelism },
    operators: operators.map(operator => ({ id: operator.operatorId, name: operator.name })),
    inputs: graph.edges
      .filter(({ target }) => target === id)
      .map(({ source, partitioning }) => ({ vertexId: source, partitioning })),
    ...{ recordsIn: sum('recordsIn'), recordsOut: sum('recordsOut') },
    ...{ bytesIn: sum('bytesIn'), bytesOut: sum('bytesOut') },
    recordsInPerSecond: isRunning ? rate('recordsIn') : 0,
    recordsOutPerSecond: isRunning ? rate('recordsOut') : 0,
    busyRatio: isRunning ? Math.min(1, most('busyMs')) : 0,
    backPressuredRatio: isRunning ? Math.min(1, most('backPressuredMs')) : 0,
  }
}
