import type { JobProgress, JobRecorder } from '@flink-ts/highavailability'
import { LeadershipLost } from '@flink-ts/highavailability'
import { describe, expect, it } from 'vitest'
import { FakeCluster } from '../testing/fake-cluster.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import type { JobMaster } from './job-master.ts'

const graph = () => sampleGraph('source*2 sink*2', 'source>sink')

/** Records in memory, in one line each; writes can be held up or made to fail. */
class MemoryRecorder implements JobRecorder {
  readonly lines: string[] = []
  latest: JobProgress | undefined
  held: Promise<void> | undefined
  failure: Error | undefined
  readonly #discarded: readonly number[]

  constructor(cluster: FakeCluster) {
    this.#discarded = cluster.storage.discarded
  }

  async progress(progress: JobProgress): Promise<void> {
    const ids = progress.checkpoints.map(({ id }) => id).join()
    this.lines.push(`progress [${ids}] discarded before: ${this.#discarded.length}`)
    await this.held
    if (this.failure !== undefined) throw this.failure
    this.latest = progress
  }

  async over(outcome: unknown, _endedAt: number, leftovers: { folders: readonly object[] } | undefined) {
    this.lines.push(`over ${String(outcome)}, to remove: ${JSON.stringify(leftovers?.folders)}`)
    if (this.failure !== undefined) throw this.failure
  }
}

function setUp(progress?: JobProgress, cluster = new FakeCluster()) {
  cluster.startResourceManager()
  const taskManager = cluster.addTaskManager(2)
  const recorder = new MemoryRecorder(cluster)
  const outcome = (job: JobMaster): string => job.details().status
  const recording = { recorder, outcome }
  const job = cluster.startJob(graph(), {}, { recording, ...(progress !== undefined && { progress }) })
  return { cluster, recorder, taskManager, job }
}

const lost = LeadershipLost({ epoch: 1, reason: 'epoch 2 has begun' })

