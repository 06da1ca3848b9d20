import { Readable } from 'node:stream'
import type { Configuration, ResourceId } from '@flink-ts/common'
import {
  type DispatcherGateway,
  type LogFile,
  type ProcessMonitor,
  remoteProcessMonitor,
  type TaskManagerOverview,
} from '@flink-ts/gateways'
import { looksLikeSecret } from '@flink-ts/jobgraph'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LogNotFound, TaskManagerNotFound } from '../errors.ts'
import { aggregateMetrics, listOf, selectMetrics } from '../routes/metric-query.ts'
import { profilePage } from '../routes/profile-page.ts'
import { taskManagerDetails, taskManagerInfo } from '../routes/task-manager-info.ts'
import { type MetricValues, textsOf } from '../routes/task-metrics.ts'
import { jobIdOf } from './job-id.ts'
import { bodyOf } from './operation-body.ts'
import type { ProcessProfiles } from './process-profiles.ts'

interface ProcessRoutesDependencies {
  readonly dispatcher: DispatcherGateway
  readonly configuration: Configuration
  /** Of this process. */
  readonly monitor: ProcessMonitor
}

const MASKED = '******'
/** Logs are read and sent in parts of this size: neither is held as a whole. */
const LOG_PART_BYTES = 256 * 1024

/** Adds the routes that show the processes of the cluster: what they are, measure, log and do. */
export function addProcessRoutes(
  app: FastifyInstance,
  { dispatcher, configuration, monitor }: ProcessRoutesDependencies,
  profiles: ProcessProfiles,
): void {
  const monitorOf = (id: string): ProcessMonitor =>
    remoteProcessMonitor(inspection => dispatcher.inspectTaskManager(id as ResourceId, inspection))
  const taskManager = async (id: string): Promise<TaskManagerOverview> => {
    const { taskManagers } = await dispatcher.requestResourceOverview()
    const found = taskManagers.find(({ resourceId }) => resourceId === id)
    if (found === undefined) throw TaskManagerNotFound({ id })
    return found
  }
  const jobManagerMetrics = async (): Promise<MetricValues> => {
    const { taskManagers, totalSlots, freeSlots } = await dispatcher.requestResourceOverview()
    const jobs = await dispatcher.listJobs()
    return textsOf({
      ...(await monitor.requestMetrics()),
      numRegisteredTaskManagers: taskManagers.length,
      numRunningJobs: jobs.filter(job => job.endTime < 0).length,
      taskSlotsTotal: totalSlots,
      taskSlotsAvailable: freeSlots,
    })
  }
  const entries = Object.entries(configuration.toRecord()).map(([key, value]) => ({
    key,
    value: looksLikeSecret(key) ? MASKED : value,
  }))

  app.get('/taskmanagers', async () => ({
    taskmanagers: (await dispatcher.requestResourceOverview()).taskManagers.map(taskManagerInfo),
  }))
  app.get('/taskmanagers/metrics', async ({ query }) => {
    const wanted = listOf(query, 'taskmanagers')
    const { taskManagers } = await dispatcher.requestResourceOverview()
    const chosen = taskManagers.filter(({ resourceId }) => wanted?.includes(resourceId) !== false)
    const each = await Promise.all(chosen.map(({ resourceId }) => monitorOf(resourceId).requestMetrics()))
    return aggregateMetrics(each.map(textsOf), query)
  })
  app.get('/taskmanagers/:id', async request => {
    const { id } = request.params as { id: string }
    const known = await taskManager(id)
    return taskManagerDetails(known, await monitorOf(id).requestMetrics())
  })
  app.get('/jobmanager/config', async () => entries)
  app.get('/jobmanager/environment', async () => environment())
  app.get('/jobmanager/metrics', async ({ query }) => selectMetrics(await jobManagerMetrics(), query))
  addLogRoutes(app, '/jobmanager', async () => monitor)
  addProfileRoutes(app, '/jobmanager', async () => monitor, profiles)
  app.get('/taskmanagers/:id/metrics', async ({ params, query }) => {
    const { id } = params as { id: string }
    await taskManager(id)
    return selectMetrics(textsOf(await monitorOf(id).requestMetrics()), query)
  })
  const knownMonitor = async (params: unknown): Promise<ProcessMonitor> => {
    const { id } = params as { id: string }
    await taskManager(id)
    return monitorOf(id)
  }
  addLogRoutes(app, '/taskmanagers/:id', knownMonitor)
  addProfileRoutes(app, '/taskmanagers/:id', knownMonitor, profiles)

  // The processes of a job are those of the cluster.
  const ofJob = async (params: unknown): Promise<void> => {
    await dispatcher.requestJobDetails(jobIdOf(params))
  }
  app.get('/jobs/:jobId/jobmanager/config', async ({ params }) => {
    await ofJob(params)
    return entries
  })
  app.get('/jobs/:jobId/jobmanager/environment', async ({ params }) => {
    await ofJob(params)
    return environment()
  })
  app.get('/jobs/:jobId/jobmanager/log-url', async ({ params }) => {
    await ofJob(params)
    return { url: '/jobmanager/log' }
  })
  app.get('/jobs/:jobId/taskmanagers/:id/log-url', async ({ params }) => {
    await ofJob(params)
    return { url: `/taskmanagers/${encodeURIComponent((params as { id: string }).id)}/log` }
  })
}

