import { type ExecutionAttemptId, ManualClock, nullLogger, type SerializedError } from '@flink-ts/common'
import type { TaskDeployment, TaskExecutionStateUpdate } from '@flink-ts/gateways'
import { expect, test } from 'vitest'
import type { SlotCommand, SlotReport } from '../thread/slot-messages.ts'
import { AllocatedSlot } from './allocated-slot.ts'
import type { SlotThreadFactory, SlotThreadListener } from './slot-thread.ts'

interface FakeThread {
  readonly listener: SlotThreadListener
  readonly commands: SlotCommand[]
  terminated: boolean
  usedBytes: number
}

const FAILURE: SerializedError = { name: 'Error', message: 'slot was freed' }
const METRICS = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }
const id = (name: string) => name as ExecutionAttemptId
const tasks = (...names: readonly string[]) =>
  names.map(name => ({ attemptId: name, job: { graph: { name: 'the job' } } }) as unknown as TaskDeployment)

const settled = () => new Promise(resolve => setImmediate(resolve))

function setup() {
  const clock = new ManualClock()
  const threads: FakeThread[] = []
  const ended: TaskExecutionStateUpdate[] = []
  const reports: SlotReport[] = []
  const died: SerializedError[] = []
  const factory: SlotThreadFactory = {
    start: (_data, listener) => {
      const thread: FakeThread = { listener, commands: [], terminated: false, usedBytes: 0 }
      threads.push(thread)
      return {
        post: command => thread.commands.push(command),
        usedMemoryBytes: async () => thread.usedBytes,
        profile: async () => undefined,
        terminate: async () => {
          if (thread.terminated) return
          thread.terminated = true
          listener.ended(1, undefined)
        },
      }
    },
  }
  const slot = new AllocatedSlot(
    {
      slotId: 's' as never,
      allocationId: 'a' as never,
      jobId: 'j' as never,
      cancellationTimeoutMs: 1000,
      state: { backend: 'hashmap', inlineThresholdBytes: 0, compression: 'none', incremental: false },
      localStateFolders: [],
      overdraftLimits: { maxBytes: 0, maxRecords: 0 },
      memoryLimitBytes: 1000,
      threadLogger: { level: 'error' },
    },
    {
      threads: factory,
      clock,
      logger: nullLogger,
      listener: {
        report: (_, report) => reports.push(report),
        taskEnded: (_, update) => ended.push(update),
        threadDied: (_, cause) => died.push(cause),
      },
    },
  )
  const deploy = async (...names: readonly string[]) => {
    slot.deploy(
      tasks(...names),
      () => [],
      () => Promise.resolve('file:///module'),
    )
    await Promise.resolve()
    await Promise.resolve()
  }
  const report = (name: string, status: 'CANCELED' | 'FINISHED' | 'RUNNING') =>
    threads
      .at(-1)!
      .listener.report({ type: 'status', update: { attemptId: id(name), status, metrics: METRICS } })
  return { clock, threads, ended, reports, died, slot, deploy, report }
}

test('the first deployment uses the thread that is up, each further one a new thread', async () => {
  const s = setup()
  await s.deploy('a', 'b')
  expect(s.threads).toHaveLength(1)
  expect(s.threads[0]!.commands.map(c => c.type)).toEqual(['deploy'])
  s.report('a', 'FINISHED')
  expect(() =>
    s.slot.deploy(
      tasks('c'),
      () => [],
      () => Promise.resolve(''),
    ),
  ).toThrowError(/still runs b/)
  s.report('b', 'CANCELED')
  // Up before the tasks come.
  s.clock.advance(19)
  expect(s.threads).toHaveLength(1)
  s.clock.advance(1)
  expect(s.threads).toHaveLength(2)
  await s.deploy('c')
  expect(s.threads).toHaveLength(2)
  expect(s.threads[1]!.commands.map(c => c.type)).toEqual(['deploy'])
  expect(s.threads[0]!.terminated).toBe(true)
  expect(s.died).toEqual([])
  // What the old thread still says does not count.
  s.threads[0]!.listener.report({
    type: 'status',
    update: { attemptId: id('c'), status: 'FAILED', metrics: METRICS },
  })
  expect(s.ended.map(u => `${u.attemptId} ${u.status}`)).toEqual(['a FINISHED', 'b CANCELED'])
  // A job that is through needs no further thread.
  s.report('c', 'FINISHED')
  s.clock.advance(1000)
  expect(s.threads).toHaveLength(2)
})

