import { keyGroupOf, keyGroupRangeOf } from '@flink-ts/serialization'
import {
  assignKeyedState,
  createHashMapKeyedStateBackend,
  type KeyedStateBackend,
  type KeyedStateHandle,
} from '@flink-ts/state'
import { describe, expect, test } from 'vitest'
import { keyedProcessOperator } from '../builtin/keyed-process-operator.ts'
import { MAX_WATERMARK, MIN_WATERMARK, type OperatorFactory } from '../contract/stream-operator.ts'
import type { Collector } from '../functions/collector.ts'
import type { KeyedProcessContext, KeyedProcessFunction, OnTimerContext } from '../functions/functions.ts'
import type { OperatorSnapshot } from '../harness/in-memory-state.ts'
import { inlineReader, inlineStreams } from '../harness/inline-snapshots.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { type Element, expectGolden, GoldenFunction, golden } from './golden-timers.ts'

const MAX_PARALLELISM = 128

/** One subtask on a real heap backend. */
interface OnHeap {
  readonly harness: OperatorHarness
  readonly backend: KeyedStateBackend
}
interface HeapSnapshot {
  readonly keyed: readonly KeyedStateHandle[]
  readonly operator: OperatorSnapshot
}

async function startOnHeap(
  factory: OperatorFactory,
  subtaskIndex: number,
  parallelism: number,
  restored: readonly HeapSnapshot[],
): Promise<OnHeap> {
  const keyGroupRange = keyGroupRangeOf(MAX_PARALLELISM, parallelism, subtaskIndex)
  const handles = assignKeyedState(
    restored.flatMap(({ keyed }) => keyed),
    keyGroupRange,
  )
  const options = { keyGroupRange, maxParallelism: MAX_PARALLELISM }
  const backend = await createHashMapKeyedStateBackend(options, handles, inlineReader)
  // Union state: everybody gets the elements of all.
  const names = new Set(restored.flatMap(({ operator }) => Object.keys(operator)))
  const operator = Object.fromEntries(
    [...names].map(name => [name, restored.flatMap(each => each.operator[name] ?? [])]),
  )
  const empty = { states: [], timers: [] }
  const harness = new OperatorHarness(factory, {
    restored: { checkpointId: 1, keyed: empty, operator },
    backend,
    subtaskIndex,
    parallelism,
    shouldYield: () => true,
  })
  return { harness: await harness.open(), backend }
}

async function snapshotOnHeap({ harness, backend }: OnHeap): Promise<HeapSnapshot> {
  await harness.operator.prepareSnapshot?.(1)
  await harness.operator.snapshotState?.(1)
  const operator = harness.operatorState.snapshotNow()
  return { keyed: await backend.snapshot(1, inlineStreams, async () => {}), operator }
}