/** Node.js where Flink has Java. */
function environment(): object {
  return {
    jvm: { version: `Node.js ${process.version}`, arch: process.arch, options: process.execArgv },
    classpath: process.argv.slice(1, 2),
  }
}

function addLogRoutes(
  app: FastifyInstance,
  prefix: string,
  monitorOf: (params: unknown) => Promise<ProcessMonitor>,
): void {
  app.get(`${prefix}/logs`, async ({ params }) => {
    const logs = await (await monitorOf(params)).listLogs()
    return {
      logs: logs.map(({ name, sizeBytes, modifiedAt }) => ({ name, size: sizeBytes, mtime: modifiedAt })),
    }
  })
  const send = async (
    request: FastifyRequest,
    wanted: (file: LogFile) => boolean,
    name: string,
    reply: FastifyReply,
  ): Promise<FastifyReply> =>
    sendLog(await monitorOf(request.params), wanted, name, request.headers.range, reply)
  app.get(`${prefix}/logs/:name`, async (request, reply) => {
    const { name } = request.params as { name: string }
    return await send(request, file => file.name === name, name, reply)
  })
  app.get(`${prefix}/log`, async (request, reply) =>
    send(request, file => file.content === 'log', 'log', reply),
  )
  app.get(`${prefix}/stdout`, async (request, reply) =>
    send(request, file => file.content === 'stdout', 'stdout', reply),
  )
  app.get(`${prefix}/thread-dump`, async ({ params }) => {
    const threads = await (await monitorOf(params)).requestThreadDump()
    return {
      threadInfos: threads.map(({ name, description }) => ({
        threadName: name,
        stringifiedThreadInfo: description,
      })),
    }
  })
}

function addProfileRoutes(
  app: FastifyInstance,
  prefix: string,
  monitorOf: (params: unknown) => Promise<ProcessMonitor>,
  profiles: ProcessProfiles,
): void {
  const processOf = (params: unknown): string => (params as { id?: string }).id ?? ''
  app.get(`${prefix}/profiler`, async ({ params }) => {
    await monitorOf(params)
    return { profilingList: profiles.list(processOf(params)) }
  })
  app.post(`${prefix}/profiler`, async ({ params, body }) =>
    profiles.start(processOf(params), await monitorOf(params), bodyOf(body)),
  )
  app.get(`${prefix}/profiler/:file`, async ({ params }, reply) => {
    const { file } = params as { file: string }
    const root = profiles.read(processOf(params), file.replace(/\.json$/, '.html'))
    // The web page draws it itself.
    if (file.endsWith('.json')) return root
    return await reply.type('text/html; charset=utf-8').headers(PROFILE_SECURITY).send(profilePage(root))
  })
}

/** Names in profiles come from user code. */
const PROFILE_SECURITY = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
}

/** Only files that the process itself lists are read: a name from outside never becomes part of a path. */
async function sendLog(
  monitor: ProcessMonitor,
  wanted: (file: LogFile) => boolean,
  name: string,
  range: string | undefined,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const files = await monitor.listLogs()
  const file = files.find(wanted)
  if (file === undefined) throw LogNotFound({ name, known: files.map(known => known.name) })
  // Who follows a log wants its end alone; other ranges are answered with all of it, as HTTP allows.
  const lastBytes = /^bytes=-([1-9]\d{0,14})$/.exec(range ?? '')?.[1]
  const from = lastBytes === undefined ? 0 : Math.max(0, file.sizeBytes - Number(lastBytes))
  if (from > 0) {
    const { sizeBytes } = file
    reply.code(206).header('content-range', `bytes ${from}-${sizeBytes - 1}/${sizeBytes}`)
  }
  return await reply.type('text/plain; charset=utf-8').send(Readable.from(partsOf(monitor, file, from)))
}

/** What the file had when it was asked for: a log that grows as fast as it is read must come to an end. */
async function* partsOf(
  monitor: ProcessMonitor,
  { name, sizeBytes }: LogFile,
  from: number,
): AsyncGenerator<Uint8Array> {
  let offset = from
  while (offset < sizeBytes) {
    const part = await monitor.readLog(name, offset, Math.min(LOG_PART_BYTES, sizeBytes - offset))
    if (part.length === 0) return
    offset += part.length
    yield Buffer.from(part.buffer, part.byteOffset, part.byteLength)
  }
}
