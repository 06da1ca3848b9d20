import { Configuration, type JobId, ManualClock, nullLogger, SeededRandom } from '@flink-ts/common'
import type { DispatcherGateway, JobRestart, SavepointStatus, SavepointTrigger } from '@flink-ts/gateways'
import { afterEach, expect, it } from 'vitest'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { createRestServer, type RestServer } from './rest-server.ts'

const JOB = 'a'.repeat(32) as JobId
const open: RestServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function start() {
  const triggers: SavepointTrigger[] = []
  const restarts: JobRestart[] = []
  const statuses = new Map<string, SavepointStatus>()
  const disposed: string[] = []
  const clock = new ManualClock(0)
  const dispatcher = {
    requestJobDetails: async () => ({}),
    triggerSavepoint: async (_: JobId, trigger: SavepointTrigger) => {
      triggers.push(trigger)
      statuses.set(trigger.triggerId, { type: 'in-progress' })
      return new Promise<string>(() => {})
    },
    triggerCheckpoint: async (_: JobId, triggerId: string) => {
      statuses.set(triggerId, { type: 'completed', location: '42' })
      return '42'
    },
    restartJob: async (_: JobId, restart: JobRestart) => {
      restarts.push(restart)
      const { triggerId, newJobId } = restart
      const lost = restart.from === undefined
      const error = { name: 'Error', message: 'no slots', stack: 'Error: no slots' }
      statuses.set(triggerId, lost ? { type: 'failed', error } : { type: 'completed', location: newJobId })
      return newJobId
    },
    requestSavepointStatus: async (_: JobId, triggerId: string) => statuses.get(triggerId)!,
    disposeSavepoint: async (path: string) => {
      disposed.push(path)
      if (path === 'missing') throw new Error('There is no savepoint.')
    },
  } as unknown as DispatcherGateway
  const server = createRestServer(
    { bindAddress: '127.0.0.1', port: 0, allowUnauthenticated: false },
    {
      dispatcher,
      clock,
      random: new SeededRandom(1),
      configuration: Configuration.EMPTY,
      monitor: fakeMonitor(),
      logger: nullLogger,
      version: '0.1.0',
    },
  )
  open.push(server)
  const port = await server.start()
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method,
      ...(body !== undefined && {
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json' },
      }),
    })
    return { status: response.status, body: (await response.json()) as Record<string, unknown> }
  }
  return { call, restarts, triggers, statuses, disposed, clock }
}

it('triggers savepoints and stops, and tells their outcome', async () => {
  const { call, triggers, statuses } = await start()
  const first = await call('POST', `/jobs/${JOB}/savepoints`, {
    'target-directory': '/sp',
    'cancel-job': true,
  })
  expect(first.status).toBe(202)
  const id = first.body['request-id'] as string
  expect(id).toMatch(/^[0-9a-f]{32}$/)
  const own = 'b'.repeat(32)
  expect(
    await call('POST', `/v1/jobs/${JOB}/stop`, { drain: true, triggerId: own, formatType: 'native' }),
  ).toEqual({
    status: 202,
    body: { 'request-id': own },
  })
  await call('POST', `/jobs/${JOB}/stop`)
  expect(triggers).toMatchObject([
    { triggerId: id, directory: '/sp', stop: 'cancel' },
    { triggerId: own, stop: 'drain' },
    { stop: 'suspend' },
  ])
  expect((await call('GET', `/jobs/${JOB}/savepoints/${id}`)).body).toEqual({ status: { id: 'IN_PROGRESS' } })
  statuses.set(id, { type: 'completed', location: 'file:///sp/savepoint-1' })
  expect((await call('GET', `/v1/jobs/${JOB}/savepoints/${id}`)).body).toEqual({
    status: { id: 'COMPLETED' },
    operation: { location: 'file:///sp/savepoint-1' },
  })
  statuses.set(own, {
    type: 'failed',
    error: { name: 'FlinkError', code: 'c', message: 'm', stack: 'Error: m' },
  })
  expect((await call('GET', `/jobs/${JOB}/savepoints/${own}`)).body).toEqual({
    status: { id: 'COMPLETED' },
    operation: {
      'failure-cause': {
        class: 'c',
        'stack-trace': 'Error: m',
        'serialized-throwable': expect.any(String),
      },
    },
  })
})

