import { EXECUTION_STATES, type JobDetails, type JobOverview, type VertexDetails } from '@flink-ts/gateways'
import type { JobGraph, JobStatus } from '@flink-ts/jobgraph'
import { countStates, durationOf, ioMetrics } from './subtask-info.ts'

const JOB_STATUSES: readonly JobStatus[] = [
  'INITIALIZING',
  'CREATED',
  'RUNNING',
  'FAILING',
  'FAILED',
  'CANCELLING',
  'CANCELED',
  'FINISHED',
  'RESTARTING',
  'SUSPENDED',
  'RECONCILING',
]
/** One entry of GET /jobs/overview. Task keys are lower case. */
export function jobOverview(job: JobOverview, nowMs: number): object {
  const counts = EXECUTION_STATES.map(state => [state.toLowerCase(), job.tasks[state]] as const)
  const total = counts.reduce((sum, [, count]) => sum + count, 0)
  return {
    jid: job.jobId,
    name: job.name,
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: durationOf(job, nowMs),
    state: job.status,
    'last-modification': job.lastModification,
    tasks: { total, ...Object.fromEntries(counts) },
  }
}

/** GET /jobs/:id. Task keys are upper case. */
export function jobDetails(job: JobDetails, nowMs: number): object {
  return {
    jid: job.jobId,
    name: job.name,
    isStoppable: false,
    state: job.status,
    'job-type': job.graph.jobType ?? 'STREAMING',
    'start-time': job.startTime,
    'end-time': job.endTime,
    duration: durationOf(job, nowMs),
    maxParallelism: job.maxParallelism,
    now: nowMs,
    timestamps: Object.fromEntries(JOB_STATUSES.map(status => [status, job.timestamps[status] ?? 0])),
    vertices: job.vertices.map(vertex => vertexDetails(vertex, nowMs)),
    'status-counts': countStates(job.vertices.map(vertex => vertex.status)),
    plan: planOf(job.graph),
  }
}

/** GET /jobs/:id/plan */
export function jobPlan(job: JobDetails): object {
  return { plan: planOf(job.graph) }
}

function vertexDetails(vertex: VertexDetails, nowMs: number): object {
  const { startTime, endTime } = vertex
  return {
    id: vertex.id,
    name: vertex.name,
    maxParallelism: vertex.maxParallelism,
    parallelism: vertex.parallelism,
    status: vertex.status,
    'start-time': startTime,
    'end-time': endTime,
    duration: durationOf(vertex, nowMs),
    tasks: countStates(vertex.subtasks.map(subtask => subtask.status)),
    metrics: ioMetrics(vertex.subtasks),
  }
}

/** The plan of a job graph, as answers have it. */
export function planOf(graph: JobGraph): object {
  return {
    jid: graph.jobId,
    name: graph.name,
    type: 'STREAMING',
    nodes: graph.vertices.map(vertex => ({
      id: vertex.id,
      parallelism: vertex.parallelism,
      operator: '',
      operator_strategy: '',
      description: vertex.name,
      inputs: graph.edges
        .filter(edge => edge.target === vertex.id)
        .map((edge, num) => ({
          num,
          id: edge.source,
          ship_strategy: edge.partitioning.toUpperCase(),
          exchange: 'pipelined_bounded',
        })),
      optimizer_properties: {},
    })),
  }
}
