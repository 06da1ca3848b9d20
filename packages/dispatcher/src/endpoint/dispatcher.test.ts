import {
  Configuration,
  Deferred,
  type JobId,
  ManualClock,
  nullLogger,
  type ResourceId,
  SeededRandom,
} from '@flink-ts/common'
import type {
  JobDetails,
  JobResult,
  JobSubmission,
  ResourceManagerGateway,
  SavepointRequestOptions,
} from '@flink-ts/gateways'
import { DISPATCHER_ENDPOINT, dispatcherGateway, RESOURCE_MANAGER_ENDPOINT } from '@flink-ts/gateways'
import type { JobGraph, JobStatus } from '@flink-ts/jobgraph'
import { InProcessNetwork, InProcessRpcService, type RpcEndpoint } from '@flink-ts/rpc'
import { describe, expect, it } from 'vitest'
import type { JobMasterRunner } from '../runner/job-master-runner.ts'
import { Dispatcher, type DurableJobs } from './dispatcher.ts'

const ID = (letter: string) => letter.repeat(32) as JobId

function graphOf(jobId: JobId, change: Partial<JobGraph> = {}): JobGraph {
  const operator = {
    nodeId: 1,
    operatorId: 'o1',
    uid: undefined,
    name: 'a',
    kind: 'source',
    chainedOutputs: [],
  }
  return {
    jobId,
    name: 'job',
    vertices: [
      {
        id: 'v1',
        name: 'a',
        parallelism: 2,
        maxParallelism: 128,
        slotSharingGroup: 'default',
        operators: [operator],
      },
    ],
    edges: [],
    fingerprint: '',
    fingerprintLines: [],
    checkpointing: {
      intervalMs: undefined,
      mode: 'exactly-once',
      minPauseMs: 0,
      timeoutMs: 1,
      maxConcurrent: 1,
      tolerableFailures: 0,
      directory: undefined,
      retained: 1,
      externalizedRetention: 'no-externalized-checkpoints',
    },
    restoreFrom: undefined,
    restartStrategy: undefined,
    autoWatermarkIntervalMs: 200,
    bufferTimeoutMs: 100,
    globalJobParameters: {},
    ...change,
  } as JobGraph
}

function submissionOf(graph: JobGraph, blobKey?: string): JobSubmission {
  const record = {
    args: [],
    randomSeed: 0,
    clockReadings: [],
    environment: {},
    captures: {},
    earlierResults: [],
  }
  const code =
    blobKey === undefined
      ? { type: 'module' as const, url: 'file:///j.ts' }
      : { type: 'bundle' as const, blobKey }
  return { graph, program: { code, record, executeIndex: 0 } }
}

class FakeRunner implements JobMasterRunner {
  readonly graph: JobGraph
  readonly ended = new Deferred<JobResult>()
  status: JobStatus = 'RUNNING'
  cancels = 0
  readonly savepoints: string[] = []

  constructor(graph: JobGraph) {
    this.graph = graph
  }

  details(): JobDetails {
    const { jobId, name } = this.graph
    return {
      jobId,
      name,
      status: this.status,
      startTime: 1,
      endTime: -1,
      lastModification: 1,
      tasks: {},
    } as never
  }

  overview() {
    return this.details()
  }

  checkpoints() {
    return { history: [] } as never
  }

  attempts() {
    return []
  }

  async cancel(): Promise<void> {
    this.cancels++
  }

  async triggerCheckpoint(): Promise<string> {
    return '42'
  }

  async triggerSavepoint({ directory, stop }: SavepointRequestOptions): Promise<string> {
    if (directory === 'bad') throw new Error('no savepoint')
    this.savepoints.push(stop)
    return `${directory}/savepoint-1`
  }

  result(): Promise<JobResult> {
    return this.ended.promise
  }

  async close(): Promise<void> {
    this.end('SUSPENDED')
  }

  end(status: JobStatus): void {
    this.status = status
    this.ended.resolve({ status: 'CANCELED', jobId: this.graph.jobId, error: undefined })
  }
}