it('says what is wrong with a request', async () => {
  const { call } = await start()
  for (const [body, text] of [
    [{ 'cancel-job': 'yes' }, /"yes".*cancel-job.*true or false/],
    [{ 'target-directory': 5 }, /target-directory.*a text/],
    [{ triggerId: 'x' }, /triggerId.*32/],
    [{ formatType: 'JSON' }, /formatType.*CANONICAL/],
    [[1], /a JSON object/],
  ] as const) {
    const answer = await call('POST', `/jobs/${JOB}/savepoints`, body)
    expect(answer.status).toBe(400)
    expect(String(answer.body['errors'])).toMatch(text)
  }
  expect((await call('POST', '/savepoint-disposal', {})).status).toBe(400)
  expect((await call('GET', `/savepoint-disposal/${'c'.repeat(32)}`)).status).toBe(404)
})

it('takes checkpoints by hand', async () => {
  const { call, statuses } = await start()
  const { status, body } = await call('POST', `/jobs/${JOB}/checkpoints`, { checkpointType: 'CONFIGURED' })
  expect(status).toBe(202)
  const path = `/v1/jobs/${JOB}/checkpoints/${String(body['request-id'])}`
  expect((await call('GET', path)).body).toEqual({
    status: { id: 'COMPLETED' },
    operation: { checkpointId: 42 },
  })
  statuses.set(String(body['request-id']), { type: 'failed', error: { name: 'E', message: 'm', stack: 's' } })
  expect((await call('GET', path)).body).toMatchObject({ operation: { failureCause: { class: 'E' } } })
  expect((await call('POST', `/jobs/${JOB}/checkpoints`, { checkpointType: 'FULL' })).status).toBe(400)
})

it('disposes savepoints', async () => {
  const { call, clock } = await start()
  const dispose = async (path: string) => {
    const answer = await call('POST', '/v1/savepoint-disposal', { 'savepoint-path': path })
    expect(answer.status).toBe(200)
    return `/savepoint-disposal/${String(answer.body['request-id'])}`
  }
  const done = await dispose('/sp/savepoint-1')
  expect((await call('GET', done)).body).toEqual({ status: { id: 'COMPLETED' }, operation: {} })
  expect((await call('GET', await dispose('missing'))).body).toMatchObject({
    operation: { 'failure-cause': { class: 'Error' } },
  })
  clock.advance(300_000)
  expect((await call('GET', done)).status).toBe(404)
})

it('disposes a savepoint once, however often the same is asked', async () => {
  const { call, disposed } = await start()
  const body = { 'savepoint-path': '/sp/savepoint-1', triggerId: 'd'.repeat(32) }
  for (const path of ['/savepoint-disposal', '/v1/savepoint-disposal']) {
    expect(await call('POST', path, body)).toEqual({ status: 200, body: { 'request-id': body.triggerId } })
  }
  expect(disposed).toEqual(['/sp/savepoint-1'])
})

it('starts a job again from where the body says, and tells the new job or what went wrong', async () => {
  const { call, restarts } = await start()
  const bodies = [
    { savepoint: true },
    { savepointPath: '/s/1', claimMode: 'CLAIM', allowNonRestoredState: true },
    { savepointPath: '/s/1' },
    {},
  ]
  const answers: unknown[] = []
  for (const body of bodies) {
    const { status, body: started } = await call('POST', `/jobs/${JOB}/restart`, body)
    expect(status).toBe(202)
    answers.push((await call('GET', `/jobs/${JOB}/restart/${started['request-id']}`)).body)
  }
  expect(restarts.map(({ from }) => from)).toEqual([
    'savepoint',
    { path: '/s/1', claimMode: 'claim', allowNonRestoredState: true },
    { path: '/s/1', claimMode: 'no-claim', allowNonRestoredState: false },
    undefined,
  ])
  const completed = { id: 'COMPLETED' }
  expect(answers).toMatchObject([
    ...restarts.slice(0, 3).map(({ newJobId }) => ({ status: completed, operation: { jobid: newJobId } })),
    {
      status: completed,
      operation: { 'failure-cause': { 'stack-trace': expect.stringMatching(/no slots/) } },
    },
  ])
  for (const body of [
    { savepoint: 'yes' },
    { savepoint: true, savepointPath: '/s' },
    { savepointPath: 1 },
    { claimMode: 'MINE' },
    { triggerId: 'short' },
  ])
    expect((await call('POST', `/jobs/${JOB}/restart`, body)).status).toBe(400)
  expect(restarts).toHaveLength(bodies.length)
})
