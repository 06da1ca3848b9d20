import { type Clock, isAuthToken, isLoopback, type Logger, type Random } from '@flink-ts/common'
import type { DispatcherGateway } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { BindFailed, InvalidParameter, TaskManagerNotFound, UnauthenticatedBinding } from '../errors.ts'
import { clusterOverview, dashboardConfiguration, taskManagerInfo } from '../routes/cluster-routes.ts'
import { type ExceptionQuery, jobExceptions } from '../routes/job-exceptions.ts'
import { jobDetails, jobOverview, jobPlan } from '../routes/job-routes.ts'
import { vertexWatermarks } from '../routes/vertex-watermarks.ts'
import { addCheckpointRoutes } from './checkpoint-server-routes.ts'
import { errorAnswers } from './error-answers.ts'
import { jobIdOf } from './job-id.ts'
import { addPageRoutes } from './page-routes.ts'
import { addSavepointRoutes, type Disposals } from './savepoint-routes.ts'

export interface RestServerOptions {
  readonly bindAddress: string
  /** 0: any free one. */
  readonly port: number
  /** Value of `security.rest.allow-unauthenticated`. */
  readonly allowUnauthenticated: boolean
  /** What requests must show as `Authorization: Bearer`; absent: nothing. */
  readonly authToken?: string | undefined
  /** Folder of the web page as it was built; absent, or without `index.html`: none is served. */
  readonly webPage?: string | undefined
}

export interface RestServerDependencies {
  readonly dispatcher: DispatcherGateway
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Version of the product, shown as flink-version. */
  readonly version: string
}

/** The monitoring REST API of a cluster. */
export interface RestServer {
  /** Listens and answers the port. Throws `rest.unauthenticated-binding` or `rest.bind-failed`. */
  start(): Promise<number>
  /** Ends open connections too. Idempotent. */
  close(): Promise<void>
}

/** Makes the server; nothing listens before {@link RestServer.start}. */
export function createRestServer(
  options: RestServerOptions,
  dependencies: RestServerDependencies,
): RestServer {
  let app: FastifyInstance | undefined
  return {
    async start() {
      const { bindAddress, port, authToken } = options
      if (!isLoopback(bindAddress) && authToken === undefined && !options.allowUnauthenticated)
        throw UnauthenticatedBinding({ bindAddress })
      // Loaded late: the cluster registers its slots meanwhile.
      const { fastify } = await import('fastify')
      const answers = errorAnswers(dependencies.logger.child({ component: 'rest' }))
      const server = fastify({ forceCloseConnections: true, logger: false, ...answers.serverOptions })
      answers.addTo(server)
      if (authToken !== undefined) demandToken(server, authToken)
      if (options.webPage !== undefined) await addPageRoutes(server, options.webPage)
      const disposals: Disposals = new Map()
      // Clients of Flink send /v1, the web page the bare path.
      for (const prefix of ['', '/v1']) {
        await server.register(
          async scope => {
            addRoutes(scope, dependencies)
            addCheckpointRoutes(scope, dependencies)
            addSavepointRoutes(scope, dependencies, disposals)
          },
          { prefix },
        )
      }
      try {
        await server.listen({ host: bindAddress, port })
      } catch (error) {
        await server.close()
        throw BindFailed(
          { bindAddress, port, reason: error instanceof Error ? error.message : String(error) },
          error,
        )
      }
      app = server
      const address = server.server.address()
      return typeof address === 'object' && address !== null ? address.port : port
    },
    async close() {
      const closing = app
      app = undefined
      await closing?.close()
    },
  }
}

function demandToken(server: FastifyInstance, token: string): void {
  server.addHook('onRequest', async (request, reply) => {
    if ((request.routeOptions.config as { isPublic?: true }).isPublic === true) return
    if (isAuthToken(request.headers.authorization ?? '', `Bearer ${token}`)) return
    await reply
      .code(401)
      .header('www-authenticate', 'Bearer')
      .send({
        errors: [
          'This cluster demands a token: send Authorization: Bearer <content of the file security.auth.token-file>.',
        ],
      })
  })
}

function addRoutes(app: FastifyInstance, { dispatcher, clock, version }: RestServerDependencies): void {
  const details = (params: unknown) => dispatcher.requestJobDetails(jobIdOf(params))
  app.get('/overview', async () =>
    clusterOverview(await dispatcher.requestResourceOverview(), await dispatcher.listJobs(), version),
  )
  app.get('/config', async () => dashboardConfiguration(version, clock.now()))
  app.get('/jobs', async () => ({
    jobs: (await dispatcher.listJobs()).map(({ jobId, status }) => ({ id: jobId, status })),
  }))
  app.get('/jobs/overview', async () => ({
    jobs: (await dispatcher.listJobs()).map(job => jobOverview(job, clock.now())),
  }))
  app.get('/jobs/:jobId', async request => jobDetails(await details(request.params), clock.now()))
  app.get('/jobs/:jobId/status', async request => ({ status: (await details(request.params)).status }))
  app.get('/jobs/:jobId/plan', async request => jobPlan(await details(request.params)))
  app.get('/jobs/:jobId/vertices/:vertexId/watermarks', async request =>
    vertexWatermarks(await details(request.params), (request.params as { vertexId: string }).vertexId),
  )
  app.get('/jobs/:jobId/exceptions', async request =>
    jobExceptions(await details(request.params), exceptionQueryOf(request.query)),
  )
  app.patch('/jobs/:jobId', async (request, reply) => {
    const jobId = jobIdOf(request.params)
    const { mode = 'cancel' } = request.query as { mode?: string }
    if (mode !== 'cancel') throw InvalidParameter({ name: 'mode', value: mode, expected: 'cancel' })
    await dispatcher.cancelJob(jobId)
    return await reply.code(202).send({})
  })
  app.get('/taskmanagers', async () => ({
    taskmanagers: (await dispatcher.requestResourceOverview()).taskManagers.map(taskManagerInfo),
  }))
  app.get('/taskmanagers/:id', async request => {
    const { id } = request.params as { id: string }
    const { taskManagers } = await dispatcher.requestResourceOverview()
    const taskManager = taskManagers.find(candidate => candidate.resourceId === id)
    if (taskManager === undefined) throw TaskManagerNotFound({ id })
    return taskManagerInfo(taskManager)
  })
}

function exceptionQueryOf(query: unknown): ExceptionQuery {
  const { maxExceptions, failureLabelFilter } = query as {
    maxExceptions?: string
    failureLabelFilter?: string | string[]
  }
  if (maxExceptions !== undefined && !/^\d+$/.test(maxExceptions)) {
    throw InvalidParameter({ name: 'maxExceptions', value: maxExceptions, expected: 'a whole number from 0' })
  }
  return {
    maxExceptions: maxExceptions === undefined ? undefined : Number(maxExceptions),
    labels: failureLabelFilter === undefined ? undefined : labelsOf(failureLabelFilter),
  }
}

/** `key:value,key:value`, or the parameter several times. */
function labelsOf(given: string | string[]): Readonly<Record<string, string>> {
  const filter = [given].flat().join(',')
  return Object.fromEntries(
    filter.split(',').map(pair => {
      const [, key, value] = /^([^:]+):(.+)$/.exec(pair) ?? []
      if (key !== undefined && value !== undefined) return [key, value]
      throw InvalidParameter({
        name: 'failureLabelFilter',
        value: filter,
        expected: 'labels such as domain:external, separated by commas',
      })
    }),
  )
}
