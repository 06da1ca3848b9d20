import type { Clock, Logger, Random } from '@flink-ts/common'
import type { DispatcherGateway, StackNode } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { vertexFlameGraph } from '../routes/flame-graph.ts'
import type { FlameGraphs } from '../server/flame-graphs.ts'
import { jobIdOf } from '../server/job-id.ts'
import { addJobEvents, EVENTS_PATH, type JobEventStreams } from './job-events.ts'
import { JOB, JOB_DETAILS, jobDetailsOf, jobOf, STATUS_QUERY } from './job-views.ts'
import { openApiOf } from './open-api.ts'
import { operationRoutes } from './operation-routes.ts'
import { findVertex, tapRoutes } from './tap-routes.ts'
import {
  fields,
  oneOf,
  orNull,
  PAGE_QUERY,
  pageFrom,
  pageOf,
  text,
  time,
  type V2Route,
  whole,
} from './v2-route.ts'

interface V2Dependencies {
  readonly dispatcher: DispatcherGateway
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly version: string
  readonly flameGraphs: FlameGraphs
  readonly events: JobEventStreams
}

const NO_GRAPH: Readonly<Record<string, string>> = { '-1': 'ended', '-2': 'disabled', '-3': 'sampling' }

/** Adds /v2: what Flink's API has not, and what it has in consistent names, described by an OpenAPI document. */
export function addV2Routes(app: FastifyInstance, dependencies: V2Dependencies): void {
  const routes = [
    ...overviewRoutes(dependencies),
    ...tapRoutes(dependencies),
    ...operationRoutes(dependencies),
  ]
  for (const route of routes) {
    const { method, path, query = {}, body, status = 200, handle } = route
    app.route({
      ...{ method, url: `/v2${path}` },
      schema: {
        querystring: { type: 'object', properties: query, additionalProperties: false },
        ...(body !== undefined && { body: { ...body, type: ['object', 'null'] } }),
      },
      handler: async ({ params, query: given, body: sent }, reply) => {
        const answer = await handle({ params: params as Record<string, string>, query: given, body: sent })
        return await reply.code(status).send(answer)
      },
    })
  }
  const document = openApiOf([...routes, EVENTS], dependencies.version)
  app.get('/v2/openapi.json', async () => document)
  addJobEvents(app, dependencies.events)
}

/** Only for the description: its answer is a stream. */
const EVENTS: V2Route = {
  method: 'GET',
  path: EVENTS_PATH,
  summary:
    'Server-sent events: `job` with a job as in /v2/jobs for each one that is there and whenever one changes, `removed` ' +
    'with the id of one that is forgotten.',
  answer: text,
  handle: async () => undefined,
}

function overviewRoutes({ dispatcher, clock, version, flameGraphs }: V2Dependencies): readonly V2Route[] {
  const node = { type: 'object', description: 'Nodes of name, value and children.' }
  return [
    {
      method: 'GET',
      path: '/cluster',
      summary: 'Tells what the cluster has.',
      answer: fields({
        ...{ version: text, taskManagers: whole, slotsTotal: whole, slotsFree: whole, jobsRunning: whole },
      }),
      handle: async () => {
        const { taskManagers, totalSlots, freeSlots } = await dispatcher.requestResourceOverview()
        const jobs = await dispatcher.listJobs()
        return {
          ...{ version, taskManagers: taskManagers.length, slotsTotal: totalSlots, slotsFree: freeSlots },
          jobsRunning: jobs.filter(({ endTime }) => endTime < 0).length,
        }
      },
    },
    {
      method: 'GET',
      path: '/jobs',
      summary:
        'Lists jobs: those that run in order of their start, then those that are over in order of their end.',
      query: { ...PAGE_QUERY, status: STATUS_QUERY },
      answer: pageOf(JOB),
      handle: async ({ query }) => {
        const jobs = (await dispatcher.listJobs()).map(job => jobOf(job, clock.now()))
        const wanted = jobs.filter(({ status }) => (query.status ?? status) === status)
        return pageFrom(wanted, ({ id }) => id, query)
      },
    },
    {
      method: 'GET',
      path: '/jobs/:jobId',
      summary: 'Tells a job with its vertices.',
      answer: JOB_DETAILS,
      handle: async ({ params }) =>
        jobDetailsOf(await dispatcher.requestJobDetails(jobIdOf(params)), clock.now()),
    },
    {
      method: 'GET',
      path: '/jobs/:jobId/vertices/:vertexId/flamegraph',
      summary:
        'Shows where the threads of a vertex spend their time. Asked for the first time, it is sampled.',
      query: {
        type: { ...oneOf('full', 'on_cpu', 'off_cpu'), default: 'full' },
        subtask: { type: 'integer', minimum: 0, description: 'Only this subtask; absent: all.' },
      },
      answer: fields({
        state: oneOf('ready', 'sampling', 'ended', 'disabled'),
        endTime: orNull(time),
        root: orNull(node),
      }),
      handle: async request => {
        const { job, vertex } = await findVertex(dispatcher, request)
        const { type, subtask } = request.query
        const graph: { readonly endTimestamp: number; readonly data?: StackNode } = vertexFlameGraph(
          flameGraphs,
          { jobId: job.jobId, vertex, subtask, type },
        )
        const { endTimestamp, data = null } = graph
        const state = NO_GRAPH[endTimestamp] ?? 'ready'
        return { state, endTime: state === 'ready' ? endTimestamp : null, root: data }
      },
    },
  ]
}
