import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Configuration, nullLogger, SystemClock, SystemRandom } from '@flink-ts/common'
import { LocalFileSystem } from '@flink-ts/filesystem'
import { createRestServer } from '@flink-ts/rest'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ArchivedJobs } from '../history/archived-jobs.ts'
import { JobArchive } from '../history/job-archive.ts'
import { NodeProcessMonitor } from '../monitoring/node-process-monitor.ts'
import { OpenApiSchema } from '../testing/open-api-schema.ts'
import { type Json, RestCluster } from '../testing/rest-cluster.ts'

let rest: RestCluster
const archives = mkdtempSync(join(tmpdir(), 'flink-archives-'))
const jobs: Record<string, string> = {}
const submit = (job: string): Promise<string> => rest.submit(job)
const call: RestCluster['call'] = (path, init) => rest.call(path, init)
const until: RestCluster['until'] = (path, holds) => rest.until(path, holds)

beforeAll(async () => {
  rest = await RestCluster.start({
    'rest.flamegraph.num-samples': '6',
    'jobmanager.archive.fs.dir': archives,
  })
  for (const name of ['running', 'failed', 'finished']) jobs[name] = await submit(name)
  await until(`/jobs/${jobs['running']}`, job => job.vertices?.[1]?.metrics['read-records'] > 100)
  await until(`/jobs/${jobs['failed']}/status`, ({ status }) => status === 'FAILED')
}, 60_000)

afterAll(async () => {
  await rest?.close()
  rmSync(archives, { recursive: true })
})