test('commands that come before the code is there reach the tasks after it', async () => {
  const s = setup()
  let resolve = (_: string): void => {}
  s.slot.deploy(
    tasks('a'),
    () => [],
    () => new Promise(r => (resolve = r)),
  )
  s.slot.fail(id('a'), FAILURE)
  expect(s.threads[0]!.commands).toEqual([])
  resolve('file:///module')
  await Promise.resolve()
  await Promise.resolve()
  expect(s.threads[0]!.commands.map(c => c.type)).toEqual(['deploy', 'fail'])
})

test('tasks that are cancelled before the code is there end at once, and the slot is free for others', async () => {
  const s = setup()
  const resolves: ((url: string) => void)[] = []
  const deployLater = (...names: readonly string[]): void =>
    s.slot.deploy(
      tasks(...names),
      () => [],
      () => new Promise(resolve => resolves.push(resolve)),
    )
  deployLater('a', 'b', 'c')
  s.slot.cancel(id('a'))
  s.slot.cancel(id('b'))
  expect(s.ended.map(u => `${u.attemptId} ${u.status}`)).toEqual(['a CANCELED', 'b CANCELED'])
  s.slot.cancel(id('c'))
  deployLater('d', 'e')
  s.slot.cancel(id('d'))
  // The code of the first deployment comes too late; of the second one a task is left.
  for (const resolve of resolves) resolve('file:///module')
  await settled()
  const [deploy, ...others] = s.threads.at(-1)!.commands
  expect(deploy?.type === 'deploy' && deploy.tasks.map(task => task.attemptId)).toEqual(['e'])
  expect(others).toEqual([])
  s.clock.advance(1000)
  expect(s.threads).toHaveLength(1)
  expect(s.slot.liveTasks).toEqual(['e'])
})

test('code that cannot be had fails the tasks', async () => {
  const s = setup()
  s.slot.deploy(
    tasks('a', 'b'),
    () => [],
    () => Promise.reject(new Error('no bundle')),
  )
  await Promise.resolve()
  await Promise.resolve()
  expect(s.ended.map(u => `${u.attemptId} ${u.status} ${u.error?.message}`)).toEqual([
    'a FAILED no bundle',
    'b FAILED no bundle',
  ])
})

test('a deployment whose channels cannot be opened leaves no task behind', () => {
  const s = setup()
  const refused = () => {
    throw new Error('partner missing')
  }
  expect(() => s.slot.deploy(tasks('a'), refused, () => Promise.resolve(''))).toThrowError('partner missing')
  expect(s.slot.liveTasks).toEqual([])
})

test('tasks that do not stop in time end with their thread: cancelled ones as CANCELED, the others as FAILED', async () => {
  const s = setup()
  await s.deploy('a', 'b')
  s.slot.cancel(id('a'))
  s.clock.advance(999)
  expect(s.threads[0]!.terminated).toBe(false)
  s.clock.advance(1)
  expect(s.threads[0]!.terminated).toBe(true)
  expect(s.ended.map(u => `${u.attemptId} ${u.status} ${u.error?.code}`)).toEqual([
    'a CANCELED undefined',
    'b FAILED taskmanager.cancellation-timed-out',
  ])
  expect(s.died).toEqual([])
  await s.deploy('c')
  expect(s.threads).toHaveLength(2)
})

test('a failing task that hangs in close costs the thread too; one that stops does not', async () => {
  const s = setup()
  await s.deploy('a', 'b')
  s.threads[0]!.listener.report({ type: 'closing', attemptId: id('a') })
  s.report('a', 'CANCELED')
  s.clock.advance(2000)
  expect(s.threads[0]!.terminated).toBe(false)
  s.threads[0]!.listener.report({ type: 'closing', attemptId: id('b') })
  s.clock.advance(2000)
  expect(s.threads[0]!.terminated).toBe(true)
})