function setUp(values: Record<string, string> = {}, jobs?: DurableJobs) {
  const clock = new ManualClock()
  const network = new InProcessNetwork({ clock })
  const services = { clock, network, random: new SeededRandom(1), logger: nullLogger }
  const rpc = new InProcessRpcService({ resourceId: 'jm' as ResourceId, version: '1' }, services)
  const runners: FakeRunner[] = []
  const disposed: string[] = []
  const dispatcher = new Dispatcher(
    { configuration: Configuration.of(values), resourceManagerAddress: rpc.address },
    {
      ...services,
      rpc,
      runnerFactory: ({ graph }) => {
        const runner = new FakeRunner(graph)
        runners.push(runner)
        return runner
      },
      jobs,
      hasBlob: async key => key === 'known',
      deleteBlob: async () => {},
      disposeSavepoint: async path => {
        disposed.push(path)
      },
      checkSnapshot: async path => {
        if (path.includes('nowhere')) throw new Error('There is no snapshot.')
      },
    },
  )
  dispatcher.start()
  return { clock, network, rpc, runners, dispatcher, disposed }
}

describe('Dispatcher', () => {
  it('takes savepoints of running jobs, and cancels only after one was taken', async () => {
    const { dispatcher, runners, disposed, clock } = setUp()
    await dispatcher.submitJob(submissionOf(graphOf(ID('a'))))
    const [runner] = runners as [FakeRunner]
    const trigger = { triggerId: '1', directory: 'd', stop: 'drain' } as const
    expect(await dispatcher.triggerSavepoint(ID('a'), trigger)).toBe('d/savepoint-1')
    const bad = { triggerId: '2', directory: 'bad', stop: 'cancel' } as const
    await expect(dispatcher.triggerSavepoint(ID('a'), bad)).rejects.toThrow('no savepoint')
    expect(runner.cancels).toBe(0)
    const cancel = { triggerId: '3', directory: 'd', stop: 'cancel' } as const
    expect(await dispatcher.triggerSavepoint(ID('a'), cancel)).toBe('d/savepoint-1')
    expect([runner.cancels, runner.savepoints]).toEqual([1, ['drain', 'no']])
    expect(await dispatcher.triggerCheckpoint(ID('a'), '9')).toBe('42')
    runner.end('CANCELED')
    await runner.result()
    // The same request again, since its answer was lost: it takes no other savepoint.
    expect(await dispatcher.triggerSavepoint(ID('a'), trigger)).toBe('d/savepoint-1')
    expect(runner.savepoints).toEqual(['drain', 'no'])
    const status = (id: string) => dispatcher.requestSavepointStatus(ID('a'), id)
    expect(await status('1')).toEqual({ type: 'completed', location: 'd/savepoint-1' })
    expect(await status('2')).toMatchObject({ type: 'failed', error: { message: 'no savepoint' } })
    clock.advance(300_000)
    await expect(status('1')).rejects.toMatchObject({ code: 'dispatcher.savepoint-not-known' })
    const none = { triggerId: '4', directory: 'd', stop: 'no' } as const
    await expect(dispatcher.triggerSavepoint(ID('a'), none)).rejects.toMatchObject({
      code: 'dispatcher.job-not-running',
    })
    await expect(dispatcher.triggerSavepoint(ID('b'), none)).rejects.toMatchObject({
      code: 'dispatcher.job-not-found',
    })
    await dispatcher.disposeSavepoint('d/savepoint-1')
    expect(disposed).toEqual(['d/savepoint-1'])
  })

  it('starts a job again, once for each trigger id', async () => {
    const { dispatcher, runners } = setUp()
    await dispatcher.submitJob(submissionOf(graphOf(ID('a')), 'known'))
    const restart = { triggerId: '1', newJobId: ID('b'), from: 'savepoint' } as const
    expect(await dispatcher.restartJob(ID('a'), restart)).toBe(ID('b'))
    expect(await dispatcher.restartJob(ID('a'), restart)).toBe(ID('b'))
    expect(runners.map(({ graph }) => graph.jobId)).toEqual([ID('a'), ID('b')])
    expect(await dispatcher.requestSavepointStatus(ID('a'), '1')).toEqual({
      type: 'completed',
      location: ID('b'),
    })
    await expect(dispatcher.restartJob(ID('f'), { ...restart, triggerId: '2' })).rejects.toMatchObject({
      code: 'dispatcher.job-not-found',
    })
  })

  it('runs jobs, tells about them, and remembers them when they are over', async () => {
    const { rpc, runners, network } = setUp()
    const session = await rpc.connect(rpc.address, DISPATCHER_ENDPOINT, {
      name: 'client',
      handlers: () => ({}),
    })
    const client = session.gateway(dispatcherGateway)
    await client.submitJob(submissionOf(graphOf(ID('a')), 'known'))
    await client.submitJob(submissionOf(graphOf(ID('b'))))
    expect((await client.listJobs()).map(job => job.status)).toEqual(['RUNNING', 'RUNNING'])
    const result = client.requestJobResult(ID('a'))
    await client.cancelJob(ID('a'))
    expect(runners[0]!.cancels).toBe(1)
    runners[0]!.end('CANCELED')
    expect(await result).toMatchObject({ status: 'CANCELED' })
    await network.settle()
    expect((await client.listJobs()).map(job => [job.jobId, job.status])).toEqual([
      [ID('b'), 'RUNNING'],
      [ID('a'), 'CANCELED'],
    ])
    expect(await client.requestJobDetails(ID('a'))).toMatchObject({ status: 'CANCELED' })
    expect(await client.requestCheckpoints(ID('a'))).toEqual({ history: [] })
    expect(await client.requestCheckpoints(ID('b'))).toEqual({ history: [] })
    expect(await client.requestJobResult(ID('a'))).toMatchObject({ status: 'CANCELED' })
    await client.cancelJob(ID('a'))
    expect(runners[0]!.cancels).toBe(1)
  })

  it('names unknown jobs and how to find the known ones', async () => {
    const { dispatcher } = setUp()
    for (const call of [
      dispatcher.cancelJob(ID('c')),
      dispatcher.requestJobDetails(ID('c')),
      dispatcher.requestJobResult(ID('c')),
    ]) {
      await expect(call).rejects.toMatchObject({
        code: 'dispatcher.job-not-found',
        message: /c{32}.*bin\/flink list/,
      })
    }
  })

  it('refuses the same job twice, also while the first is being accepted', async () => {
    const { dispatcher, runners, network } = setUp()
    const twice = [submissionOf(graphOf(ID('a')), 'known'), submissionOf(graphOf(ID('a')), 'known')]
    const outcomes = await Promise.allSettled(twice.map(submission => dispatcher.submitJob(submission)))
    expect(outcomes.map(outcome => outcome.status)).toEqual(['fulfilled', 'rejected'])
    expect(runners).toHaveLength(1)
    runners[0]!.end('FINISHED')
    await network.settle()
    await expect(dispatcher.submitJob(twice[0]!)).rejects.toMatchObject({ code: 'dispatcher.duplicate-job' })
  })

  it('refuses a job that has a cached file whose content is missing', async () => {
    const { dispatcher, runners } = setUp()
    const withFile = (blobKey: string): JobGraph => {
      const content = { type: 'folder', files: { a: 'known', b: blobKey } } as const
      return {
        ...graphOf(ID('a')),
        cachedFiles: [{ name: 'f', uri: 'file:///f', executable: false, content }],
      }
    }
    await expect(dispatcher.submitJob(submissionOf(withFile('unknown')))).rejects.toMatchObject({
      code: 'dispatcher.cached-file-missing',
      data: { blobKey: 'unknown' },
    })
    await dispatcher.submitJob(submissionOf(withFile('known')))
    expect(runners).toHaveLength(1)
  })

  it('refuses a job whose bundle is missing, and takes it when it is there', async () => {
    const { dispatcher, runners } = setUp()
    await expect(dispatcher.submitJob(submissionOf(graphOf(ID('a')), 'unknown'))).rejects.toMatchObject({
      code: 'dispatcher.bundle-missing',
    })
    expect(runners).toHaveLength(0)
    await dispatcher.submitJob(submissionOf(graphOf(ID('a')), 'known'))
  })

  it('says everything that is wrong with a graph', async () => {
    const { dispatcher } = setUp()
    const good = graphOf(ID('a'))
    const [vertex] = good.vertices
    const cases: readonly [Partial<JobGraph>, RegExp][] = [
      [{ jobId: '../x' as JobId }, /job id '\.\.\/x'/],
      [{ vertices: [] }, /no operators/],
      [{ vertices: undefined as never }, /vertices are missing/],
      [{ vertices: [{ ...vertex!, operators: [null as never] }] }, /no list of operators/],
      [{ edges: [null as never] }, /an edge is no object/],
      [{ checkpointing: null as never }, /checkpoint settings are missing/],
      [{ vertices: [{ ...vertex!, parallelism: 0 }] }, /parallelism 0/],
      [{ vertices: [{ ...vertex!, parallelism: 200 }] }, /200 but at most 128 key groups/],
      [{ vertices: [vertex!, { ...vertex!, id: 'v2' as never }] }, /same state id o1/],
      [
        {
          edges: [{ edgeId: 0, source: 'v1', sourceNodeId: 1, target: 'v9', partitioning: 'hash' } as never],
        },
        /unknown vertex v9/,
      ],
      [
        {
          edges: [{ edgeId: 0, source: 'v1', sourceNodeId: 7, target: 'v1', partitioning: 'hash' } as never],
        },
        /node 7/,
      ],
      [
        {
          edges: [{ edgeId: 0, source: 'v1', sourceNodeId: 1, target: 'v1', partitioning: 'hash' } as never],
        },
        /cycle/,
      ],
      [{ checkpointing: { ...good.checkpointing, intervalMs: 0, retained: 0 } }, /interval 0 ms.*0 retained/],
    ]
    for (const [change, message] of cases) {
      const submission = submissionOf({ ...good, ...change })
      await expect(dispatcher.submitJob(submission)).rejects.toMatchObject({
        code: 'dispatcher.invalid-job-graph',
        message,
      })
    }
  })

  it('refuses forward between different parallelisms and says what to do', async () => {
    const { dispatcher } = setUp()
    const [vertex] = graphOf(ID('a')).vertices
    const operators = [{ ...vertex!.operators[0]!, nodeId: 2, operatorId: 'o2' as never }]
    const vertices = [vertex!, { ...vertex!, id: 'v2' as never, name: 'b', parallelism: 3, operators }]
    const edges = [
      { edgeId: 0, source: 'v1', sourceNodeId: 1, target: 'v2', partitioning: 'forward' } as never,
    ]
    await expect(dispatcher.submitJob(submissionOf(graphOf(ID('a'), { vertices, edges })))).rejects.toThrow(
      /rebalance\(\)/,
    )
  })

  it('forgets finished jobs by number and by age', async () => {
    const { dispatcher, runners, network, clock } = setUp({
      'jobstore.max-capacity': '2',
      'jobstore.expiration-time': '60',
    })
    for (const letter of ['a', 'b', 'c']) await dispatcher.submitJob(submissionOf(graphOf(ID(letter))))
    for (const runner of runners) {
      runner.end('FINISHED')
      await network.settle()
    }
    expect((await dispatcher.listJobs()).map(job => job.jobId)).toEqual([ID('b'), ID('c')])
    clock.advance(60_000)
    expect(await dispatcher.listJobs()).toEqual([])
  })

  it('asks the ResourceManager, also after a loss of the connection', async () => {
    const { dispatcher, rpc } = setUp()
    await expect(dispatcher.requestResourceOverview()).rejects.toMatchObject({
      code: 'rpc.endpoint-not-found',
    })
    const overview = { taskManagers: [], totalSlots: 4, freeSlots: 3 }
    const endpoint = {
      endpointName: RESOURCE_MANAGER_ENDPOINT,
      leaderSessionId: 'x' as RpcEndpoint['leaderSessionId'],
      acceptSession: (): Partial<ResourceManagerGateway> => ({
        requestResourceOverview: async () => overview,
      }),
    }
    rpc.serve(endpoint)
    expect(await dispatcher.requestResourceOverview()).toEqual(overview)
    rpc.withdraw(RESOURCE_MANAGER_ENDPOINT)
    rpc.serve(endpoint)
    expect(await dispatcher.requestResourceOverview()).toEqual(overview)
  })

  it('suspends its jobs and takes no more when it stops', async () => {
    const { dispatcher, runners } = setUp()
    await dispatcher.submitJob(submissionOf(graphOf(ID('a'))))
    await dispatcher.close()
    expect(runners[0]!.status).toBe('SUSPENDED')
    await expect(dispatcher.submitJob(submissionOf(graphOf(ID('b'))))).rejects.toMatchObject({
      code: 'dispatcher.stopped',
    })
  })
})