describe('/v2 is as its own document says', () => {
  const asked = new Set<string>()
  let v2: OpenApiSchema
  beforeAll(async () => {
    v2 = new OpenApiSchema((await call('/v2/openapi.json')).body)
  })
  const ask2 = async (operation: string, values: Record<string, string> = {}, query = '', sent?: object) => {
    const [method = '', template = ''] = operation.split(' ')
    const path = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] as string) + query
    const { status, body } = await call(path, {
      method,
      ...(sent && { body: JSON.stringify(sent), headers: { 'content-type': 'application/json' } }),
    })
    expect(v2.problems(operation, status, body)).toEqual([])
    asked.add(operation)
    return { status, body }
  }
  const runningVertex = async (index: number): Promise<Record<string, string>> => {
    const jobId = jobs['running'] as string
    const { body } = await ask2('GET /v2/jobs/{jobId}', { jobId })
    return { jobId, vertexId: body.vertices[index].id }
  }

  it('jobs come in pages', async () => {
    const all = (await ask2('GET /v2/jobs')).body
    expect(all.next).toBeNull()
    const ids: string[] = []
    for (let after = ''; ; ) {
      const { items, next } = (await ask2('GET /v2/jobs', {}, `?limit=1${after}`)).body
      ids.push(...items.map(({ id }: Json) => id))
      if (next === null) break
      after = `&after=${next}`
    }
    expect(ids).toEqual(all.items.map(({ id }: Json) => id))
    const failed = (await ask2('GET /v2/jobs', {}, '?status=FAILED')).body.items
    expect(failed.map(({ id }: Json) => id)).toEqual([jobs['failed']])
    expect((await ask2('GET /v2/cluster')).body.taskManagers).toBe(1)
    for (const query of ['?limit=0', '?limit=x', '?status=GONE', '?unknown=1'])
      expect((await ask2('GET /v2/jobs', {}, query)).status, query).toBe(400)
  })

  it('records in flight can be looked at, at both sides of an edge', async () => {
    const [source, target] = [await runningVertex(0), await runningVertex(1)]
    const operation = 'GET /v2/jobs/{jobId}/vertices/{vertexId}/tap'
    const out = (await ask2(operation, source, '?limit=4&durationMs=2000')).body
    expect(out.tasks).toBe(2)
    expect(out.records.length).toBeGreaterThan(0)
    expect(out.records.length).toBeLessThanOrEqual(4)
    const { sender, text, timestamp } = out.records[0]
    expect(sender).toMatch(/orders.*\(\d\/2\)/)
    expect(text).toMatch(/^\{ customer: 'c\d', amount: \d+, time: \d+ \}$/)
    expect(timestamp).toBeGreaterThanOrEqual(0)
    const one = (await ask2(operation, target, '?side=input&subtask=1&limit=3&durationMs=500')).body
    expect(one.tasks).toBe(1)
    expect(new Set(one.records.map(({ subtaskIndex }: Json) => subtaskIndex))).toEqual(new Set([1]))
    const refused = await ask2(operation, target, '?side=output')
    expect(refused.status).toBe(400)
    expect(refused.body.errors[0]).toContain('disableChaining')
    expect((await ask2(operation, target, '?side=input&subtask=2')).status).toBe(404)
    const before = (await ask2('GET /v2/jobs/{jobId}', source)).body.vertices[1].recordsIn
    await until(`/v2/jobs/${source['jobId']}`, job => job.vertices[1].recordsIn > before)
  })

  it('the spread of keys can be looked at', async () => {
    const operation = 'GET /v2/jobs/{jobId}/vertices/{vertexId}/keys'
    const { body } = await ask2(operation, await runningVertex(1), '?durationMs=1000')
    expect(body.keyed).toBe(true)
    expect(body.keys.length).toBeLessThanOrEqual(10)
    expect(body.keys[0].key).toMatch(/^c\d$/)
    const sum = (items: Json[]) => items.reduce((all, { count }) => all + count, 0)
    expect(sum(body.keyGroups)).toBe(body.seen)
    expect(sum(body.keys)).toBe(body.seen)
    expect(sum(body.subtasks)).toBe(body.seen)
    expect((await ask2(operation, await runningVertex(0), '?durationMs=50')).body.keyed).toBe(false)
  })

  it('flame graphs say what they are', async () => {
    const operation = 'GET /v2/jobs/{jobId}/vertices/{vertexId}/flamegraph'
    const values = await runningVertex(1)
    await ask2(operation, values)
    const at = `/v2/jobs/${values['jobId']}/vertices/${values['vertexId']}/flamegraph`
    await until(at, ({ state }) => state === 'ready')
    const { body } = await ask2(operation, values, '?type=off_cpu')
    expect(body.root.value).toBeGreaterThan(0)
    expect((await ask2(operation, values, '?type=cold')).status).toBe(400)
  })

  it('operations are started, watched and listed', async () => {
    const jobId = jobs['running'] as string
    const watch = 'GET /v2/operations/{operationId}'
    const outcome = async (path: string, sent?: object): Promise<Json> => {
      const { status, body } = await ask2(`POST /v2/jobs/{jobId}/${path}`, { jobId }, '', sent)
      expect(status).toBe(202)
      await until(`/v2/operations/${body.id}`, operation => operation.status !== 'running')
      return (await ask2(watch, { operationId: body.id })).body
    }
    const directory = pathToFileURL(join(rest.folder, 'savepoints')).href
    expect((await outcome('savepoints', { directory })).result).toContain('savepoint-')
    const failed = await outcome('savepoints', { directory: '/dev/null/nowhere' })
    expect([failed.status, failed.error.code]).toEqual(['failed', expect.stringContaining('.')])
    expect(Number((await outcome('checkpoints')).result)).toBeGreaterThan(0)
    const listed = (await ask2('GET /v2/operations', {}, `?jobId=${jobId}`)).body.items
    expect(listed.map(({ type }: Json) => type)).toEqual(['checkpoint', 'savepoint', 'savepoint'])
    expect((await ask2(watch, { operationId: 'x' })).status).toBe(404)
    for (const wrong of [{ drain: 'maybe' }, { unknown: 1 }])
      expect((await ask2('POST /v2/jobs/{jobId}/stop', { jobId }, '', wrong)).status).toBe(400)
    const unknown = { jobId: 'f'.repeat(32) }
    expect((await ask2('POST /v2/jobs/{jobId}/cancel', unknown)).status).toBe(404)
  })

  it('changes of jobs are told as they happen', async () => {
    const response = await fetch(`${rest.base}/v2/events`)
    expect(response.headers.get('content-type')).toContain('text/event-stream')
    let told = ''
    const reading = (async () => {
      for await (const part of response.body as unknown as AsyncIterable<Uint8Array>) {
        told += Buffer.from(part).toString()
        if (told.includes('"status":"CANCELED"')) return
      }
    })()
    const jobId = await submit('running')
    await until(`/jobs/${jobId}/status`, ({ status }) => status === 'RUNNING')
    const { body } = await ask2('POST /v2/jobs/{jobId}/cancel', { jobId })
    await reading
    await until(`/v2/operations/${body.id}`, ({ status }) => status === 'completed')
    const events = told.split('\n\n').filter(event => event.startsWith('event: job'))
    const jobsTold = events.map(event => JSON.parse(event.split('data: ')[1] as string))
    const statuses = jobsTold.filter(({ id }) => id === jobId).map(({ status }) => status)
    expect(statuses.at(-1)).toBe('CANCELED')
    // Those that were there before come first.
    expect(jobsTold[0].id).not.toBe(jobId)
    asked.add('GET /v2/events')
  })

  it('all of it was asked for', () => {
    expect(v2.operations.filter(operation => !asked.has(operation))).toEqual([])
  })
})

