import { nullLogger, SeededRandom } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { sinkOperator } from '../builtin/sink-operator.ts'
import type { OperatorCoordinator } from '../contract/operator-coordinator.ts'
import { type HarnessSnapshot, OperatorHarness } from '../harness/operator-harness.ts'
import type { Sink } from './sink.ts'

/** What all attempts and runs have in common: the outside world. */
interface Outside {
  /** Each commit: what it made visible. Committing again what is visible already changes nothing. */
  readonly commits: (readonly string[])[]
  failing: boolean
}

/** Each subtask's records since the last checkpoint are one committable; only the global committer makes them visible. */
function lettersSink(outside: Outside): Sink<string, string, never> {
  return {
    kind: 'letters',
    createWriter: () => {
      let written: string[] = []
      return {
        write: value => void written.push(value),
        flush: () => {},
        prepareCommit: () => {
          const committables = written.length === 0 ? [] : [written.join(' ')]
          written = []
          return committables
        },
      }
    },
    createGlobalCommitter: () => ({
      commit: async committables => {
        await Promise.resolve()
        if (outside.failing) throw new Error('catalog is busy')
        outside.commits.push(committables)
      },
    }),
  }
}

const microtasks = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

async function run(seed: number): Promise<{ failures: number }> {
  const random = new SeededRandom(seed)
  const parallelism = 1 + (seed % 3)
  const outside: Outside = { commits: [], failing: false }
  const factory = sinkOperator(lettersSink(outside) as Sink<string, unknown, unknown>)
  let failures = 0
  let completed: { id: number; snapshots: HarnessSnapshot[]; position: number } | undefined
  let nextCheckpoint = 1
  let position = 0
  let harnesses: OperatorHarness[] = []
  let coordinator: OperatorCoordinator | undefined
  let failed = false
  let mail: (() => void)[] = []

  const restart = async (): Promise<void> => {
    await coordinator?.close?.()
    mail = []
    failed = false
    position = completed?.position ?? 0
    const own: OperatorHarness[] = []
    harnesses = own
    const made = factory.coordinator?.create(
      {
        ...{ operatorId: 'op' as never, operatorName: 'letters', jobId: 'job', jobName: 'job', parallelism },
        restoredCheckpointId: completed?.id,
        sendEvent: (index, event) =>
          void mail.push(() => own === harnesses && own[index]?.operator.handleOperatorEvent?.(event)),
        fail: () => {
          if (own === harnesses) failed = true
        },
        logger: nullLogger,
      },
      undefined,
    )
    coordinator = made
    await made?.start()
    for (let i = 0; i < parallelism; i++) {
      const harness = new OperatorHarness(factory, {
        subtaskIndex: i,
        parallelism,
        ...(completed && { restored: completed.snapshots[i] as HarnessSnapshot }),
      })
      harness.operatorEvents.push = event => {
        mail.push(() => own === harnesses && made?.handleEvent(i, event as Uint8Array))
        return 0
      }
      own.push(harness)
      await harness.open()
    }
  }
  const deliver = async (): Promise<void> => {
    mail.shift()?.()
    await microtasks()
  }
  const checkpoint = async (): Promise<void> => {
    const id = nextCheckpoint++
    const snapshots: HarnessSnapshot[] = []
    for (const harness of harnesses) snapshots.push(await harness.snapshot(id))
    if (random.next() < 0.2) return
    completed = { id, snapshots, position }
    for (const harness of harnesses) {
      // Not everybody may hear of it.
      if (random.next() < 0.9) await harness.operator.notifyCheckpointComplete?.(id)
    }
  }

  await restart()
  for (let step = 0; step < 120; step++) {
    const dice = random.next()
    outside.failing = random.next() < 0.05
    if (dice < 0.4) harnesses[position % parallelism]?.push(`r${position++}`)
    else if (dice < 0.75) await deliver()
    else if (dice < 0.95) await checkpoint()
    else failed = true
    if (!failed) continue
    failures++
    await restart()
  }
  outside.failing = false
  // The end: one more checkpoint for all, then everybody waits for the global commit.
  for (const harness of harnesses) await harness.operator.endInput?.(0)
  const id = nextCheckpoint++
  for (const harness of harnesses) await harness.snapshot(id)
  for (const harness of harnesses) await harness.operator.notifyCheckpointComplete?.(id)
  let finished = 0
  for (const harness of harnesses) {
    Promise.resolve(harness.operator.finish?.()).then(
      () => finished++,
      (error: unknown) => expect(error).toBeUndefined(),
    )
  }
  for (let i = 0; i < 1000 && finished < parallelism; i++) await deliver()
  expect(finished, `seed ${seed}`).toBe(parallelism)
  const visible = new Set(outside.commits.flat())
  const records = [...visible].flatMap(letters => letters.split(' '))
  expect(records.length, `seed ${seed}: records twice`).toBe(new Set(records).size)
  expect(new Set(records), `seed ${seed}`).toEqual(
    new Set(Array.from({ length: position }, (_, i) => `r${i}`)),
  )
  return { failures }
}

test('the global committer gets everything of complete checkpoints, and nothing else', {
  timeout: 60_000,
}, async () => {
  let failures = 0
  for (let seed = 1; seed <= 150; seed++) failures += (await run(seed)).failures
  expect(failures).toBeGreaterThan(300)
})

test('nothing is committed before all subtasks have said what they have', async () => {
  const outside: Outside = { commits: [], failing: false }
  const factory = sinkOperator(lettersSink(outside) as Sink<string, unknown, unknown>)
  const events: Uint8Array[][] = []
  const harnesses: OperatorHarness[] = []
  for (let i = 0; i < 2; i++) {
    const harness = new OperatorHarness(factory, { subtaskIndex: i, parallelism: 2 })
    events.push(harness.operatorEvents)
    await harness.open()
    harness.push(`record ${i}`)
    await harness.snapshot(1)
    harnesses.push(harness)
  }
  const acks: number[] = []
  const coordinator = factory.coordinator?.create(
    {
      ...{ operatorId: 'op' as never, operatorName: 'letters', jobId: 'job', jobName: 'job', parallelism: 2 },
      restoredCheckpointId: undefined,
      sendEvent: index => void acks.push(index),
      fail: error => {
        throw error
      },
      logger: nullLogger,
    },
    undefined,
  ) as OperatorCoordinator
  const deliver = async (index: number): Promise<void> => {
    for (const event of events[index]?.splice(0) ?? []) coordinator.handleEvent(index, event)
    await microtasks()
  }
  await harnesses[0]?.operator.notifyCheckpointComplete?.(1)
  await deliver(0)
  await deliver(1)
  expect(outside.commits).toEqual([])
  await harnesses[1]?.operator.notifyCheckpointComplete?.(1)
  acks.length = 0
  await deliver(1)
  expect(outside.commits).toEqual([['record 0', 'record 1']])
  expect(acks).toEqual([0, 1])
})

test('a task that is ended does not wait for the global committer', async () => {
  const factory = sinkOperator(lettersSink({ commits: [], failing: false }) as Sink<string, unknown, unknown>)
  const harness = await new OperatorHarness(factory, { checkpointingEnabled: false }).open()
  harness.push('a')
  await harness.operator.endInput?.(0)
  const finish = Promise.resolve(harness.operator.finish?.())
  const outcome = finish.then(
    () => 'finished',
    () => 'ended',
  )
  await microtasks()
  harness.operator.cancel?.()
  expect(await outcome).toBe('ended')
})
