import { symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { nullLogger, SystemClock } from '@flink-ts/common'
import type { ProcessMonitor } from '@flink-ts/gateways'
import { PrometheusServer } from '@flink-ts/rest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FlinkSchema } from '../testing/flink-schema.ts'
import { type Json, RestCluster } from '../testing/rest-cluster.ts'

const schema = new FlinkSchema(new URL('../../testdata/rest_v1_dispatcher.yml', import.meta.url))
const clock = new SystemClock()
let rest: RestCluster
const jobs: Record<string, string> = {}
const answered = new Set<string>()
const submit = (job: string): Promise<string> => rest.submit(job)
const call: RestCluster['call'] = (path, init) => rest.call(path, init)
const until: RestCluster['until'] = (path, holds) => rest.until(path, holds)
const idle: ProcessMonitor = {
  requestMetrics: async () => ({}),
  listLogs: async () => [],
  readLog: async () => new Uint8Array(),
  requestThreadDump: async () => [],
  requestProfile: async () => ({ name: 'root', value: 0, children: [] }),
}

beforeAll(async () => {
  rest = await RestCluster.start({
    's3.secret-key': 'do not tell',
    'rest.flamegraph.num-samples': '6',
  })
  const { folder } = rest
  writeFileSync(join(folder, 'own.log'), 'line 1\nline 2\n')
  writeFileSync(join(folder, 'secret.txt'), 'secret')
  symlinkSync(join(folder, 'secret.txt'), join(folder, 'linked.log'))
  for (const name of ['running', 'failed', 'finished']) jobs[name] = await submit(name)
  await until(`/jobs/${jobs['running']}`, job => job.vertices?.[1]?.metrics['read-records'] > 100)
  await until(`/jobs/${jobs['running']}/checkpoints`, ({ counts }) => counts.completed > 0)
  await until(`/jobs/${jobs['failed']}/status`, ({ status }) => status === 'FAILED')
  await until(`/jobs/${jobs['finished']}/status`, ({ status }) => status === 'FINISHED')
}, 60_000)

afterAll(async () => {
  await rest?.close()
})

/** Asks as `operation` is described, bare and under /v1, and compares with the description. */
async function ask(
  operation: string,
  values: Record<string, string> = {},
  query = '',
  sent?: object,
): Promise<Json> {
  const [method = '', template = ''] = operation.split(' ')
  const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] as string) + query
  const { status, body } = await call(`/v1${path}`, {
    method,
    ...(sent && { body: JSON.stringify(sent), headers: { 'content-type': 'application/json' } }),
  })
  expect(schema.problems(operation, status, body)).toEqual([])
  if (method === 'GET') expect((await call(path)).status).toBe(status)
  answered.add(operation)
  return body
}

