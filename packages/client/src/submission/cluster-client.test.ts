import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  defineError,
  type JobId,
  type LeaderSessionId,
  newId,
  nullLogger,
  type ResourceId,
  SystemClock,
  SystemRandom,
  serializeError,
} from '@flink-ts/common'
import { DISPATCHER_ENDPOINT, type JobResult, type JobSubmission } from '@flink-ts/gateways'
import type { JobGraph, ReplayRecord } from '@flink-ts/jobgraph'
import { BlobServer, blobKeyOf, GrpcRpcService, InProcessNetwork, InProcessRpcService } from '@flink-ts/rpc'
import { createValueSerializer } from '@flink-ts/serialization'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ConnectionEvent } from '../connection/dispatcher-connection.ts'
import { ClusterClient, type ClusterClientOptions } from './cluster-client.ts'

const DuplicateJob = defineError<{ jobId: string }>({
  code: 'dispatcher.duplicate-job',
  domain: 'user',
  retry: 'no',
  message: d => `Job ${d.jobId} exists.`,
})
const JobNotFound = defineError<{ jobId: string }>({
  code: 'dispatcher.job-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `No job ${d.jobId}.`,
})
const BundleMissing = defineError<{ key: string }>({
  code: 'dispatcher.bundle-missing',
  domain: 'external',
  retry: 'no',
  message: d => `No bundle ${d.key}.`,
})

/** What a Dispatcher does, as far as clients notice. */
class FakeDispatcher {
  readonly endpointName = DISPATCHER_ENDPOINT
  readonly leaderSessionId = 'leader' as LeaderSessionId
  readonly submissions = new Map<JobId, JobSubmission>()
  readonly results = new Map<JobId, (result: JobResult) => void>()
  readonly asked: string[] = []
  /** Answers for no job. */
  unknownJobs = false
  /** Called after a job was taken in, before the answer goes out. */
  onSubmitted: () => void = () => {}
  /** How many bundles it loses before the job that needs them comes. */
  evictions = 0
  /** Undefined: takes any bundle. */
  blobs: BlobServer | undefined

  acceptSession() {
    return {
      submitJob: async (submission: JobSubmission): Promise<void> => {
        const { jobId } = submission.graph
        if (this.submissions.has(jobId)) throw DuplicateJob({ jobId })
        const { code } = submission.program
        if (this.blobs !== undefined && code.type === 'bundle') {
          if (this.evictions-- > 0) await this.blobs.delete(code.blobKey)
        }
        if (this.blobs !== undefined && code.type === 'bundle' && !(await this.blobs.has(code.blobKey))) {
          throw BundleMissing({ key: code.blobKey })
        }
        this.submissions.set(jobId, submission)
        this.onSubmitted()
      },
      requestJobResult: async (jobId: JobId): Promise<JobResult> => {
        if (this.unknownJobs) throw JobNotFound({ jobId })
        this.asked.push(jobId)
        return new Promise(resolve => this.results.set(jobId, resolve))
      },
      listJobs: async () => [...this.submissions.keys()].map(jobId => ({ jobId })),
    }
  }
}

const clock = new SystemClock()
const random = new SystemRandom()
const dependencies = { clock, random, logger: nullLogger }
const version = '0.1.0'
let directory: string
let network: InProcessNetwork
let clients: ClusterClient[]
const services: { close(): Promise<void> }[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flink-client-'))
  network = new InProcessNetwork({ clock })
  clients = []
})
afterEach(async () => {
  for (const client of clients) await client.close()
  for (const service of services.splice(0)) await service.close()
  await rm(directory, { recursive: true })
})

function node(name: string): InProcessRpcService {
  const service = new InProcessRpcService(
    { resourceId: name as ResourceId, version, address: name, settings: { sessionResumeTimeoutMs: 50 } },
    { ...dependencies, network },
  )
  services.push(service)
  return service
}

function jobManager(dispatcher: FakeDispatcher, name = 'jobmanager'): InProcessRpcService {
  const service = node(name)
  service.serve(dispatcher)
  return service
}

async function connect(options: Partial<ClusterClientOptions> = {}): Promise<ClusterClient> {
  const client = await ClusterClient.connect(
    { address: 'jobmanager', version, connectTimeoutMs: 200, retryPeriodMs: 20, ...options },
    { ...dependencies, rpc: node('client') },
  )
  clients.push(client)
  return client
}

function submission(): JobSubmission {
  const graph = { jobId: newId<JobId>(random), name: 'test' } as JobGraph
  return {
    graph,
    program: { code: { type: 'module', url: 'file:///job.ts' }, record: record(), executeIndex: 0 },
  }
}

function record(): ReplayRecord {
  return { args: ['a'], randomSeed: 1, clockReadings: [], environment: {}, captures: {}, earlierResults: [] }
}

function until(condition: () => boolean): Promise<void> {
  return new Promise(resolve => {
    const check = (): void => {
      if (condition()) resolve()
      else setImmediate(check)
    }
    check()
  })
}

