import { describe, expect, it } from 'vitest'
import { type Behaviour, FakeCluster } from '../testing/fake-cluster.ts'
import { sampleGraph } from '../testing/sample-graph.ts'
import type { JobMaster } from './job-master.ts'

const DIRECTORY = 'savepoints'

async function start(
  change: Partial<Behaviour> = {},
  configuration: Readonly<Record<string, string>> = {},
  checkpointing: Parameters<typeof sampleGraph>[2] = {},
) {
  const cluster = new FakeCluster()
  cluster.startResourceManager()
  cluster.addTaskManager(1)
  const victim = cluster.addTaskManager(1, change)
  const job = cluster.startJob(sampleGraph('source*2 sink*2', 'source>sink', checkpointing), configuration)
  await cluster.settle()
  expect(job.overview().tasks.RUNNING).toBe(4)
  return { cluster, job, victim }
}

/** The outcome of a savepoint, once there is one. */
function outcomeOf(pointer: Promise<string>): { value?: string; error?: { code?: string; message: string } } {
  const outcome: ReturnType<typeof outcomeOf> = {}
  pointer.then(
    value => {
      outcome.value = value
    },
    (error: Error) => {
      outcome.error = error
    },
  )
  return outcome
}

describe('savepoints of a JobMaster', () => {
  it('go where the request says, else where the configuration says, else nowhere', async () => {
    const { cluster, job } = await start({}, { 'state.savepoints.dir': 'default' })
    const first = outcomeOf(job.triggerSavepoint({ directory: undefined, stop: 'no' }))
    const second = outcomeOf(job.triggerSavepoint({ directory: 'own', stop: 'no' }))
    await cluster.settle()
    expect([first.value, second.value]).toEqual(['default/savepoint-1', 'own/savepoint-2'])
    expect(
      [...cluster.savepoints.savepoints.values()].map(s => [s.kind, s.jobName, s.operators.length]),
    ).toEqual([
      ['savepoint', 'sample', 2],
      ['savepoint', 'sample', 2],
    ])
    expect(job.overview().status).toBe('RUNNING')
    const without = await start()
    await expect(without.job.triggerSavepoint({ directory: undefined, stop: 'no' })).rejects.toMatchObject({
      code: 'jobmanager.savepoint-directory-missing',
    })
    await expect(without.job.triggerSavepoint({ directory: 'unusable', stop: 'no' })).rejects.toThrow(
      'not writable',
    )
  })

  for (const stop of ['suspend', 'drain'] as const) {
    for (const checkpoints of [true, false]) {
      it(`end the job: ${stop}, ${checkpoints ? 'with' : 'without'} checkpoints`, async () => {
        const settings = checkpoints ? {} : { checkpointing: { intervalMs: undefined, directory: undefined } }
        const { cluster, job } = await start({}, {}, settings)
        if (checkpoints) await cluster.advance(1000)
        const outcome = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop }))
        await cluster.settle()
        expect(await job.result()).toMatchObject({ status: 'FINISHED' })
        await cluster.settle()
        expect(outcome).toEqual({ value: `${DIRECTORY}/savepoint-1` })
        const calls = cluster.taskManagers.flatMap(tm => tm.calls)
        expect(calls.filter(call => call.startsWith('drain')).length).toBe(stop === 'drain' ? 2 : 0)
        expect(cluster.savepoints.discarded).toEqual([])
        expect([...cluster.savepoints.savepoints.keys()]).toEqual([`${DIRECTORY}/savepoint-1`])
        expect(cluster.storage.checkpoints.size).toBe(0)
        expect(cluster.clock.nextDueInMs()).toBeUndefined()
      })
    }
  }

  it('start the job again if a task that should end with one cannot be told', async () => {
    const { cluster, job, victim } = await start({ hearsCompletion: false })
    await cluster.advance(1000)
    // A periodic one is no trouble: the next tells the same.
    expect(job.overview().status).toBe('RUNNING')
    const outcome = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop: 'suspend' }))
    await cluster.settle()
    expect(outcome.error?.message).toContain(`${DIRECTORY}/savepoint-1`)
    victim.behaviour.hearsCompletion = true
    await cluster.advance(5000)
    expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
  })

  it('keep files that only they cover when the job is over', async () => {
    for (const savepoint of [true, false]) {
      const { cluster, job, victim } = await start()
      await cluster.advance(1000)
      if (savepoint) {
        const outcome = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop: 'no' }))
        await cluster.settle()
        expect(outcome.value).toBeDefined()
      }
      await job.cancel()
      await cluster.advance(1000)
      expect(await job.result()).toMatchObject({ status: 'CANCELED' })
      expect(victim.jobOver).toEqual({ retainedCheckpointId: savepoint ? 2 : null })
    }
  })

  it('are refused while the job restarts, and after its end', async () => {
    const { cluster, job, victim } = await start()
    victim.kill()
    await cluster.advance(1000)
    const early = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop: 'no' }))
    await cluster.settle()
    expect(early.error).toMatchObject({ code: 'jobmanager.savepoint-failed' })
    await job.cancel()
    await cluster.advance(1000)
    await job.result()
    const late = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop: 'suspend' }))
    await cluster.settle()
    expect(late.error?.message).toContain('the job is over')
  })

  // What the TaskManager that is killed does not do, and how the savepoint gets there.
  const steps: Record<string, { but: Partial<Behaviour>; hold?: boolean; complete: boolean }> = {
    collecting: { but: { acknowledges: false }, complete: false },
    storing: { but: {}, hold: true, complete: false },
    ending: { but: { finishes: false }, complete: true },
  }
  for (const stop of ['no', 'suspend', 'drain'] as const) {
    for (const [step, { but, hold, complete }] of Object.entries(steps)) {
      if (stop === 'no' && complete) continue
      it(`survive a crash while ${step}, ${stop === 'no' ? 'the job going on' : `to ${stop}`}`, async () => {
        const { cluster, job, victim } = await start(but)
        if (hold === true) {
          cluster.savepoints.held = new Promise(resolve => cluster.clock.schedule(10_000, resolve))
        }
        const outcome = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop }))
        await cluster.settle()
        expect(outcome).toEqual({})
        victim.kill()
        await cluster.advance(3000)
        cluster.savepoints.held = undefined
        cluster.addTaskManager(1)
        await cluster.advance(12_000)
        const pointer = `${DIRECTORY}/savepoint-1`
        const code = complete ? 'jobmanager.stop-failed' : 'jobmanager.savepoint-failed'
        expect(outcome.error).toMatchObject({ code })
        // Nothing of it is left, or all of it, and then the job goes on from it.
        expect([...cluster.savepoints.savepoints.keys()]).toEqual(complete ? [pointer] : [])
        expect(cluster.savepoints.discarded.includes(pointer)).toBe(!complete)
        expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
        expect(job.details().failures.length).toBeGreaterThan(0)
        await stopAgain(cluster, job)
      })
    }
  }

  it('start all tasks again if only a part of them ends with it', async () => {
    const cluster = new FakeCluster()
    cluster.startResourceManager()
    cluster.addTaskManager(1)
    const victim = cluster.addTaskManager(1, { finishes: false })
    const graph = sampleGraph('source*2 sink*2', 'source>sink:forward', {
      checkpointing: { intervalMs: undefined, directory: undefined },
      restartStrategy: { type: 'fixed-delay', attempts: 1, delayMs: 100 },
    })
    const job = cluster.startJob(graph)
    await cluster.settle()
    const outcome = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop: 'suspend' }))
    await cluster.settle()
    expect(job.overview().tasks).toMatchObject({ RUNNING: 2, FINISHED: 2 })
    victim.kill()
    cluster.addTaskManager(1)
    await cluster.advance(3000)
    expect(outcome.error).toMatchObject({ code: 'jobmanager.stop-failed' })
    expect(job.overview()).toMatchObject({ status: 'RUNNING', tasks: { RUNNING: 4 } })
    await stopAgain(cluster, job)
  })

  async function stopAgain(cluster: FakeCluster, job: JobMaster): Promise<void> {
    const again = outcomeOf(job.triggerSavepoint({ directory: DIRECTORY, stop: 'suspend' }))
    await cluster.advance(2000)
    expect(again).toEqual({ value: `${DIRECTORY}/savepoint-2` })
    expect(await job.result()).toMatchObject({ status: 'FINISHED' })
  }
})
