import type { Clock } from '@flink-ts/common'
import type { DispatcherGateway, SubtaskAttempt, VertexAttempts, VertexDetails } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { InvalidParameter, SubtaskNotFound, VertexNotFound } from '../errors.ts'
import {
  attemptAccumulators,
  jobAccumulators,
  subtaskAccumulators,
  vertexAccumulators,
} from '../routes/accumulator-routes.ts'
import { vertexFlameGraph } from '../routes/flame-graph.ts'
import { subtaskInfo } from '../routes/subtask-info.ts'
import {
  subtaskTimes,
  vertexBackPressure,
  vertexOf,
  vertexTaskManagers,
  vertexWithSubtasks,
} from '../routes/vertex-routes.ts'
import { vertexWatermarks } from '../routes/vertex-watermarks.ts'
import type { FlameGraphs } from './flame-graphs.ts'
import { jobIdOf } from './job-id.ts'
import type { RecentDetails } from './recent-details.ts'

interface Params {
  readonly jobId: string
  readonly vertexId: string
  readonly index: string
  readonly attempt: string
}

/** Adds the routes that show vertices of a job, their subtasks and attempts, and accumulators. */
export function addVertexRoutes(
  app: FastifyInstance,
  { dispatcher, clock }: { readonly dispatcher: DispatcherGateway; readonly clock: Clock },
  { recent, flameGraphs }: { readonly recent: RecentDetails; readonly flameGraphs: FlameGraphs },
): void {
  const PATH = '/jobs/:jobId/vertices/:vertexId'
  const get = (path: string, answer: (params: Params) => Promise<unknown>): void => {
    app.get(path, async request => await answer(request.params as Params))
  }
  const vertex = async (params: Params): Promise<VertexDetails> =>
    vertexOf(await recent.of(jobIdOf(params)), params.vertexId)
  const attempts = async (params: Params): Promise<VertexAttempts> => {
    const { jobId, vertexId } = params
    const vertices = await dispatcher.requestAttempts(jobIdOf(params))
    const found = vertices.find(candidate => candidate.vertexId === vertexId)
    if (found === undefined)
      throw VertexNotFound({ jobId, vertexId, known: vertices.map(candidate => candidate.vertexId) })
    return found
  }
  const attempt = async (params: Params): Promise<SubtaskAttempt> => {
    const { subtasks } = await attempts(params)
    const known = subtasks[numberOf(params.index, 'subtask')] ?? []
    const number = params.attempt === undefined ? known[0]?.attempt : numberOf(params.attempt, 'attempt')
    const found = known.find(candidate => candidate.attempt === number)
    if (found === undefined)
      throw SubtaskNotFound({
        vertexId: params.vertexId,
        subtask: params.index,
        attempt: params.attempt,
        parallelism: subtasks.length,
      })
    return found
  }
  get('/jobs/:jobId/accumulators', async params =>
    jobAccumulators(await dispatcher.requestAttempts(jobIdOf(params))),
  )
  get(PATH, async params => vertexWithSubtasks(await vertex(params), clock.now()))
  get(`${PATH}/subtasktimes`, async params => subtaskTimes(await vertex(params), clock.now()))
  get(`${PATH}/taskmanagers`, async params => vertexTaskManagers(await vertex(params), clock.now()))
  get(`${PATH}/backpressure`, async params => vertexBackPressure(await vertex(params), clock.now()))
  app.get(`${PATH}/flamegraph`, async request => {
    const params = request.params as Params
    const { type = 'FULL', subtaskindex } = request.query as { type?: string; subtaskindex?: string }
    const found = await vertex(params)
    const subtask = subtaskindex === undefined ? undefined : numberOf(subtaskindex, 'subtaskindex')
    if (subtask !== undefined && subtask >= found.parallelism)
      throw SubtaskNotFound({
        ...{ vertexId: params.vertexId, subtask: String(subtask), attempt: undefined },
        parallelism: found.parallelism,
      })
    return vertexFlameGraph(flameGraphs, { jobId: jobIdOf(params), vertex: found, subtask, type })
  })
  get(`${PATH}/watermarks`, async params => vertexWatermarks(await vertex(params)))
  get(`${PATH}/accumulators`, async params => vertexAccumulators(await attempts(params)))
  get(`${PATH}/subtasks/accumulators`, async params => subtaskAccumulators(await attempts(params)))
  get(`${PATH}/subtasks/:index`, async params => subtaskInfo(await attempt(params), clock.now()))
  get(`${PATH}/subtasks/:index/attempts/:attempt`, async params =>
    subtaskInfo(await attempt(params), clock.now()),
  )
  get(`${PATH}/subtasks/:index/attempts/:attempt/accumulators`, async params =>
    attemptAccumulators(await attempt(params), params.vertexId),
  )
}

function numberOf(text: string, name: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text)
  throw InvalidParameter({ name, value: text, expected: 'a whole number from 0' })
}