describe('a job that is recorded', () => {
  it('tells of a checkpoint and removes the one before only when it is recorded', async () => {
    const { cluster, recorder, taskManager } = setUp()
    await cluster.settle()
    await cluster.advance(1000)
    expect(recorder.lines).toEqual(['progress [] discarded before: 0', 'progress [1] discarded before: 0'])
    expect(recorder.latest).toMatchObject({ checkpoints: [{ id: 1, pointer: 'chk-1' }], idsBelow: 21 })
    let release = (): void => {}
    recorder.held = new Promise(resolve => {
      release = resolve
    })
    await cluster.advance(1000)
    expect([...cluster.storage.checkpoints.keys()]).toEqual(['chk-1', 'chk-2'])
    expect(taskManager.calls).not.toContain('complete 2 (4)')
    release()
    await cluster.settle()
    expect(taskManager.calls).toContain('complete 2 (4)')
    expect([...cluster.storage.checkpoints.keys()]).toEqual(['chk-2'])
    expect(recorder.latest).toMatchObject({ checkpoints: [{ id: 2 }], discarded: [{ checkpointId: 1 }] })
  })

  it('takes a checkpoint out of the record before its folder goes, if it was given up meanwhile', async () => {
    const { cluster, recorder, taskManager, job } = setUp()
    await cluster.settle()
    await cluster.advance(1000)
    let release = (): void => {}
    recorder.held = new Promise(resolve => {
      release = resolve
    })
    await cluster.advance(1000)
    const [attemptId] = [...taskManager.tasks.keys()]
    await taskManager.report(attemptId!, 'FAILED', 'no')
    await cluster.settle()
    release()
    await cluster.settle()
    expect(recorder.lines.slice(-2)).toEqual([
      'progress [2] discarded before: 0',
      'progress [1] discarded before: 0',
    ])
    expect(cluster.storage.discarded).toContain(2)
    await job.close()
  })

  it('says in every record which folders are to go until they are gone, and tells the next leader so', async () => {
    const { cluster, recorder, job } = setUp()
    await cluster.settle()
    const remove = cluster.storage.discard.bind(cluster.storage)
    let away = true
    cluster.storage.discard = id => (away ? Promise.reject(new Error('storage away')) : remove(id))
    await cluster.advance(3000)
    expect(recorder.latest).toMatchObject({
      checkpoints: [{ id: 3 }],
      discarded: [{ checkpointId: 2 }, { checkpointId: 1 }],
    })
    const left = recorder.latest as JobProgress
    await job.close()
    const after = (progress: JobProgress | undefined) => {
      const next = new FakeCluster()
      for (const [pointer, metadata] of cluster.storage.checkpoints) {
        next.storage.checkpoints.set(pointer, metadata)
        next.savepoints.savepoints.set(pointer, metadata)
      }
      const removeNext = next.storage.discard.bind(next.storage)
      next.storage.discard = id => (away ? Promise.reject(new Error('storage away')) : removeNext(id))
      return setUp(progress, next)
    }
    const second = after(left)
    await second.cluster.settle()
    // Its first record is written before it comes to removing anything.
    expect(second.recorder.latest?.discarded).toEqual(left.discarded)
    away = false
    const third = after(second.recorder.latest)
    await third.cluster.settle()
    expect([...third.cluster.storage.checkpoints.keys()]).toEqual(['chk-3'])
    await second.job.close()
    await third.job.close()
  })

  it('keeps its last checkpoint when a record fails', async () => {
    const { cluster, recorder, taskManager, job } = setUp()
    await cluster.settle()
    await cluster.advance(1000)
    recorder.failure = new Error('disk full')
    await cluster.advance(1000)
    expect(taskManager.calls).not.toContain('complete 2 (4)')
    // It may be there all the same: until that is known, nothing goes.
    expect(cluster.storage.discarded).toEqual([])
    expect(job.details().checkpoints.failed).toBeGreaterThan(0)
    recorder.failure = undefined
    await cluster.advance(3000)
    expect(recorder.latest?.checkpoints.length).toBe(1)
    expect(job.overview().status).toBe('RUNNING')
    await job.close()
  })

  it('records its end before anything of it is removed and anybody hears of it', async () => {
    const { cluster, recorder, taskManager, job } = setUp()
    await cluster.settle()
    await cluster.advance(1000)
    recorder.failure = new Error('disk full')
    let result: unknown
    void job.result().then(value => {
      result = value
    })
    await job.cancel()
    await cluster.settle()
    expect(recorder.lines.at(-1)).toBe('over CANCELED, to remove: [{"checkpointId":1}]')
    expect([cluster.storage.discarded, taskManager.jobOver, result]).toEqual([[], undefined, undefined])
    recorder.failure = undefined
    await cluster.advance(1000)
    await cluster.settle()
    expect(result).toMatchObject({ status: 'CANCELED' })
    expect(cluster.storage.discarded).toEqual([1])
    expect(taskManager.jobOver).toBeDefined()
    expect(recorder.lines.at(-1)).toBe('over CANCELED, to remove: undefined')
    expect(cluster.clock.nextDueInMs()).toBeUndefined()
  })

  it('does nothing about its end when another leader has begun, but ends when it is closed', async () => {
    const { cluster, recorder, taskManager, job } = setUp()
    await cluster.settle()
    await cluster.advance(1000)
    recorder.failure = lost
    let result: unknown
    void job.result().then(value => {
      result = value
    })
    await job.cancel()
    await cluster.advance(20_000)
    expect([cluster.storage.discarded, taskManager.jobOver, result]).toEqual([[], undefined, undefined])
    await job.close()
    expect(await job.result()).toMatchObject({
      status: 'FAILED',
      error: { code: 'jobmanager.job-suspended' },
    })
    expect(cluster.storage.jobDiscarded).toBe(false)
  })

  it('goes on from the record: its checkpoints, ids behind those that may be in use, folders that were to go', async () => {
    const before = setUp()
    await before.cluster.settle()
    await before.cluster.advance(2000)
    const progress = { ...(before.recorder.latest as JobProgress), startedAt: 4711 }
    await before.job.close()
    expect(before.recorder.latest?.startedAt).toBe(before.job.overview().startTime)
    expect(progress).toMatchObject({ checkpoints: [{ id: 2 }], idsBelow: 22 })

    const cluster = new FakeCluster()
    for (const [pointer, metadata] of before.cluster.storage.checkpoints) {
      cluster.storage.checkpoints.set(pointer, metadata)
      cluster.savepoints.savepoints.set(pointer, metadata)
    }
    const { recorder, job, taskManager } = setUp(progress, cluster)
    await cluster.settle()
    // Taken over before anything runs.
    expect(recorder.lines).toEqual(['progress [2] discarded before: 0'])
    const unrecorded = Array.from({ length: 19 }, (_, i) => 3 + i)
    expect(cluster.storage.discarded).toEqual([1, ...unrecorded])
    expect(recorder.latest).toMatchObject({
      abandoned: [[3, 22]],
      idsFrom: 22,
      idsBelow: 42,
      startedAt: 4711,
    })
    expect(job.overview().startTime).toBe(4711)
    const [task] = [...taskManager.tasks.values()]
    expect(task?.restore?.checkpointId).toBe(2)
    await cluster.advance(1000)
    expect(taskManager.calls).toContain('complete 22 (4)')
    expect([...cluster.storage.checkpoints.keys()]).toEqual(['chk-22'])
    // What a former leader that thaws late has stored meanwhile goes with the job.
    cluster.storage.checkpoints.set('chk-5', progress as never)
    await job.cancel()
    await cluster.advance(1000)
    expect(await job.result()).toMatchObject({ status: 'CANCELED' })
    expect(recorder.lines.find(line => line.startsWith('over'))).toContain('{"checkpointId":5}')
    expect(cluster.storage.checkpoints.size).toBe(0)
  })

  it('waits for a storage that is away, and does not take the job for failed', async () => {
    const before = setUp()
    await before.cluster.settle()
    await before.cluster.advance(1000)
    const progress = before.recorder.latest as JobProgress
    await before.job.close()
    const cluster = new FakeCluster()
    const read = cluster.savepoints.readMetadata.bind(cluster.savepoints)
    let away = true
    cluster.savepoints.readMetadata = pointer => (away ? Promise.reject(lost) : read(pointer))
    cluster.savepoints.savepoints.set('chk-1', before.cluster.storage.checkpoints.get('chk-1') as never)
    const { job } = setUp(progress, cluster)
    await cluster.advance(5000)
    expect(job.overview().status).not.toBe('FAILED')
    away = false
    await cluster.advance(30_000)
    expect(job.overview().tasks.RUNNING).toBe(4)
    await job.close()
  })
})
