import type { Clock, Configuration, JobId, Timer } from '@flink-ts/common'
import type { DispatcherGateway } from '@flink-ts/gateways'
import { isGloballyTerminal } from '@flink-ts/jobgraph'
import type { FastifyInstance } from 'fastify'
import { InvalidParameter, NotOffered } from '../errors.ts'
import { executionResult, jobConfiguration } from '../routes/job-configuration.ts'
import { type ExceptionQuery, jobExceptions } from '../routes/job-exceptions.ts'
import { jobDetails, jobOverview, jobPlan } from '../routes/job-routes.ts'
import { jobIdOf } from './job-id.ts'

/** When the clients of jobs that end with their clients must have been heard of again. */
export type ClientHeartbeats = Map<JobId, Timer>

interface JobRoutesDependencies {
  readonly dispatcher: DispatcherGateway
  readonly clock: Clock
  readonly configuration: Configuration
}

/** Adds the routes that show jobs and end them. */
export function addJobRoutes(
  app: FastifyInstance,
  { dispatcher, clock, configuration }: JobRoutesDependencies,
  heartbeats: ClientHeartbeats,
): void {
  const details = (params: unknown) => dispatcher.requestJobDetails(jobIdOf(params))
  app.get('/jobs', async () => ({
    jobs: (await dispatcher.listJobs()).map(({ jobId, status }) => ({ id: jobId, status })),
  }))
  app.get('/jobs/overview', async () => ({
    jobs: (await dispatcher.listJobs()).map(job => jobOverview(job, clock.now())),
  }))
  app.get('/jobs/:jobId', async request => jobDetails(await details(request.params), clock.now()))
  app.get('/jobs/:jobId/status', async request => ({ status: (await details(request.params)).status }))
  app.get('/jobs/:jobId/plan', async request => jobPlan(await details(request.params)))
  app.get('/jobs/:jobId/config', async request =>
    jobConfiguration(await details(request.params), configuration),
  )
  app.get('/jobs/:jobId/exceptions', async request =>
    jobExceptions(await details(request.params), exceptionQueryOf(request.query)),
  )
  app.get('/jobs/:jobId/execution-result', async request => {
    const job = await details(request.params)
    // Asked before its end, the call would not come back before it.
    const over = isGloballyTerminal(job.status)
    return executionResult(job, over ? await dispatcher.requestJobResult(job.jobId) : undefined)
  })
  app.get('/jobs/:jobId/resource-requirements', async request => {
    const { vertices } = await details(request.params)
    return Object.fromEntries(
      vertices.map(({ id, parallelism }) => [
        id,
        { parallelism: { lowerBound: parallelism, upperBound: parallelism } },
      ]),
    )
  })
  app.put('/jobs/:jobId/resource-requirements', async request => {
    await details(request.params)
    throw NotOffered({ what: 'Changing the parallelism of a running job', remedy: RESCALE })
  })
  app.patch('/jobs/:jobId/rescaling', async request => {
    await details(request.params)
    throw NotOffered({ what: 'Changing the parallelism of a running job', remedy: RESCALE })
  })
  app.get('/jobs/:jobId/rescaling/:triggerId', async request => {
    await details(request.params)
    throw NotOffered({ what: 'Changing the parallelism of a running job', remedy: RESCALE })
  })
  app.post('/jobs', async () => {
    throw NotOffered({
      what: "Submitting a job graph of Flink's Java client",
      remedy: 'submit programs by bin/flink run, which speaks to jobmanager.rpc.port',
    })
  })
  const cancel = async (params: unknown): Promise<object> => {
    await dispatcher.cancelJob(jobIdOf(params))
    return {}
  }
  app.patch('/jobs/:jobId', async (request, reply) => {
    const { mode = 'cancel' } = request.query as { mode?: string }
    // Before anything is done.
    if (mode !== 'cancel') {
      jobIdOf(request.params)
      throw InvalidParameter({ name: 'mode', value: mode, expected: 'cancel' })
    }
    return await reply.code(202).send(await cancel(request.params))
  })
  // For pages and proxies that can only follow links, as in Flink.
  for (const path of ['yarn-cancel', 'yarn-stop']) {
    app.get(`/jobs/:jobId/${path}`, async (request, reply) =>
      reply.code(202).send(await cancel(request.params)),
    )
  }
  app.patch('/jobs/:jobId/clientHeartbeat', async (request, reply) => {
    const { jobId, status } = await details(request.params)
    const { expiredTimestamp } = (request.body ?? {}) as { expiredTimestamp?: unknown }
    if (typeof expiredTimestamp !== 'number')
      throw InvalidParameter({
        name: 'expiredTimestamp',
        value: String(expiredTimestamp),
        expected: 'when the client counts as gone, in milliseconds since the epoch',
      })
    heartbeats.get(jobId)?.cancel()
    if (isGloballyTerminal(status)) heartbeats.delete(jobId)
    else
      heartbeats.set(
        jobId,
        clock.schedule(Math.max(0, expiredTimestamp - clock.now()), expire, { unref: true }),
      )
    function expire(): void {
      heartbeats.delete(jobId)
      // It may be over by itself, and forgotten: then there is nothing to end.
      dispatcher.cancelJob(jobId).catch(() => {})
    }
    return await reply.code(202).send({})
  })
}

const RESCALE =
  'stop it with a savepoint (POST /jobs/:jobId/stop) and run it from there with another parallelism (flink run -s)'

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