describe('ClusterClient', () => {
  test('without a JobManager the error says where it looked and what to do', async () => {
    const failure = connect()
    await expect(failure).rejects.toMatchObject({ code: 'client.no-jobmanager' })
    await expect(failure).rejects.toThrow(/at jobmanager .*bin\/start-cluster\.sh.*jobmanager\.rpc\.address/)
  })

  test('waits for a JobManager that is just starting', async () => {
    const client = connect()
    clock.schedule(30, () => jobManager(new FakeDispatcher()))
    expect(await (await client).listJobs()).toEqual([])
  })

  test('another version is told at once', async () => {
    const service = new InProcessRpcService(
      { resourceId: 'x' as ResourceId, version: '9.0.0', address: 'jobmanager' },
      { ...dependencies, network },
    )
    services.push(service)
    service.serve(new FakeDispatcher())
    await expect(connect()).rejects.toMatchObject({ code: 'rpc.version-mismatch' })
  })

  test('a result is asked for again after the connection was lost', async () => {
    const dispatcher = new FakeDispatcher()
    jobManager(dispatcher)
    const events: ConnectionEvent[] = []
    const client = await connect({ onConnection: event => events.push(event) })
    const job = await client.submitJob(submission())
    const result = job.result()
    await until(() => dispatcher.asked.length === 1)
    network.cut('client', 'jobmanager')
    clock.schedule(120, () => network.heal('client', 'jobmanager'))
    await until(() => dispatcher.asked.length === 2)
    const outcome = { jobId: job.jobId, jobName: 'test', netRuntimeMs: 5, accumulators: { n: 1 } }
    dispatcher.results.get(job.jobId as JobId)?.({ status: 'FINISHED', result: outcome })
    expect(await result).toEqual(outcome)
    const types = events.map(event => event.type)
    expect(types[0]).toBe('lost')
    expect(types.at(-1)).toBe('restored')
    expect(types.slice(1, -1)).toEqual(types.slice(1, -1).map(() => 'absent'))
  })

  test('large lists of a result come from the blob store, in order, and leave nothing behind', async () => {
    const dispatcher = new FakeDispatcher()
    const manager = jobManager(dispatcher)
    const blobs = new BlobServer({ directory: join(directory, 'blobs') }, dependencies)
    await blobs.start()
    manager.serveBlobs(blobs)
    const serializer = createValueSerializer()
    const keys = [
      await blobs.add(serializer.encode([3, Number.NaN])),
      await blobs.add(serializer.encode([undefined])),
    ]
    const client = await connect()
    const job = await client.submitJob(submission())
    const result = job.result()
    await until(() => dispatcher.asked.length === 1)
    const list = {
      kind: 'stored',
      parts: [{ values: [1, 2] }, { blobKey: keys[0] }, { blobKey: keys[1] }, { values: [] }],
    }
    const before = (await readdir(tmpdir())).filter(name => name.startsWith('flink-result-'))
    const outcome = { jobId: job.jobId, jobName: 'test', netRuntimeMs: 5, accumulators: { list, n: 1 } }
    dispatcher.results.get(job.jobId as JobId)?.({ status: 'FINISHED', result: outcome })
    expect((await result).accumulators).toEqual({ list: [1, 2, 3, Number.NaN, undefined], n: 1 })
    expect((await readdir(tmpdir())).filter(name => name.startsWith('flink-result-'))).toEqual(before)
  })

  test('a large list that is gone from the blob store is an error that names it', async () => {
    const dispatcher = new FakeDispatcher()
    const manager = jobManager(dispatcher)
    const blobs = new BlobServer({ directory: join(directory, 'blobs') }, dependencies)
    await blobs.start()
    manager.serveBlobs(blobs)
    const client = await connect()
    const job = await client.submitJob(submission())
    const result = job.result()
    await until(() => dispatcher.asked.length === 1)
    const list = { kind: 'stored', parts: [{ blobKey: 'a'.repeat(64) }] }
    const outcome = { jobId: job.jobId, jobName: 'test', netRuntimeMs: 5, accumulators: { list } }
    dispatcher.results.get(job.jobId as JobId)?.({ status: 'FINISHED', result: outcome })
    await expect(result).rejects.toMatchObject({ code: 'rpc.blob-not-found' })
  })

  test('a JobManager that was started anew and does not know the job has lost it', async () => {
    const dispatcher = new FakeDispatcher()
    const manager = jobManager(dispatcher)
    const client = await connect()
    const job = await client.submitJob(submission())
    const result = job.result()
    await until(() => dispatcher.asked.length === 1)
    manager.kill()
    const anew = new FakeDispatcher()
    anew.unknownJobs = true
    jobManager(anew)
    await expect(result).rejects.toMatchObject({ code: 'client.job-lost', data: { jobId: job.jobId } })
    // Who asks for a job that never was gets the Dispatcher's answer.
    await expect(client.jobClient(newId<JobId>(random)).result()).rejects.toMatchObject({
      code: 'dispatcher.job-not-found',
    })
  })

  test('gives up when the JobManager stays away', async () => {
    const dispatcher = new FakeDispatcher()
    const manager = jobManager(dispatcher)
    const events: ConnectionEvent[] = []
    const client = await connect({ reconnectTimeoutMs: 150, onConnection: event => events.push(event) })
    const job = await client.submitJob(submission())
    const result = job.result()
    await until(() => dispatcher.asked.length === 1)
    manager.kill()
    await expect(result).rejects.toMatchObject({
      code: 'client.job-state-unknown',
      data: { jobId: job.jobId },
      cause: { code: 'client.no-jobmanager' },
    })
    expect(events[0]).toMatchObject({ type: 'lost', reconnectTimeoutMs: 150 })
    expect(events.slice(1).map(event => event.type)).toEqual(events.slice(1).map(() => 'absent'))
    expect(events.length).toBeGreaterThan(1)
    // Other calls have no job whose state would be unknown.
    await expect(client.listJobs()).rejects.toMatchObject({ code: 'client.no-jobmanager' })
  })

  test('a submission whose answer was lost is not a duplicate; a second one is', async () => {
    const dispatcher = new FakeDispatcher()
    jobManager(dispatcher)
    const client = await connect()
    const job = submission()
    dispatcher.onSubmitted = () => {
      network.cut('client', 'jobmanager')
      clock.schedule(100, () => network.heal('client', 'jobmanager'))
    }
    expect((await client.submitJob(job)).jobId).toBe(job.graph.jobId)
    expect(dispatcher.submissions.size).toBe(1)
    await expect(client.submitJob(job)).rejects.toMatchObject({ code: 'dispatcher.duplicate-job' })
  })

  test("a failed job rejects with the user's error, its stack first", async () => {
    const dispatcher = new FakeDispatcher()
    jobManager(dispatcher)
    const client = await connect()
    const job = await client.submitJob(submission())
    const result = job.result()
    await until(() => dispatcher.asked.length === 1)
    const error = new RangeError('bad record')
    error.stack = 'RangeError: bad record\n    at parse (job.ts:7:3)'
    const status = 'FAILED' as const
    dispatcher.results.get(job.jobId as JobId)?.({
      status,
      jobId: job.jobId as JobId,
      error: serializeError(error),
    })
    await expect(result).rejects.toMatchObject({ name: 'RangeError', stack: error.stack })
  })

  test('a cancelled job has no result', async () => {
    const dispatcher = new FakeDispatcher()
    jobManager(dispatcher)
    const client = await connect()
    const job = await client.submitJob(submission())
    const result = job.result()
    await until(() => dispatcher.asked.length === 1)
    const jobId = job.jobId as JobId
    dispatcher.results.get(jobId)?.({ status: 'CANCELED', jobId, error: undefined })
    await expect(result).rejects.toMatchObject({ code: 'client.job-cancelled' })
  })

  test('close ends what waits', async () => {
    const dispatcher = new FakeDispatcher()
    jobManager(dispatcher)
    const client = await connect()
    const result = (await client.submitJob(submission())).result()
    await until(() => dispatcher.asked.length === 1)
    await client.close()
    await expect(result).rejects.toMatchObject({ code: 'rpc.session-lost' })
    await expect(client.listJobs()).rejects.toMatchObject({ code: 'client.closed' })
  })
})

