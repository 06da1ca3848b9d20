import { describe, expect, it } from 'vitest'
import { type Behaviour, FakeCluster, type FakeTaskManager } from '../testing/fake-cluster.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import type { JobMaster } from './job-master.ts'

const graph = (settings: Parameters<typeof sampleGraph>[2] = {}) =>
  sampleGraph('source*2 sink*2', 'source>sink', settings)

async function endOfData(cluster: FakeCluster): Promise<void> {
  for (const taskManager of cluster.taskManagers) await taskManager.endOfData()
  await cluster.settle()
}

/** Runs what is left of a bounded job; every restart delay and retry gets its time. */
async function finish(cluster: FakeCluster, job: JobMaster): Promise<void> {
  for (let i = 0; i < 20 && job.overview().status !== 'FINISHED'; i++) {
    await cluster.advance(1000)
    if (job.overview().tasks.RUNNING === 4) await endOfData(cluster)
  }
}

describe('JobMaster', () => {
  it('runs a bounded job with checkpoints to its end and leaves nothing behind', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    const [tm1, tm2] = [cluster.addTaskManager(1), cluster.addTaskManager(1)]
    const job = cluster.startJob(graph())
    await cluster.settle()
    expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
    // Subtask i of both vertices shares a slot.
    expect([...tm1.tasks.values()].map(t => t.subtaskIndex)).toEqual([0, 0])
    expect([...tm2.tasks.values()].map(t => t.subtaskIndex)).toEqual([1, 1])
    await cluster.advance(1000)
    expect(tm1.calls).toContain('trigger 1 (1)')
    expect(tm1.calls).toContain('complete 1 (2)')
    await cluster.advance(1000)
    expect([...cluster.storage.checkpoints.keys()]).toEqual(['chk-2'])
    await endOfData(cluster)
    const result = await job.result()
    expect(result).toMatchObject({
      status: 'FINISHED',
      result: { netRuntimeMs: 2000, accumulators: { records: 40 } },
    })
    expect(job.details()).toMatchObject({
      checkpoints: { triggered: 3, completed: 3, failed: 0, latestCompleted: { id: 3, stateBytes: 400 } },
      failures: [],
      restarts: 0,
    })
    expect(cluster.storage.checkpoints.size).toBe(0)
    expect(cluster.storage.jobDiscarded).toBe(true)
    expect(cluster.required).toBe(0)
    expect([...tm1.slots, ...tm2.slots]).toEqual([undefined, undefined])
    expect(cluster.clock.nextDueInMs()).toBeUndefined()
  })

  it('is refused when its checkpoint folder cannot be used', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.storage.unusable = true
    const job = cluster.startJob(graph())
    await cluster.settle()
    expect(await job.result()).toMatchObject({ status: 'FAILED', error: { message: 'not writable' } })
    expect(cluster.required).toBe(0)
  })

  it('deploys when the ResourceManager and the TaskManagers come later', async () => {
    const cluster = new FakeCluster()
    const job = cluster.startJob(graph())
    await cluster.advance(3000)
    expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { SCHEDULED: 4 } })
    cluster.startResourceManager()
    await cluster.advance(1000)
    expect(cluster.required).toBe(2)
    cluster.addTaskManager(1)
    await cluster.settle()
    expect(job.overview().tasks.SCHEDULED).toBe(4)
    cluster.addTaskManager(1)
    await cluster.settle()
    expect(job.overview().tasks.RUNNING).toBe(4)
  })

  it('declares its requirement again after the ResourceManager was lost', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    const job = cluster.startJob(graph())
    await cluster.settle()
    cluster.rpc.withdraw(cluster.endpointName)
    cluster.required = 0
    await cluster.advance(500)
    cluster.startResourceManager()
    await cluster.advance(1000)
    expect(cluster.required).toBe(2)
    cluster.addTaskManager(2)
    await cluster.settle()
    expect(job.overview().tasks.RUNNING).toBe(4)
  })

  it('passes all channels and the state of the latest checkpoint to restarted tasks', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    const tm = cluster.addTaskManager(2)
    const job = cluster.startJob(graph())
    await cluster.settle()
    await cluster.advance(1000)
    const first = [...tm.tasks.values()]
    expect(first.every(task => task.restore === undefined)).toBe(true)
    await tm.report(first[0]!.attemptId, 'FAILED', 'boom')
    await cluster.settle()
    expect(job.overview().status).toBe('RESTARTING')
    await cluster.advance(1200)
    expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
    const second = [...tm.tasks.values()]
    expect(second.map(task => task.restore?.checkpointId)).toEqual([1, 1, 1, 1])
    const names = (tasks: typeof second, side: 'inputs' | 'outputs') =>
      tasks
        .flatMap(task => task[side].flatMap(edge => edge.channels.map(channel => channel.channelId)))
        .sort()
    expect(names(second, 'inputs')).toEqual(names(second, 'outputs'))
    expect(names(second, 'inputs')).toHaveLength(4)
    expect(names(second, 'inputs').every(name => name.split('/')[1] === '1')).toBe(true)
    expect(job.details().failures).toMatchObject([{ error: { message: 'boom' }, location: 'tm1:1' }])
    expect(job.details().restarts).toBe(1)
  })

  // Each phase: what the TaskManager that will be killed does not do, and how the job gets there.
  const phases: Record<
    string,
    { but: Partial<Behaviour>; reach?: (cluster: FakeCluster, job: JobMaster) => Promise<void> }
  > = {
    waiting: { but: { offers: false } },
    deploying: { but: { runs: false } },
    running: { but: {} },
    checkpointing: { but: { acknowledges: false }, reach: cluster => cluster.advance(1000) },
    storing: {
      but: {},
      reach: async cluster => {
        cluster.storage.held = new Promise(resolve => cluster.clock.schedule(3000, resolve))
        await cluster.advance(1000)
        cluster.storage.held = undefined
      },
    },
    finishing: { but: { finishes: false }, reach: endOfData },
    cancelling: { but: { cancels: false }, reach: async (_, job) => job.cancel() },
  }
  for (const [phase, { but, reach }] of Object.entries(phases)) {
    const prepare = async (): Promise<{ cluster: FakeCluster; job: JobMaster; victim: FakeTaskManager }> => {
      const cluster = new FakeCluster()
      cluster.startResourceManager()
      cluster.addTaskManager(1)
      const victim = cluster.addTaskManager(1, but)
      const job = cluster.startJob(graph())
      await cluster.settle()
      await reach?.(cluster, job)
      await cluster.settle()
      return { cluster, job, victim }
    }

    it(`ends well when a TaskManager is killed while ${phase}`, async () => {
      const { cluster, job, victim } = await prepare()
      victim.kill()
      await cluster.settle()
      // Sessions survive a short break: the loss is certain a moment later.
      await cluster.advance(5000)
      cluster.addTaskManager(1)
      if (phase === 'cancelling') {
        expect(await job.result()).toMatchObject({ status: 'CANCELED' })
        return
      }
      await finish(cluster, job)
      expect(await job.result()).toMatchObject({
        status: 'FINISHED',
        result: { accumulators: { records: 40 } },
      })
      expect(job.details().failures).toHaveLength(phase === 'waiting' ? 0 : 1)
      expect(cluster.storage.checkpoints.size).toBe(0)
    })

    it(`is cancelled while ${phase}`, async () => {
      const { cluster, job, victim } = await prepare()
      victim.behaviour.cancels = true
      await job.cancel()
      await job.cancel()
      await cluster.settle()
      if (phase === 'cancelling') {
        for (const attemptId of [...victim.tasks.keys()]) await victim.report(attemptId, 'CANCELED')
      }
      await cluster.advance(20_000)
      expect(await job.result()).toMatchObject({ status: 'CANCELED' })
      expect(cluster.storage.checkpoints.size).toBe(0)
      expect(cluster.clock.nextDueInMs()).toBeUndefined()
    })
  }

  it('fails with what to do when the slots do not come', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.addTaskManager(1)
    const job = cluster.startJob(graph(), { 'slot.request.timeout': '1 min' })
    await cluster.settle()
    await cluster.advance(60_000)
    const result = await job.result()
    expect(result).toMatchObject({ status: 'FAILED', error: { code: 'jobmanager.no-resource-available' } })
    expect(JSON.stringify(result)).toContain('needs 2 slots but got only 1')
  })

  it('refuses checkpoints without a directory', async () => {
    const cluster = new FakeCluster()
    const job = cluster.startJob(graph({ checkpointing: { directory: undefined } }))
    expect(await job.result()).toMatchObject({
      status: 'FAILED',
      error: { code: 'jobmanager.checkpoint-directory-missing' },
    })
  })

  it('restores at another parallelism, and refuses to drop state unless it is allowed', async () => {
    const first = new FakeCluster()
    first.startResourceManager()
    first.addTaskManager(2)
    const writer = first.startJob(
      graph({ checkpointing: { externalizedRetention: 'retain-on-cancellation' } }),
    )
    await first.settle()
    await first.advance(1000)
    await writer.cancel()
    await first.settle()
    await writer.result()
    expect([...first.storage.checkpoints.keys()]).toEqual(['chk-1'])

    const start = async (vertices: string, edges: string, allowNonRestoredState: boolean) => {
      const cluster = new FakeCluster()
      cluster.startResourceManager()
      const tm = cluster.addTaskManager(4)
      cluster.savepoints.savepoints.set('chk-1', first.storage.checkpoints.get('chk-1')!)
      const restored = {
        ...sampleGraph(vertices, edges),
        restoreFrom: { path: 'chk-1', allowNonRestoredState, claimMode: 'no-claim' as const },
      }
      const job = cluster.startJob(restored)
      await cluster.settle()
      return { cluster, job, tm }
    }
    const rescaled = await start('source*3 sink*1', 'source>sink', false)
    const sources = [...rescaled.tm.tasks.values()].filter(task => task.vertexId === 'source')
    expect(sources.flatMap(task => task.restore!.state.operators.flatMap(o => o.operator))).toHaveLength(2)
    await rescaled.cluster.advance(1000)
    expect(rescaled.tm.calls).toContain('trigger 2 (3)')
    expect(rescaled.cluster.storage.discarded).not.toContain(1)

    const refused = await start('source*2 other*2', 'source>other', false)
    expect(await refused.job.result()).toMatchObject({
      status: 'FAILED',
      error: { code: 'jobmanager.state-not-restored', data: { path: 'chk-1' } },
    })
    expect(JSON.stringify(await refused.job.result())).toContain(
      "'sink' (id op-sink) with list state 'positions' at parallelism 2",
    )
    const allowed = await start('source*2 other*2', 'source>other', true)
    expect(allowed.job.overview().tasks.RUNNING).toBe(4)

    const missing = new FakeCluster()
    const job = missing.startJob({
      ...graph(),
      restoreFrom: { path: 'nowhere', allowNonRestoredState: false, claimMode: 'no-claim' as const },
    })
    expect(await job.result()).toMatchObject({ error: { code: 'jobmanager.restore-failed' } })
  })

  it('starts from the latest snapshot of its name, and says where it looked if there is none', async () => {
    const start = async (cluster: FakeCluster) => {
      cluster.startResourceManager()
      cluster.addTaskManager(4)
      const restoreFrom = { path: 'latest', allowNonRestoredState: false, claimMode: 'no-claim' as const }
      const job = cluster.startJob({ ...graph(), restoreFrom }, { 'state.savepoints.dir': 'savepoints' })
      await cluster.settle()
      return job
    }
    const nothing = await start(new FakeCluster())
    expect(await nothing.result()).toMatchObject({
      error: { code: 'jobmanager.no-snapshot-found', message: expect.stringContaining(', savepoints') },
    })
    const cluster = new FakeCluster()
    const metadata = { version: 1, checkpointId: 41, jobId: 'b'.repeat(32), timestamp: 5, operators: [] }
    cluster.savepoints.latest = { pointer: 'found', metadata }
    const job = await start(cluster)
    expect(job.overview().tasks.RUNNING).toBe(4)
    await cluster.advance(1000)
    expect(job.details().checkpoints.latestCompleted?.id).toBe(42)
    const restored = { id: 41, jobId: metadata.jobId, takenAt: 5, pointer: 'found', savepoint: false }
    expect(job.checkpoints().latest.restored).toMatchObject(restored)

    const drained = new FakeCluster()
    drained.savepoints.latest = {
      pointer: 'end',
      metadata: { ...metadata, kind: 'savepoint', drained: true },
    }
    expect(await (await start(drained)).result()).toMatchObject({
      error: {
        code: 'jobmanager.latest-is-drained',
        message: expect.stringContaining("'sample' is end, with"),
      },
    })
  })

  it('fails over when checkpoints keep failing', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.addTaskManager(2)
    const job = cluster.startJob(graph({ checkpointing: { tolerableFailures: 1 } }))
    await cluster.settle()
    cluster.storage.failing = true
    await cluster.advance(1000)
    expect(job.overview().status).toBe('RUNNING')
    await cluster.advance(1000)
    expect(job.overview().status).toBe('RESTARTING')
    cluster.storage.failing = false
    await cluster.advance(1000)
    await finish(cluster, job)
    expect(await job.result()).toMatchObject({ status: 'FINISHED' })
    expect(job.details().failures[0]?.error.code).toBe('jobmanager.checkpoint-failures-exceeded')
  })

  it('is suspended when the JobManager stops, and keeps the checkpoints', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.addTaskManager(2)
    const job = cluster.startJob(graph())
    await cluster.settle()
    await cluster.advance(1000)
    await job.close()
    expect(job.overview().status).toBe('SUSPENDED')
    expect(await job.result()).toMatchObject({ error: { code: 'jobmanager.job-suspended' } })
    expect([...cluster.storage.checkpoints.keys()]).toEqual(['chk-1'])
    await cluster.settle()
    expect(cluster.clock.nextDueInMs()).toBeUndefined()
  })

  it('keeps its outcome if the JobManager stops while its checkpoints are being removed', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.addTaskManager(2)
    const job = cluster.startJob(graph())
    await cluster.settle()
    cluster.storage.held = new Promise(resolve => cluster.clock.schedule(1000, resolve))
    await job.cancel()
    await cluster.settle()
    expect(job.overview().status).toBe('CANCELED')
    const closed = job.close()
    await cluster.advance(2000)
    await closed
    expect(await job.result()).toMatchObject({ status: 'CANCELED', error: undefined })
    expect(cluster.storage.jobDiscarded).toBe(true)
  })

  it('ends the wait for a storage that hangs', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.addTaskManager(2)
    const job = cluster.startJob(graph())
    await cluster.settle()
    cluster.storage.held = new Promise(() => {})
    await cluster.advance(1000)
    await job.cancel()
    await cluster.settle()
    await cluster.advance(10_000)
    expect(await job.result()).toMatchObject({ status: 'CANCELED' })
  })
})
