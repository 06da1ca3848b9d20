import { connect, createServer } from 'node:net'
import {
  Configuration,
  defineError,
  type JobId,
  ManualClock,
  nullLogger,
  SeededRandom,
} from '@flink-ts/common'
import {
  type DispatcherGateway,
  type ExecutionState,
  inspectProcess,
  type JobDetails,
  type ProcessInspection,
  type ResourceOverview,
} from '@flink-ts/gateways'
import { afterEach, describe, expect, it } from 'vitest'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { createRestServer, type RestServer } from './rest-server.ts'

const JOB = 'a'.repeat(32) as JobId
const JobNotFound = defineError<{ jobId: string }>({
  code: 'dispatcher.job-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `There is no job ${d.jobId} here.`,
})

const tasks: Record<ExecutionState, number> = {
  CREATED: 0,
  SCHEDULED: 0,
  DEPLOYING: 0,
  INITIALIZING: 0,
  RUNNING: 1,
  FINISHED: 1,
  CANCELING: 0,
  CANCELED: 0,
  FAILED: 0,
  RECONCILING: 0,
}
const metrics = { recordsIn: 1, recordsOut: 2, bytesIn: 3, bytesOut: 4 }
const subtask = {
  attempt: 0,
  timestamps: { CREATED: 100, DEPLOYING: 110 },
  location: 'h:5',
  taskManagerId: 'tm1',
  startTime: 110,
  endTime: -1,
  metrics,
}
const details = {
  jobId: JOB,
  name: 'flights',
  status: 'RUNNING',
  startTime: 100,
  endTime: -1,
  lastModification: 120,
  tasks,
  timestamps: { INITIALIZING: 100, RUNNING: 105 },
  maxParallelism: 128,
  restarts: 0,
  vertices: [
    {
      id: 'v1',
      name: 'Source',
      parallelism: 2,
      maxParallelism: 128,
      status: 'RUNNING',
      startTime: 110,
      endTime: -1,
      subtasks: [
        { ...subtask, index: 0, status: 'RUNNING' },
        {
          ...subtask,
          index: 1,
          status: 'FINISHED',
          endTime: 150,
          metrics: {
            ...metrics,
            eventTime: { watermark: Number.MIN_SAFE_INTEGER, sinceMs: 115, heldBy: ['Orders (2/2)'] },
          },
        },
      ],
    },
  ],
  graph: {
    vertices: [
      { id: 'v1', name: 'Source', parallelism: 2 },
      { id: 'v2', name: 'Sink', parallelism: 1 },
    ],
    edges: [{ edgeId: 0, source: 'v1', target: 'v2', partitioning: 'hash' }],
  },
  checkpoints: {
    triggered: 5,
    completed: 3,
    failed: 1,
    inProgress: 1,
    restored: 1,
    latestCompleted: { id: 4, pointer: 'file:///c/chk-4', stateBytes: 77, durationMs: 12, timestamp: 140 },
  },
  failures: [
    {
      timestamp: 1,
      error: { name: 'Error', message: 'old', stack: 'Error: old' },
      task: undefined,
      location: undefined,
      taskManagerId: undefined,
      concurrent: [],
    },
    {
      timestamp: 2,
      error: {
        name: 'TypeError',
        message: 'boom',
        stack: 'TypeError: boom\n  at job.ts:3',
        cause: { name: 'E', message: 'why' },
      },
      task: 'Source (1/2)',
      location: 'h:5',
      taskManagerId: 'tm-5',
      concurrent: [
        {
          timestamp: 3,
          error: {
            name: 'FlinkError',
            message: 'gone',
            code: 'jobmanager.task-manager-lost',
            domain: 'external',
          },
          task: 'Sink (2/2)',
          location: 'h:6',
          taskManagerId: 'tm-6',
        },
      ],
    },
  ],
} as unknown as JobDetails

const resources = {
  totalSlots: 4,
  freeSlots: 2,
  taskManagers: [
    {
      resourceId: 'tm1',
      dataAddress: 'host1:5001',
      host: 'host1',
      totalSlots: 4,
      freeSlots: 2,
      lastHeartbeat: 99,
      hardware: { cpuCores: 2, physicalMemoryBytes: 1024, pid: 1 },
      memory: { taskBytes: 400 * 1024 ** 2, networkBytes: 100 * 1024 ** 2 },
      allocatedSlots: [JOB, JOB],
    },
  ],
} as unknown as ResourceOverview

