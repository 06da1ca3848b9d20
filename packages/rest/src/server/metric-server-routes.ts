import type { Clock, JobId } from '@flink-ts/common'
import type { DispatcherGateway, VertexCheckpoint, VertexDetails } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { InvalidParameter, SubtaskNotFound } from '../errors.ts'
import { jobMetrics } from '../routes/job-metrics.ts'
import { aggregateMetrics, listOf, selectMetrics, subtaskSelection } from '../routes/metric-query.ts'
import { type MetricValues, partOf, subtaskMetrics, vertexMetrics } from '../routes/task-metrics.ts'
import { vertexOf } from '../routes/vertex-routes.ts'
import { jobIdOf } from './job-id.ts'
import type { RecentDetails } from './recent-details.ts'

/** Adds the routes that show metrics of jobs and tasks. */
export function addMetricRoutes(
  app: FastifyInstance,
  { dispatcher, clock }: { readonly dispatcher: DispatcherGateway; readonly clock: Clock },
  recent: RecentDetails,
): void {
  const ofJob = async (jobId: JobId): Promise<MetricValues> => {
    const details = await dispatcher.requestJobDetails(jobId)
    return jobMetrics(details, await dispatcher.requestCheckpoints(jobId), clock.now())
  }
  /** With what its subtasks took in the latest checkpoint. */
  const vertex = async (
    params: unknown,
  ): Promise<VertexDetails & { readonly checkpoint: VertexCheckpoint | undefined }> => {
    const jobId = jobIdOf(params)
    const { vertexId } = params as { vertexId: string }
    const found = vertexOf(await recent.of(jobId), vertexId)
    const { completed } = (await dispatcher.requestCheckpoints(jobId)).latest
    return { ...found, checkpoint: completed?.vertices.find(candidate => candidate.vertexId === vertexId) }
  }
  const ofVertex = async (params: unknown): Promise<MetricValues> => {
    const { checkpoint, ...found } = await vertex(params)
    return vertexMetrics(found, checkpoint)
  }
  app.get('/jobs/metrics', async ({ query }) => {
    const wanted = listOf(query, 'jobs')?.map(jobId => jobIdOf({ jobId }))
    const jobs = await dispatcher.listJobs()
    const chosen = jobs.filter(({ jobId }) => wanted?.includes(jobId) !== false)
    return aggregateMetrics(await Promise.all(chosen.map(({ jobId }) => ofJob(jobId))), query)
  })
  app.get('/jobs/:jobId/metrics', async ({ params, query }) =>
    selectMetrics(await ofJob(jobIdOf(params)), query),
  )
  app.get('/jobs/:jobId/vertices/:vertexId/metrics', async ({ params, query }) =>
    selectMetrics(await ofVertex(params), query),
  )
  // Coordinators of operators keep no numbers of their own.
  app.get('/jobs/:jobId/vertices/:vertexId/jm-operator-metrics', async ({ params, query }) => {
    await vertex(params)
    return selectMetrics({}, query)
  })
  app.get('/jobs/:jobId/vertices/:vertexId/subtasks/metrics', async ({ params, query }) => {
    const selected = subtaskSelection(query)
    const { subtasks, checkpoint } = await vertex(params)
    const chosen = subtasks.filter(({ index }) => selected === undefined || selected(index))
    const each = chosen.map(subtask => subtaskMetrics(subtask, partOf(checkpoint, subtask.index)))
    return aggregateMetrics(each, query)
  })
  app.get('/jobs/:jobId/vertices/:vertexId/subtasks/:index/metrics', async ({ params, query }) => {
    const { vertexId, index } = params as { vertexId: string; index: string }
    if (!/^\d{1,9}$/.test(index))
      throw InvalidParameter({ name: 'subtask', value: index, expected: 'a whole number from 0' })
    const { subtasks, checkpoint } = await vertex(params)
    const subtask = subtasks[Number(index)]
    if (subtask === undefined)
      throw SubtaskNotFound({ vertexId, subtask: index, attempt: undefined, parallelism: subtasks.length })
    return selectMetrics(subtaskMetrics(subtask, partOf(checkpoint, subtask.index)), query)
  })
}