describe('the history server', () => {
  const clock = new SystemClock()

  async function start(retainedJobs: number) {
    const jobs = new ArchivedJobs(
      { refreshIntervalMs: 60_000, retainedJobs },
      {
        archives: [
          new JobArchive(
            { directory: pathToFileURL(archives).href },
            { fileSystem: new LocalFileSystem(), logger: nullLogger },
          ),
        ],
        ...{ clock, logger: nullLogger },
      },
    )
    await jobs.start()
    const monitor = new NodeProcessMonitor({ logFile: undefined }, { clock, threads: () => [] })
    const server = createRestServer(
      { bindAddress: '127.0.0.1', port: 0, allowUnauthenticated: false, history: true },
      {
        ...{ dispatcher: jobs, configuration: Configuration.EMPTY, monitor, clock },
        ...{ random: new SystemRandom(), logger: nullLogger, version: '1' },
      },
    )
    const base = `http://127.0.0.1:${await server.start()}`
    return {
      jobs,
      ask: async (path: string, method = 'GET') => {
        const response = await fetch(`${base}${path}`, { method })
        return { status: response.status, body: (await response.json()) as Json }
      },
      close: async () => {
        jobs.close()
        monitor.close()
        await server.close()
      },
    }
  }

  it('answers the same as the cluster did, of jobs that are over', async () => {
    const [failed, finished] = [jobs['failed'] as string, jobs['finished'] as string]
    await until(`/jobs/${finished}/status`, ({ status }) => status === 'FINISHED')
    const archived = (): readonly string[] => readdirSync(archives)
    for (let i = 0; i < 300 && !(archived().includes(failed) && archived().includes(finished)); i++)
      await new Promise(resolve => setTimeout(resolve, 100))
    const history = await start(-1)
    try {
      const { vertices } = (await call(`/jobs/${failed}`)).body
      const vertex = `/vertices/${vertices[0].id}`
      for (const path of [
        ...['', '/plan', '/exceptions', '/checkpoints', '/checkpoints/config', '/accumulators', vertex],
        ...['/execution-result', `${vertex}/subtasktimes`, `${vertex}/subtasks/0/attempts/0`],
        ...[
          `${vertex}/subtasks/metrics?get=numRecordsIn`,
          `${vertex}/accumulators`,
          '/metrics?get=numRestarts',
        ],
      ]) {
        const [live, kept] = [
          await call(`/jobs/${failed}${path}`),
          await history.ask(`/jobs/${failed}${path}`),
        ]
        expect(kept.status, path).toBe(200)
        const { now: _, ...said } = live.body
        expect(kept.body, path).toMatchObject(said)
      }
      expect((await history.ask('/overview')).body).toMatchObject({ 'jobs-failed': 1, 'jobs-finished': 1 })
      expect((await history.ask('/config')).body.features['web-history']).toBe(true)
      const listed = (await history.ask('/v2/jobs')).body.items.map(({ id }: Json) => id)
      expect(listed).toEqual(expect.arrayContaining([failed, finished]))
    } finally {
      await history.close()
    }
  })

  it('refuses what only a cluster can do, and leaves damaged archives out', async () => {
    const damaged = 'd'.repeat(32)
    writeFileSync(join(archives, damaged), 'not an archive')
    const history = await start(-1)
    try {
      for (const [path, method, status] of [
        [`/jobs/${jobs['failed']}`, 'PATCH', 400],
        ['/savepoint-disposal', 'POST', 400],
        [`/jobs/${damaged}`, 'GET', 404],
        ['/taskmanagers/x', 'GET', 404],
      ] as const)
        expect((await history.ask(path, method)).status, path).toBe(status)
      expect((await history.ask('/v2/jobs')).body.items.map(({ id }: Json) => id)).not.toContain(damaged)
    } finally {
      await history.close()
      rmSync(join(archives, damaged), { force: true })
    }
  })

  it('keeps as many archives as it is told', async () => {
    const before = readdirSync(archives).length
    expect(before).toBeGreaterThan(1)
    const history = await start(1)
    try {
      expect(readdirSync(archives)).toHaveLength(1)
      expect((await history.ask('/jobs')).body.jobs).toHaveLength(1)
      rmSync(join(archives, readdirSync(archives)[0] as string))
      await history.jobs.refresh()
      expect((await history.ask('/jobs')).body.jobs).toHaveLength(0)
    } finally {
      await history.close()
    }
  })
})