describe('answers are as Flink describes them', () => {
  const vertex = async (job: string, index: number): Promise<Record<string, string>> => {
    const { vertices } = await ask('GET /jobs/{jobid}', { jobid: jobs[job] as string })
    return { jobid: jobs[job] as string, vertexid: vertices[index].id, subtaskindex: '0', attempt: '0' }
  }

  it('of the cluster and its processes', async () => {
    expect(await ask('GET /overview')).toMatchObject({ taskmanagers: 1, 'slots-total': 6 })
    await ask('GET /config')
    expect(await ask('GET /datasets')).toEqual({ dataSets: [] })
    const { taskmanagers } = await ask('GET /taskmanagers')
    const taskmanagerid = taskmanagers[0].id
    const tm = await ask('GET /taskmanagers/{taskmanagerid}', { taskmanagerid })
    expect(tm.metrics.heapUsed).toBeGreaterThan(1_000_000)
    expect(tm.allocatedSlots.map((slot: Json) => slot.jobId)).toContain(jobs['running'])
    expect(tm.freeResource.taskHeapMemory).toBeLessThan(tm.totalResource.taskHeapMemory)
    const ids = await ask('GET /taskmanagers/{taskmanagerid}/metrics', { taskmanagerid })
    expect(ids).toContainEqual({ id: 'Status.JVM.GarbageCollector.All.Count' })
    const [heap] = await ask(
      'GET /taskmanagers/{taskmanagerid}/metrics',
      { taskmanagerid },
      '?get=Status.JVM.Memory.Heap.Used',
    )
    expect(Number(heap.value)).toBeGreaterThan(1_000_000)
    await until(`/taskmanagers/${taskmanagerid}/metrics`, (all: Json[]) =>
      all.some(({ id }) => /^Status\.Thread\.slot-\d\.EventLoop\.DelayMaxMs$/.test(id)),
    )
    const [total] = await ask('GET /taskmanagers/metrics', {}, '?get=taskSlotsTotal&agg=sum,max')
    expect(total).toEqual({ id: 'taskSlotsTotal', sum: 6, max: 6 })
    const { threadInfos } = await ask('GET /taskmanagers/{taskmanagerid}/thread-dump', { taskmanagerid })
    expect(threadInfos.map((thread: Json) => thread.threadName)).toEqual(
      expect.arrayContaining(['main', expect.stringMatching(/^slot-\d$/), 'network']),
    )
    expect((await ask('GET /taskmanagers/{taskmanagerid}/logs', { taskmanagerid })).logs).toHaveLength(1)
    const [slots] = await ask('GET /jobmanager/metrics', {}, '?get=taskSlotsTotal')
    expect(slots).toEqual({ id: 'taskSlotsTotal', value: '6' })
    expect((await ask('GET /jobmanager/environment')).jvm.version).toContain('Node.js')
    expect(await ask('GET /jobmanager/config')).toContainEqual({ key: 's3.secret-key', value: '******' })
    await ask('GET /jobmanager/logs')
    await ask('GET /jobmanager/thread-dump')
    const profiler = `/taskmanagers/${taskmanagerid}/profiler`
    const body = JSON.stringify({ mode: 'WALL', duration: 1 })
    const started = await call(profiler, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body },
    })
    expect(started.body).toMatchObject({ status: 'RUNNING', mode: 'WALL', duration: 1, outputFile: '' })
    const { profilingList } = await until(profiler, ({ profilingList: [last] }) => last.status !== 'RUNNING')
    expect(profilingList[0]).toMatchObject({ status: 'FINISHED', message: 'Done' })
    const { body: root } = await call(`${profiler}/${profilingList[0].outputFile.replace('html', 'json')}`)
    expect(root.children.map((thread: Json) => thread.name)).toEqual(
      expect.arrayContaining(['<main>', expect.stringMatching(/^<slot-\d>$/), '<network>']),
    )
  })

  it('of jobs', async () => {
    expect((await ask('GET /jobs')).jobs).toHaveLength(3)
    expect((await ask('GET /jobs/overview')).jobs.map((job: Json) => job.state).sort()).toEqual([
      'FAILED',
      'FINISHED',
      'RUNNING',
    ])
    for (const [name, jobid] of Object.entries(jobs)) {
      for (const part of [
        '',
        '/plan',
        '/accumulators',
        '/checkpoints',
        '/checkpoints/config',
        '/exceptions',
      ]) {
        await ask(`GET /jobs/{jobid}${part}`, { jobid })
      }
      for (const part of ['/metrics', '/status', '/resource-requirements'])
        await ask(`GET /jobs/{jobid}${part}`, { jobid })
      for (const part of ['config', 'environment', 'log-url'])
        await ask(`GET /jobs/{jobid}/jobmanager/${part}`, { jobid })
      await ask('GET /jobs/{jobid}/taskmanagers/{taskmanagerid}/log-url', { jobid, taskmanagerid: 'tm' })
      const config = await ask('GET /jobs/{jobid}/config', { jobid })
      expect(config['execution-config']['job-parallelism']).toBe(2)
      const result = await ask('GET /jobs/{jobid}/execution-result', { jobid })
      const outcome = { finished: 'SUCCEEDED', failed: 'FAILED' }[name]
      expect(result['job-execution-result']?.['application-status']).toBe(outcome)
    }
    const { counts, latest } = await ask('GET /jobs/{jobid}/checkpoints', {
      jobid: jobs['running'] as string,
    })
    expect(counts.completed).toBeGreaterThan(0)
    const details = { jobid: jobs['running'] as string, checkpointid: String(latest.completed.id) }
    const one = await ask('GET /jobs/{jobid}/checkpoints/details/{checkpointid}', details)
    const vertexid = Object.keys(one.tasks)[0] as string
    await ask('GET /jobs/{jobid}/checkpoints/details/{checkpointid}/subtasks/{vertexid}', {
      ...details,
      vertexid,
    })
    const [restarts] = await ask(
      'GET /jobs/{jobid}/metrics',
      { jobid: jobs['failed'] as string },
      '?get=numRestarts',
    )
    expect(restarts).toEqual({ id: 'numRestarts', value: '1' })
    const [completed] = await ask('GET /jobs/metrics', {}, '?get=numberOfCompletedCheckpoints')
    expect(completed.max).toBeGreaterThan(0)
  })

  it('of vertices, subtasks and attempts', async () => {
    const parts = [
      ...['', '/accumulators', '/backpressure', '/jm-operator-metrics', '/metrics', '/subtasks/accumulators'],
      ...['/subtasks/metrics', '/subtasks/{subtaskindex}', '/subtasks/{subtaskindex}/attempts/{attempt}'],
      ...['/subtasks/{subtaskindex}/attempts/{attempt}/accumulators', '/subtasks/{subtaskindex}/metrics'],
      ...['/subtasktimes', '/taskmanagers', '/watermarks'],
    ]
    for (const [job, index] of [
      ['running', 0],
      ['running', 1],
      ['failed', 0],
      ['finished', 0],
    ] as const) {
      const values = await vertex(job, index)
      for (const part of parts) await ask(`GET /jobs/{jobid}/vertices/{vertexid}${part}`, values)
    }
    const values = await vertex('failed', 0)
    const path = 'GET /jobs/{jobid}/vertices/{vertexid}/subtasks/{subtaskindex}'
    expect(await ask(path, values)).toMatchObject({ attempt: 1 })
    expect(await ask(`${path}/attempts/{attempt}`, values)).toMatchObject({ attempt: 0 })
  })

  it('with real values', async () => {
    const values = await vertex('running', 1)
    const at = `/jobs/${values['jobid']}/vertices/${values['vertexid']}`
    const metric = async (id: string): Promise<string> =>
      (await call(`${at}/metrics?get=${id}`)).body[0]?.value
    expect(Number(await metric('0.numRecordsIn'))).toBeGreaterThan(0)
    await until(`${at}/metrics?get=0.numRecordsInPerSecond`, ([rate]) => Number(rate.value) > 10)
    expect(Number(await metric('0.currentInputWatermark'))).toBeGreaterThan(0)
    expect(await metric('0.watched.orders.gauge')).toBe('42')
    expect(Number(await metric('0.checkpointStartDelayNanos'))).toBeGreaterThan(0)
    expect(Number(await metric('0.watched.orders.amount_max'))).toBeGreaterThan(50)
    const three = 'backPressuredTimeMsPerSecond,busyTimeMsPerSecond,numRecordsInPerSecond'
    const aggregated = (await call(`${at}/subtasks/metrics?get=${three}`)).body
    expect(aggregated.map(({ id }: Json) => id)).toEqual(three.split(','))
    expect(aggregated[2].sum).toBeGreaterThan(10)
    expect((await call(`${at}/backpressure`)).body).toMatchObject({
      status: 'ok',
      'backpressure-level': 'ok',
    })
    const accumulators = (await call(`${at}/accumulators`)).body['user-accumulators']
    expect(accumulators).toMatchObject([{ name: 'orders', type: 'LongCounter' }])
    expect(Number(accumulators[0].value)).toBeGreaterThan(100)
    const { subtasks } = (await call(`${at}`)).body
    expect(subtasks[0]['status-duration'].RUNNING).toBeGreaterThan(0)
  })

  it('of what is started and asked for again', async () => {
    const jobid = jobs['running'] as string
    const outcome = async (operation: string, triggerid: string): Promise<Json> => {
      const values = { jobid, triggerid }
      const path = operation.slice(4).replace('{jobid}', jobid).replace('{triggerid}', triggerid)
      await until(path, ({ status }) => status.id === 'COMPLETED')
      return (await ask(operation, values)).operation
    }
    const savepoint = await ask('POST /jobs/{jobid}/savepoints', { jobid }, '', {
      'target-directory': pathToFileURL(join(rest.folder, 'savepoints')).href,
    })
    const { location } = await outcome('GET /jobs/{jobid}/savepoints/{triggerid}', savepoint['request-id'])
    expect(location).toContain('savepoint-')
    const disposal = await ask('POST /savepoint-disposal', {}, '', { 'savepoint-path': location })
    await outcome('GET /savepoint-disposal/{triggerid}', disposal['request-id'])
    const checkpoint = await ask('POST /jobs/{jobid}/checkpoints', { jobid }, '', {})
    const taken = await outcome('GET /jobs/{jobid}/checkpoints/{triggerid}', checkpoint['request-id'])
    expect(taken.checkpointId).toBeGreaterThan(0)
    const failing = await ask('POST /jobs/{jobid}/savepoints', { jobid }, '', {
      'target-directory': '/dev/null/nowhere',
    })
    const failed = await outcome('GET /jobs/{jobid}/savepoints/{triggerid}', failing['request-id'])
    expect(failed['failure-cause'].class).toContain('.')
  })

  it('of what tasks do', async () => {
    const jobid = await submit('busy')
    await until(`/jobs/${jobid}`, job => job.vertices?.[1]?.metrics['read-records'] > 100)
    const { vertices } = (await call(`/jobs/${jobid}`)).body
    const values = { jobid, vertexid: vertices[1].id }
    const operation = 'GET /jobs/{jobid}/vertices/{vertexid}/flamegraph'
    const { data } = await until(
      `/jobs/${jobid}/vertices/${vertices[1].id}/flamegraph`,
      ({ endTimestamp }) => endTimestamp > 0,
    )
    const onCpu = (await ask(operation, values, '?type=ON_CPU')).data
    const offCpu = (await ask(operation, values, '?type=off_cpu')).data
    console.log(JSON.stringify([onCpu, offCpu], null, 1))
    expect(data.value).toBe(onCpu.value + offCpu.value)
    const one = await ask(operation, values, '?subtaskindex=0')
    expect(one).toEqual({ endTimestamp: -3 })
    const finished = await vertex('finished', 0)
    expect(await ask(operation, finished)).toEqual({ endTimestamp: -1 })
    await call(`/jobs/${jobid}`, { method: 'PATCH' })
    await until(`/jobs/${jobid}/status`, ({ status }) => status === 'CANCELED')
  })

  it('for everything that can be asked for', () => {
    const missing = schema.operations.filter(
      operation => operation.startsWith('GET ') && !answered.has(operation),
    )
    // What only uploads have, and what is refused.
    expect(missing).toEqual([
      'GET /datasets/delete/{triggerid}',
      'GET /jars',
      'GET /jobs/{jobid}/rescaling/{triggerid}',
    ])
  })
})