describe('jobs that outlive their Dispatcher', () => {
  it('accepts a job when it is kept, and refuses one that is not', async () => {
    const kept = new Deferred<void>()
    const { dispatcher, runners } = setUp({}, { add: () => kept.promise, forget: async () => {} })
    let accepted = false
    const submitted = dispatcher.submitJob(submissionOf(graphOf(ID('a')))).then(() => {
      accepted = true
    })
    await Promise.resolve()
    expect([accepted, runners.length]).toEqual([false, 0])
    kept.resolve()
    await submitted
    expect(runners.length).toBe(1)

    const full = setUp({}, { add: () => Promise.reject(new Error('disk full')), forget: async () => {} })
    const refused = full.dispatcher.submitJob(submissionOf(graphOf(ID('a'))))
    await expect(refused).rejects.toThrow('disk full')
    expect([full.runners.length, (await full.dispatcher.listJobs()).length]).toEqual([0, 0])
  })

  it('goes on with running jobs, remembers finished ones as long as it would have, then forgets them', async () => {
    const forgotten: JobId[] = []
    const { dispatcher, clock } = setUp(
      {},
      {
        add: async () => {},
        forget: async jobId => {
          forgotten.push(jobId)
        },
      },
    )
    const result: JobResult = { status: 'CANCELED', jobId: ID('b'), error: undefined }
    const over = new FakeRunner(graphOf(ID('b')))
    const job = { details: over.details(), result, checkpoints: over.checkpoints(), attempts: [] }
    dispatcher.recover({
      running: [
        {
          jobId: ID('a'),
          submission: submissionOf(graphOf(ID('a'))),
          start: () => new FakeRunner(graphOf(ID('a'))),
        },
      ],
      finished: [{ jobId: ID('b'), job, ageMs: 3_000_000 }],
    })
    expect((await dispatcher.listJobs()).map(({ jobId }) => jobId)).toEqual([ID('a'), ID('b')])
    expect(await dispatcher.requestJobResult(ID('b'))).toBe(result)
    for (const letter of ['a', 'b']) {
      await expect(dispatcher.submitJob(submissionOf(graphOf(ID(letter))))).rejects.toMatchObject({
        code: 'dispatcher.duplicate-job',
      })
    }
    expect(forgotten).toEqual([])
    clock.advance(600_000)
    expect((await dispatcher.listJobs()).map(({ jobId }) => jobId)).toEqual([ID('a')])
    expect(forgotten).toEqual([ID('b')])
  })

  it("forgets nothing once it is closed: its jobs are another leader's", async () => {
    const forgotten: JobId[] = []
    const forget = async (jobId: JobId): Promise<void> => void forgotten.push(jobId)
    const { dispatcher } = setUp({ 'jobstore.max-capacity': '0' }, { add: async () => {}, forget })
    await dispatcher.submitJob(submissionOf(graphOf(ID('a'))))
    await dispatcher.close()
    expect(forgotten).toEqual([])
  })
})