describe('submission', () => {
  test('over gRPC: the bundle is sent where it is missing', async () => {
    const manager = new GrpcRpcService(
      { resourceId: 'jm' as ResourceId, version, bindHost: '127.0.0.1', port: 0 },
      dependencies,
    )
    services.push(manager)
    await manager.start()
    const dispatcher = new FakeDispatcher()
    dispatcher.blobs = new BlobServer({ directory: join(directory, 'blobs') }, dependencies)
    await dispatcher.blobs.start()
    manager.serveBlobs(dispatcher.blobs)
    manager.serve(dispatcher)
    const bundleFile = join(directory, 'bundle.tgz')
    await writeFile(bundleFile, random.bytes(700_000))
    const cluster = await ClusterClient.connect({ address: manager.address, version }, dependencies)
    clients.push(cluster)
    const blobKey = await blobKeyOf(bundleFile)
    const job = submission()
    const program = { ...job.program, code: { type: 'bundle', blobKey } } as const
    await expect(cluster.submitJob({ ...job, program })).rejects.toMatchObject({
      code: 'dispatcher.bundle-missing',
    })
    // Jobs that used it are forgotten by now: it was dropped after the client had looked.
    dispatcher.evictions = 2
    const { jobId } = await cluster.submitProgram(bundleFile, job.graph, job.program)
    expect(dispatcher.submissions.get(jobId as JobId)?.program).toEqual(program)
  })

  test('more than a message holds is an error that says what is so large', async () => {
    const dispatcher = new FakeDispatcher()
    jobManager(dispatcher)
    const cluster = await connect()
    const { graph, program } = submission()
    const large = { ...record(), captures: { rules: 'x'.repeat(40 * 1024 * 1024) } }
    await expect(cluster.submitJob({ graph, program: { ...program, record: large } })).rejects.toMatchObject({
      code: 'client.program-too-large',
      data: { job: 'test', results: 0, captures: ['rules'] },
    })
    expect(dispatcher.submissions.size).toBe(0)
  })
})