describe('event-time timers that are restored', () => {
  test('a job that was drained and is given new input fires the timers of that to the end', async () => {
    const alarms: KeyedProcessFunction<number, { key: number; time: number }, string> = {
      processElement: ({ time }, context) => context.timerService.registerEventTimeTimer(time),
      onTimer: (time, context, out) => out(`${time}/${context.currentKey}`),
    }
    const factory = keyedProcessOperator((record: { key: number; time: number }) => record.key, alarms)
    const drained = await new OperatorHarness(factory).open()
    drained.push({ key: 1, time: 100 }, 1)
    drained.advance(MAX_WATERMARK)
    expect(drained.values()).toEqual(['100/1'])
    const restored = await drained.snapshot(1)
    const harness = await new OperatorHarness(factory, { restored }).open()
    harness.push({ key: 2, time: 1000 }, 900)
    harness.advance(500)
    harness.push({ key: 3, time: 2000 }, 901)
    harness.advance(1500)
    harness.advance(MAX_WATERMARK)
    expect(harness.values()).toEqual(['1000/2', '2000/3'])
  })

  test('a run that is restored anywhere gives what one without failures gives', async () => {
    const script = [...golden.input, { watermark: MAX_WATERMARK }]
    for (let restoreAt = 1; restoreAt < script.length; restoreAt++) {
      const factory = keyedProcessOperator((element: Element) => element.key, new GoldenFunction())
      let harness = await new OperatorHarness(factory).open()
      const emitted: unknown[] = []
      let watermark = MIN_WATERMARK
      for (const [i, step] of script.entries()) {
        if (i === restoreAt) {
          const restored = await harness.snapshot(i)
          emitted.push(...harness.emitted)
          harness = await new OperatorHarness(factory, { restored }).open()
          // Sources repeat theirs before the first record.
          if (watermark > MIN_WATERMARK) harness.advance(watermark)
        }
        if ('watermark' in step) {
          watermark = Math.max(watermark, step.watermark)
          harness.advance(step.watermark)
        } else harness.push(step, step.ts)
      }
      const all = [...emitted, ...harness.emitted] as typeof harness.emitted
      expectGolden(all, `restored before step ${restoreAt}`)
    }
  })

  test('restored at another parallelism, those of a watermark that was under way fire with its repetition, late ones do not', async () => {
    const keys = Array.from({ length: 400 }, (_, key) => key)
    const onTimer: KeyedProcessFunction<number, { key: number; time: number }, string> = {
      processElement: (value, context) => context.timerService.registerEventTimeTimer(value.time),
      onTimer: (time, context, out) => out(`${time}/${context.currentKey}`),
    }
    const factory = keyedProcessOperator((value: { key: number }) => value.key, onTimer)
    const start = async (parallelism: number, restored: readonly HeapSnapshot[]) =>
      Promise.all(
        Array.from({ length: parallelism }, (_, subtask) =>
          startOnHeap(factory, subtask, parallelism, restored),
        ),
      )
    const old = await start(2, [])
    const [unfinished, finished] = old as [OnHeap, OnHeap]
    const owns = (task: OnHeap, key: number): boolean => {
      const group = keyGroupOf(key, MAX_PARALLELISM)
      return group >= task.backend.keyGroupRange.start && group <= task.backend.keyGroupRange.end
    }
    for (const task of old) {
      for (const key of keys) if (owns(task, key)) task.harness.push({ key, time: key < 200 ? 1000 : 3000 })
    }
    expect(unfinished.harness.step(2000)).toBe(false)
    finished.harness.advance(2000)
    const late = keys.filter(key => owns(finished, key)).slice(0, 5)
    for (const key of late) finished.harness.push({ key, time: 1500 })
    const stored = await Promise.all(old.map(snapshotOnHeap))
    const before = old.flatMap(({ harness }) => harness.values())
    for (const parallelism of [1, 3]) {
      const tasks = await start(parallelism, stored)
      const fired = (): unknown[] => tasks.flatMap(({ harness }) => harness.values())
      const advance = (watermark: number): void => {
        for (const { harness } of tasks) harness.advance(watermark)
      }
      advance(2000)
      const due = keys.filter(key => key < 200).map(key => `1000/${key}`)
      expect([...before, ...fired()].sort()).toEqual(due.sort())
      // Stored once more before event time goes on.
      const again = await Promise.all(tasks.map(snapshotOnHeap))
      const last = await startOnHeap(factory, 0, 1, again)
      last.harness.advance(2000)
      expect(last.harness.values()).toEqual([])
      advance(2001)
      last.harness.advance(2001)
      const lateOnes = late.map(key => `1500/${key}`).sort()
      expect(fired().slice(-5).sort()).toEqual(lateOnes)
      expect(last.harness.values().sort()).toEqual(lateOnes)
    }
  })

  test('fire with the first watermark after a restore if it is that of another source', async () => {
    const factory = keyedProcessOperator((value: number) => value, {
      processElement: (value: number, context: KeyedProcessContext<number>) =>
        context.timerService.registerEventTimeTimer(value),
      onTimer: (time: number, _context: OnTimerContext<number>, out: Collector<unknown>) => out(time),
    })
    const first = await new OperatorHarness(factory).open()
    first.advance(5000)
    first.push(1000)
    const restored = await first.snapshot(1)
    for (const watermark of [1000, 5001]) {
      const second = await new OperatorHarness(factory, { restored }).open()
      second.advance(watermark)
      expect(second.values()).toEqual([1000])
    }
  })
})