describe('log files', () => {
  it('are sent as they are', async () => {
    const { status, text } = await call('/jobmanager/log')
    expect([status, text]).toEqual([200, 'line 1\nline 2\n'])
    expect((await call('/jobmanager/logs/own.log')).text).toBe('line 1\nline 2\n')
    expect((await call('/jobmanager/stdout')).status).toBe(404)
  })

  it.each([
    ['bytes=-7', 206, 'line 2\n'],
    ['bytes=-8', 206, '\nline 2\n'],
    ['bytes=-14', 200, 'line 1\nline 2\n'],
    ['bytes=-1000', 200, 'line 1\nline 2\n'],
    ['bytes=-0', 200, 'line 1\nline 2\n'],
    ['bytes=2-3', 200, 'line 1\nline 2\n'],
  ])('are sent from their end: %s', async (range, status, text) => {
    expect(await call('/jobmanager/log', { headers: { range } })).toMatchObject({ status, text })
  })

  // CVE-2020-17519: names led out of the folder of logs.
  it.each([
    'secret.txt',
    'linked.log',
    '..%2fsecret.txt',
    '..%252f..%252f..%252f..%252fetc%252fpasswd',
    '%2fetc%2fpasswd',
    '..%5c..%5cetc%5cpasswd',
    'own.log%00.txt',
    '.%2fown.log',
  ])('are no way to other files: %s', async name => {
    const { taskmanagers } = (await call('/taskmanagers')).body
    for (const process of ['/jobmanager', `/v1/taskmanagers/${taskmanagers[0].id}`]) {
      const { status, text } = await call(`${process}/logs/${name}`)
      expect([400, 404]).toContain(status)
      expect(text).not.toContain('root:')
      expect(text).not.toContain('line 1')
      expect(JSON.parse(text).errors).toHaveLength(1)
    }
  })
})

