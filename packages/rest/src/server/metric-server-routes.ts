import type { Clock, JobId } from '@flink-ts/common'
import type { DispatcherGateway, VertexDetails } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { InvalidParameter, SubtaskNotFound } from '../errors.ts'
import { jobMetrics } from '../routes/job-metrics.ts'
import { aggregateMetrics, listOf, selectMetrics, subtaskSelection } from '../routes/metric-query.ts'
import { type MetricValues, subtaskMetrics, vertexMetrics } from '../routes/task-metrics.ts'
import { vertexOf } from '../routes/vertex-routes.ts'
import { jobIdOf } from './job-id.ts'

/** Adds the routes that show metrics of jobs and tasks. */
export function addMetricRoutes(
  app: FastifyInstance,
  { dispatcher, clock }: { readonly dispatcher: DispatcherGateway; readonly clock: Clock },
): void {
  const ofJob = async (jobId: JobId): Promise<MetricValues> => {
    const details = await dispatcher.requestJobDetails(jobId)
    return jobMetrics(details, await dispatcher.requestCheckpoints(jobId), clock.now())
  }
  const vertex = async (params: unknown): Promise<VertexDetails> =>
    vertexOf(await dispatcher.requestJobDetails(jobIdOf(params)), (params as { vertexId: string }).vertexId)
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
    selectMetrics(vertexMetrics(await vertex(params)), query),
  )
  // Coordinators of operators keep no numbers of their own.
  app.get('/jobs/:jobId/vertices/:vertexId/jm-operator-metrics', async ({ params, query }) => {
    await vertex(params)
    return selectMetrics({}, query)
  })
  app.get('/jobs/:jobId/vertices/:vertexId/subtasks/metrics', async ({ params, query }) => {
    const selected = subtaskSelection(query)
    const { subtasks } = await vertex(params)
    const chosen = subtasks.filter(({ index }) => selected === undefined || selected(index))
    return aggregateMetrics(chosen.map(subtaskMetrics), query)
  })
  app.get('/jobs/:jobId/vertices/:vertexId/subtasks/:index/metrics', async ({ params, query }) => {
    const { vertexId, index } = params as { vertexId: string; index: string }
    if (!/^\d{1,9}$/.test(index))
      throw InvalidParameter({ name: 'subtask', value: index, expected: 'a whole number from 0' })
    const { subtasks } = await vertex(params)
    const subtask = subtasks[Number(index)]
    if (subtask === undefined)
      throw SubtaskNotFound({ vertexId, subtask: index, attempt: undefined, parallelism: subtasks.length })
    return selectMetrics(subtaskMetrics(subtask), query)
  })
}