describe('REST API', () => {
  const open: RestServer[] = []
  afterEach(async () => {
    for (const server of open.splice(0)) await server.close()
  })

  async function start(change: Partial<DispatcherGateway> = {}) {
    const cancelled: string[] = []
    const dispatcher = {
      listJobs: async () => [details],
      requestJobDetails: async (jobId: JobId) => {
        if (jobId !== JOB) throw JobNotFound({ jobId })
        return details
      },
      cancelJob: async (jobId: JobId) => void cancelled.push(jobId),
      requestResourceOverview: async () => resources,
      inspectTaskManager: async (_: string, inspection: ProcessInspection) =>
        inspectProcess(fakeMonitor(), inspection),
      ...change,
    } as DispatcherGateway
    const dependencies = {
      dispatcher,
      clock: new ManualClock(200),
      random: new SeededRandom(1),
      configuration: Configuration.EMPTY,
      monitor: fakeMonitor(),
      logger: nullLogger,
      version: '0.1.0',
    }
    const server = createRestServer(
      { bindAddress: '127.0.0.1', port: 0, allowUnauthenticated: false },
      dependencies,
    )
    open.push(server)
    const port = await server.start()
    const call = async (path: string, method = 'GET') => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { method })
      return { status: response.status, body: (await response.json()) as Record<string, unknown> }
    }
    return { call, cancelled, port }
  }

  it("answers in Flink's shapes, bare and under /v1", async () => {
    const { call } = await start()
    for (const prefix of ['', '/v1']) {
      expect((await call(`${prefix}/overview`)).body).toEqual({
        taskmanagers: 1,
        'slots-total': 4,
        'slots-available': 2,
        'jobs-running': 1,
        'jobs-finished': 0,
        'jobs-cancelled': 0,
        'jobs-failed': 0,
        'flink-version': '0.1.0',
      })
      expect((await call(`${prefix}/jobs`)).body).toEqual({ jobs: [{ id: JOB, status: 'RUNNING' }] })
      expect((await call(`${prefix}/jobs/${JOB}/status`)).body).toEqual({ status: 'RUNNING' })
    }
    expect((await call('/config')).body).toMatchObject({
      'refresh-interval': 3000,
      features: { 'web-submit': false },
    })
    expect((await call('/jobs/overview')).body).toMatchObject({
      jobs: [{ jid: JOB, 'end-time': -1, duration: 100, tasks: { total: 2, running: 1, finished: 1 } }],
    })
  })

  it('shows a job with its vertices, plan and exceptions', async () => {
    const { call } = await start()
    const { body } = await call(`/jobs/${JOB}`)
    expect(body).toMatchObject({
      jid: JOB,
      state: 'RUNNING',
      now: 200,
      timestamps: { RUNNING: 105, FAILED: 0 },
      'status-counts': { RUNNING: 1, FAILED: 0 },
      vertices: [
        {
          duration: 90,
          tasks: { RUNNING: 1, FINISHED: 1 },
          metrics: { 'read-records': 2, 'write-bytes': 8 },
        },
      ],
      plan: {
        nodes: [
          { id: 'v1', inputs: [] },
          { id: 'v2', inputs: [{ id: 'v1', ship_strategy: 'HASH' }] },
        ],
      },
    })
    expect((await call(`/jobs/${JOB}/plan`)).body).toEqual({ plan: body['plan'] })
    expect((await call(`/jobs/${JOB}/exceptions`)).body).toMatchObject({
      'root-exception': 'TypeError: boom\n  at job.ts:3\nCaused by: E: why',
      truncated: false,
      exceptionHistory: {
        entries: [
          {
            exceptionName: 'TypeError',
            taskName: 'Source (1/2)',
            endpoint: 'h:5',
            taskManagerId: 'tm-5',
            failureLabels: { domain: 'user' },
            concurrentExceptions: [
              {
                exceptionName: 'jobmanager.task-manager-lost',
                taskName: 'Sink (2/2)',
                failureLabels: { domain: 'external', code: 'jobmanager.task-manager-lost' },
              },
            ],
          },
          { timestamp: 1 },
        ],
      },
    })
    const external = await call(`/jobs/${JOB}/exceptions?failureLabelFilter=domain:external`)
    expect(external.body).toMatchObject({ exceptionHistory: { entries: [] }, truncated: false })
    expect((await call(`/jobs/${JOB}/exceptions?failureLabelFilter=external`)).status).toBe(400)
    const twice = 'failureLabelFilter=domain:external&failureLabelFilter=code:x'
    expect((await call(`/jobs/${JOB}/exceptions?${twice}`)).status).toBe(200)
    const one = (await call(`/jobs/${JOB}/exceptions?maxExceptions=1`)).body
    expect(one).toMatchObject({ truncated: true, exceptionHistory: { truncated: true } })
    expect(one['all-exceptions']).toHaveLength(1)
  })

  it('shows where event time is, since when, and who holds it back', async () => {
    const { call } = await start()
    expect((await call(`/jobs/${JOB}/vertices/v1/watermarks`)).body).toEqual([
      {
        id: '1.currentInputWatermark',
        value: '-9223372036854775808',
        since: 115,
        'held-by': ['Orders (2/2)'],
      },
    ])
    expect(await call(`/jobs/${JOB}/vertices/v7/watermarks`)).toEqual({
      status: 404,
      body: { errors: [`Job ${JOB} has no vertex v7; it has v1.`] },
    })
  })

  it('shows TaskManagers with what is known of them', async () => {
    const { call } = await start()
    const tm = {
      id: 'tm1',
      path: 'host1',
      dataPort: 5001,
      timeSinceLastHeartbeat: 99,
      slotsNumber: 4,
      freeSlots: 2,
      hardware: { cpuCores: 2, physicalMemory: 1024 },
      totalResource: { cpuCores: 2, taskHeapMemory: 400, networkMemory: 100 },
      freeResource: { cpuCores: 1, taskHeapMemory: 200, networkMemory: 50 },
      memoryConfiguration: {
        taskHeap: 400 * 1024 ** 2,
        networkMemory: 100 * 1024 ** 2,
        totalFlinkMemory: 500 * 1024 ** 2,
      },
    }
    expect((await call('/taskmanagers')).body).toEqual({ taskmanagers: [tm] })
    const resource = { cpuCores: 0.5, taskHeapMemory: 100, networkMemory: 25 }
    expect((await call('/taskmanagers/tm1')).body).toEqual({
      ...tm,
      allocatedSlots: [
        { jobId: JOB, resource },
        { jobId: JOB, resource },
      ],
      metrics: { heapUsed: 7, garbageCollectors: [] },
    })
    expect((await call('/taskmanagers/tm9')).status).toBe(404)
  })

  it('cancels a job', async () => {
    const { call, cancelled } = await start()
    expect(await call(`/jobs/${JOB}?mode=cancel`, 'PATCH')).toEqual({ status: 202, body: {} })
    expect(await call(`/v1/jobs/${JOB}`, 'PATCH')).toEqual({ status: 202, body: {} })
    expect(cancelled).toEqual([JOB, JOB])
    expect(await call(`/jobs/${JOB}?mode=stop`, 'PATCH')).toMatchObject({ status: 400 })
    expect(cancelled).toHaveLength(2)
  })

  it('says what is wrong, with the right status', async () => {
    const broken = defineError<Record<string, never>>({
      code: 'x.y',
      domain: 'external',
      retry: 'backoff',
      message: () => 'gone',
    })
    const { call } = await start({
      requestResourceOverview: async () => {
        throw broken({})
      },
      listJobs: async () => {
        throw new Error('bug')
      },
    })
    expect(await call(`/jobs/${'b'.repeat(32)}`)).toEqual({
      status: 404,
      body: { errors: [`There is no job ${'b'.repeat(32)} here.`] },
    })
    expect((await call('/jobs/XYZ')).status).toBe(400)
    expect((await call(`/jobs/${JOB}/exceptions?maxExceptions=all`)).status).toBe(400)
    expect((await call('/nothing/here')).body).toEqual({ errors: ['Not found: GET /nothing/here'] })
    expect(await call('/taskmanagers')).toEqual({ status: 503, body: { errors: ['gone'] } })
    expect(await call('/jobs')).toEqual({ status: 500, body: { errors: ['bug'] } })
  })

  it.each([
    ['GET /jobs/%zz HTTP/1.1', 400, 'not a valid url'],
    ['GET http://[ HTTP/1.1', 400, 'not a valid url'],
    [`GET /jobs/${'a'.repeat(300)} HTTP/1.1`, 414, 'max param length'],
    ['FOO /jobs HTTP/1.1', 400, 'no valid HTTP request'],
    ['DELETE /jobs HTTP/1.1', 405, 'use GET, HEAD, POST'],
    ['hello', 400, 'no valid HTTP request'],
    [`GET /jobs HTTP/1.1\r\nX: ${'y'.repeat(40_000)}`, 431, 'no valid HTTP request'],
    ['PATCH /jobs/x HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{x', 400, 'JSON'],
    ['PATCH /jobs/x HTTP/1.1\r\nContent-Type: text/foo\r\nContent-Length: 2\r\n\r\n{x', 415, 'Unsupported'],
    [
      'PATCH /jobs/x HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 20000000',
      413,
      'too large',
    ],
    ['PATCH /jobs/x HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 0', 400, 'job id'],
    ['GET /jobs/x HTTP/1.1', 400, 'job id'],
    [
      `POST /jobs/${'a'.repeat(32)}/savepoints HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 200000\r\n\r\n` +
        '['.repeat(100_000) +
        ']'.repeat(100_000),
      400,
      'JSON object',
    ],
  ])('answers %j in the same shape', async (request, status, text) => {
    const { port } = await start()
    const socket = connect(port, '127.0.0.1', () => socket.write(`${request}\r\n\r\n`))
    let answer = ''
    for await (const chunk of socket) {
      answer += chunk
      const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? Number.POSITIVE_INFINITY)
      if (answer.length - answer.indexOf('\r\n\r\n') - 4 >= length) break
    }
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    expect(head).toContain(`HTTP/1.1 ${status} `)
    expect(JSON.parse(body)).toEqual({ errors: [expect.stringContaining(text)] })
  })

  it('demands the token, if there is one, of every request', async () => {
    const authToken = 'a token of some length'
    const dependencies = {
      dispatcher: { listJobs: async () => [] } as never,
      clock: new ManualClock(),
      logger: nullLogger,
      configuration: Configuration.EMPTY,
      monitor: fakeMonitor(),
      version: '1',
    }
    const server = createRestServer(
      { bindAddress: '0.0.0.0', port: 0, allowUnauthenticated: false, authToken },
      dependencies as never,
    )
    open.push(server)
    const port = await server.start()
    const ask = async (path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers })
      return { status: response.status, body: (await response.json()) as object }
    }
    const refused = { status: 401, body: { errors: [expect.stringContaining('security.auth.token-file')] } }
    expect(await ask('/jobs')).toEqual(refused)
    expect(await ask('/v1/nothing')).toEqual(refused)
    expect(await ask('/jobs', { authorization: 'Bearer another' })).toEqual(refused)
    expect(await ask('/jobs', { authorization: `Bearer ${authToken}` })).toEqual({
      status: 200,
      body: { jobs: [] },
    })
  })

  it('is not opened to the network by accident', async () => {
    const dependencies = {
      dispatcher: {} as DispatcherGateway,
      clock: new ManualClock(),
      random: new SeededRandom(1),
      configuration: Configuration.EMPTY,
      monitor: fakeMonitor(),
      logger: nullLogger,
      version: '1',
    }
    for (const bindAddress of ['0.0.0.0', '::', '10.0.0.1', 'example.org', '127.0.0.1.example.org']) {
      const server = createRestServer({ bindAddress, port: 0, allowUnauthenticated: false }, dependencies)
      await expect(server.start()).rejects.toThrow(/security\.rest\.allow-unauthenticated/)
    }
  })

  it('names a port that is taken', async () => {
    const { port } = await start()
    const dependencies = {
      dispatcher: {} as DispatcherGateway,
      clock: new ManualClock(),
      random: new SeededRandom(1),
      configuration: Configuration.EMPTY,
      monitor: fakeMonitor(),
      logger: nullLogger,
      version: '1',
    }
    const second = createRestServer(
      { bindAddress: '127.0.0.1', port, allowUnauthenticated: false },
      dependencies,
    )
    await expect(second.start()).rejects.toMatchObject({ code: 'rest.bind-failed', data: { port } })
    await second.close()
    // The first one still holds it; when it is closed the port is free.
    for (const server of open.splice(0)) await server.close()
    await new Promise<void>((resolve, reject) => {
      const probe = createServer()
        .once('error', reject)
        .listen(port, '127.0.0.1', () => probe.close(() => resolve()))
    })
  })
})
