import {
  type Clock,
  type Configuration,
  isAuthToken,
  isLoopback,
  type Logger,
  type Random,
} from '@flink-ts/common'
import type { DispatcherGateway, ProcessMonitor } from '@flink-ts/gateways'
import type { FastifyInstance } from 'fastify'
import { BindFailed, NotOffered, TriggerNotFound, UnauthenticatedBinding } from '../errors.ts'
import { RestOptionKeys } from '../rest-options.ts'
import { clusterOverview, dashboardConfiguration } from '../routes/cluster-routes.ts'
import { JobEventStreams } from '../v2/job-events.ts'
import { addV2Routes } from '../v2/v2-routes.ts'
import { refuseForeignPages } from './browser-guard.ts'
import { addCheckpointRoutes } from './checkpoint-server-routes.ts'
import { errorAnswers } from './error-answers.ts'
import { FlameGraphs, flameGraphSettingsOf } from './flame-graphs.ts'
import { addJobRoutes, type ClientHeartbeats } from './job-server-routes.ts'
import { addMetricRoutes } from './metric-server-routes.ts'
import { addPageRoutes } from './page-routes.ts'
import { ProcessProfiles } from './process-profiles.ts'
import { addProcessRoutes } from './process-routes.ts'
import { addProgramRoutes, type Programs } from './program-routes.ts'
import { RecentDetails } from './recent-details.ts'
import { addRestartRoutes } from './restart-routes.ts'
import { addSavepointRoutes, type Disposals } from './savepoint-routes.ts'
import { addVertexRoutes } from './vertex-server-routes.ts'

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
  /** It shows jobs that are over, of other processes. */
  readonly history?: boolean
}

export interface RestServerDependencies {
  readonly dispatcher: DispatcherGateway
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Of the cluster. */
  readonly configuration: Configuration
  /** Of this process. */
  readonly monitor: ProcessMonitor
  /** Runs uploaded programs; absent: none are taken. */
  readonly programs?: Programs | undefined
  /** Ends this process; absent: that is not to be done from here. */
  readonly shutDown?: () => void
  /** Version of the product, shown as flink-version. */
  readonly version: string
}

/** A request must have come by then: uploads on slow lines take long. Headers have a minute, by Node.js. */
const REQUEST_TIMEOUT_MS = 600_000

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
      const server = fastify({
        forceCloseConnections: true,
        logger: false,
        // What a route does not know is refused, not dropped: it would have no effect.
        ajv: { customOptions: { removeAdditional: false } },
        requestTimeout: REQUEST_TIMEOUT_MS,
        ...answers.serverOptions,
      })
      answers.addTo(server)
      if (authToken !== undefined) demandToken(server, authToken)
      else refuseForeignPages(server, { loopbackOnly: !options.allowUnauthenticated })
      if (options.webPage !== undefined) await addPageRoutes(server, options.webPage)
      const recent = new RecentDetails(dependencies)
      const flameGraphs = new FlameGraphs(flameGraphSettingsOf(dependencies.configuration), dependencies)
      const history = options.history === true
      const profiles = new ProcessProfiles(dependencies)
      const maps = { disposals: new Map(), heartbeats: new Map() }
      const shared: SharedState = { ...maps, recent, flameGraphs, profiles, history }
      // Clients of Flink send /v1, the web page the bare path.
      for (const prefix of ['', '/v1']) {
        await server.register(
          async scope => {
            addRoutes(scope, dependencies, shared)
            await addProgramRoutes(scope, dependencies.programs)
          },
          { prefix },
        )
      }
      const events = new JobEventStreams(dependencies)
      server.addHook('preClose', async () => events.close())
      addV2Routes(server, { ...dependencies, flameGraphs, events })
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

/** What all prefixes of the paths share. */
interface SharedState {
  readonly disposals: Disposals
  readonly heartbeats: ClientHeartbeats
  readonly recent: RecentDetails
  readonly flameGraphs: FlameGraphs
  readonly profiles: ProcessProfiles
  readonly history: boolean
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

function addRoutes(app: FastifyInstance, dependencies: RestServerDependencies, shared: SharedState): void {
  const { dispatcher, clock, configuration, version, shutDown, programs } = dependencies
  app.get('/overview', async () =>
    clusterOverview(await dispatcher.requestResourceOverview(), await dispatcher.listJobs(), version),
  )
  const offers = {
    programs: programs !== undefined,
    cancel: !shared.history && configuration.get(RestOptionKeys.cancelEnabled),
    history: shared.history,
  }
  app.get('/config', async () => dashboardConfiguration(version, clock.now(), offers))
  app.delete('/cluster', async (_request, reply) => {
    if (shutDown === undefined)
      throw NotOffered({ what: 'Shutting down this cluster by REST', remedy: 'end the process it runs in' })
    await reply.code(200).send({})
    shutDown()
  })
  // Results of batch jobs are not kept for other jobs.
  app.get('/datasets', async () => ({ dataSets: [] }))
  app.get('/datasets/delete/:triggerId', async request => {
    throw TriggerNotFound(request.params as { triggerId: string })
  })
  app.delete('/datasets/:id', async request => {
    const { id } = request.params as { id: string }
    throw NotOffered({ what: `Deleting the data set ${id}`, remedy: 'there are no cached data sets' })
  })
  addJobRoutes(app, dependencies, shared.heartbeats)
  addVertexRoutes(app, dependencies, shared)
  addMetricRoutes(app, dependencies, shared.recent)
  addCheckpointRoutes(app, dependencies)
  addSavepointRoutes(app, dependencies, shared.disposals)
  addRestartRoutes(app, dependencies)
  addProcessRoutes(app, dependencies, shared.profiles)
}