it('Prometheus gets the metrics of the cluster by the names of its reporter', async () => {
  const server = new PrometheusServer(
    {
      ...{ bindAddress: '127.0.0.1', ports: { from: 0, to: 0 }, allowUnauthenticated: false },
      authToken: 'a token of some length',
      host: 'jm',
    },
    {
      dispatcher: rest.cluster.dispatcher,
      monitor: { ...idle, requestMetrics: async () => ({ 'Status.JVM.CPU.Load': 0.5 }) },
      ...{ clock, logger: nullLogger },
    },
  )
  const url = `http://127.0.0.1:${await server.start()}/metrics`
  try {
    expect((await fetch(url)).status).toBe(401)
    const response = await fetch(url, { headers: { authorization: 'Bearer a token of some length' } })
    expect(response.headers.get('content-type')).toContain('version=0.0.4')
    const lines = (await response.text()).trimEnd().split('\n')
    expect(lines).toContain('flink_jobmanager_Status_JVM_CPU_Load{host="jm"} 0.5')
    expect(lines).toContain('flink_jobmanager_numRunningJobs{host="jm"} 1')
    const find = (pattern: RegExp): string | undefined => lines.find(line => pattern.test(line))
    expect(find(/^flink_taskmanager_Status_JVM_Memory_Heap_Used\{host=".*",tm_id=".*"\} \d+$/)).toBeDefined()
    expect(
      find(/^flink_jobmanager_job_numberOfCompletedCheckpoints\{.*job_name="running"\} \d+$/),
    ).toBeDefined()
    expect(
      find(/^flink_taskmanager_job_task_numRecordsIn\{.*task_name="watched.*subtask_index="1"\}/),
    ).toBeDefined()
    expect(
      find(/^flink_taskmanager_job_task_operator_orders_gauge\{.*operator_name="watched"\} 42$/),
    ).toBeDefined()
    expect(find(/^flink_taskmanager_job_task_operator_orders_amount\{.*quantile="0.99"\}/)).toBeDefined()
    // Each name once, all its samples behind it.
    const types = lines.filter(line => line.startsWith('# TYPE'))
    expect(new Set(types).size).toBe(types.length)
    const sample = /^[a-zA-Z_:][a-zA-Z0-9_:]*(\{([a-z_]+="([^"\\]|\\.)*",?)*\})? -?\d[\d.e+-]*$/
    expect(lines.filter(line => !line.startsWith('# TYPE') && !sample.test(line))).toEqual([])
  } finally {
    server.close()
  }
})

describe('what is asked for and not there', () => {
  it.each([
    ['GET', '/taskmanagers/nobody', 404],
    ['GET', '/taskmanagers/nobody/metrics', 404],
    ['GET', '/taskmanagers/nobody/log', 404],
    ['GET', '/jobs/:running/vertices/v/subtasks/metrics', 404],
    ['GET', '/jobs/:running/vertices/:vertex/subtasks/7', 404],
    ['GET', '/jobs/:running/vertices/:vertex/subtasks/x', 400],
    ['GET', '/jobs/:running/vertices/:vertex/subtasks/0/attempts/9', 404],
    ['GET', '/jobs/:running/vertices/:vertex/subtasks/metrics?get=numRecordsIn&agg=most', 400],
    ['GET', '/jobs/:running/vertices/:vertex/subtasks/metrics?get=numRecordsIn&subtasks=1-0', 400],
    ['GET', '/jobs/:running/vertices/:vertex/flamegraph?type=cold', 400],
    ['GET', '/jobs/:running/vertices/:vertex/flamegraph?subtaskindex=7', 404],
    ['DELETE', '/jobs/:running/vertices/:vertex/flamegraph', 405],
    ['PATCH', '/jobs/:running/rescaling?parallelism=2', 400],
    ['PUT', '/jobs/:running/resource-requirements', 400],
    ['POST', '/jobs', 400],
    ['DELETE', '/cluster', 400],
    ['DELETE', '/datasets/1', 400],
    ['GET', '/jobmanager/profiler/cpu-1.html', 404],
    ['POST', '/jobmanager/profiler', 400],
  ])('%s %s is refused with the reason', async (method, path, status) => {
    const { vertices } = (await call(`/jobs/${jobs['running']}`)).body
    const filled = path.replace(':running', jobs['running'] as string).replace(':vertex', vertices[0].id)
    const answer = await call(filled, { method })
    expect(answer.status).toBe(status)
    expect(answer.body.errors[0].length).toBeGreaterThan(20)
  })
})

it('a job whose client is not heard of in time is cancelled', async () => {
  const jobid = await submit('running')
  const beat = (expiredTimestamp: number) =>
    call(`/jobs/${jobid}/clientHeartbeat`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ expiredTimestamp }),
    })
  expect((await beat(clock.now() + 600_000)).status).toBe(202)
  expect((await beat(clock.now() + 10)).status).toBe(202)
  await until(`/jobs/${jobid}/status`, ({ status }) => status === 'CANCELED')
})