test('a thread that dies ends its tasks before it is reported', async () => {
  const s = setup()
  await s.deploy('a')
  s.threads[0]!.listener.ended(3, new Error('out of memory'))
  expect(s.ended[0]).toMatchObject({ status: 'FAILED', error: { cause: { message: 'out of memory' } } })
  expect(s.died).toHaveLength(1)
})

test('a release ends everything at once and resolves when the thread is gone', async () => {
  const s = setup()
  await s.deploy('a')
  await s.slot.release(FAILURE)
  expect(s.threads[0]!.terminated).toBe(true)
  expect(s.ended).toMatchObject([{ status: 'FAILED', error: FAILURE }])
  expect(s.died).toEqual([])
  s.clock.advance(10_000)
  expect(s.ended).toHaveLength(1)
})

test('a slot that uses 90 % of its memory is ended, and can be used again', async () => {
  const s = setup()
  await s.deploy('a', 'b')
  s.threads[0]!.usedBytes = 899
  s.clock.advance(900)
  s.slot.cancel(id('b'))
  await settled()
  s.clock.advance(99)
  s.threads[0]!.usedBytes = 900
  await settled()
  expect(s.ended).toEqual([])
  s.clock.advance(1)
  await settled()
  expect(s.threads[0]!.terminated).toBe(true)
  expect(s.ended.map(u => `${u.attemptId} ${u.status} ${u.error?.code}`)).toEqual([
    'a FAILED taskmanager.slot-out-of-memory',
    'b CANCELED undefined',
  ])
  expect(s.ended[0]!.error!.message).toMatch(
    /Job the job .* slot s: 900 bytes are in use of a limit of 1000 bytes/,
  )
  expect(s.died).toEqual([])
  await s.deploy('c')
  s.clock.advance(5000)
  await settled()
  expect(s.slot.liveTasks).toEqual([id('c')])
})

test('memory that runs out between two looks ends the tasks with the same error', async () => {
  const s = setup()
  await s.deploy('a')
  s.threads[0]!.listener.ended(1, Object.assign(new Error('heap'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }))
  expect(s.ended).toMatchObject([{ status: 'FAILED', error: { code: 'taskmanager.slot-out-of-memory' } }])
  expect(s.died).toEqual([])
})

test('from half of its memory on the slot is asked for its largest states, and their names are in the failure', async () => {
  const s = setup()
  await s.deploy('a')
  const asked = () => s.threads[0]!.commands.filter(({ type }) => type === 'describe-states').length
  s.threads[0]!.usedBytes = 499
  s.clock.advance(200)
  await settled()
  expect(asked()).toBe(0)
  s.threads[0]!.usedBytes = 500
  s.clock.advance(200)
  await settled()
  expect(asked()).toBe(1)
  s.threads[0]!.listener.report({ type: 'states', largest: ["'counts' of operator 'Reduce' with 7 entries"] })
  s.threads[0]!.usedBytes = 950
  s.clock.advance(200)
  await settled()
  expect(s.ended[0]?.error?.message).toContain(
    "Largest states: 'counts' of operator 'Reduce' with 7 entries. Raise",
  )
})

test('what a thread says of its end is the failure of its tasks', async () => {
  const s = setup()
  await s.deploy('a')
  const error: SerializedError = { name: 'FlinkError', message: 'late', code: 'taskmanager.uncaught-error' }
  s.threads[0]!.listener.report({ type: 'crash', error })
  s.threads[0]!.listener.ended(1, undefined)
  expect(s.ended).toMatchObject([{ status: 'FAILED', error }])
  expect(s.died).toEqual([error])
})

test('the last words of a thread that was replaced are not those of the next one', async () => {
  const s = setup()
  await s.deploy('a')
  s.threads[0]!.listener.report({ type: 'crash', error: { name: 'Error', message: 'of the first' } })
  s.report('a', 'CANCELED')
  s.clock.advance(20)
  await s.deploy('b')
  s.threads[1]!.listener.ended(3, undefined)
  expect(s.died).toMatchObject([{ code: 'taskmanager.slot-thread-died' }])
})

test('nothing is watched any more when the thread has died by itself', async () => {
  const { clock, threads, slot, deploy } = setup()
  await deploy('a')
  threads[0]!.listener.ended(1, undefined)
  expect(clock.nextDueInMs()).toBeUndefined()
  await slot.release(FAILURE)
})
