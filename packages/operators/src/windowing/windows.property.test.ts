import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { keyGroupOf, keyGroupRangeOf } from '@flink-ts/serialization'
import {
  assignKeyedState,
  type KeyedStateBackend,
  type KeyedStateHandle,
  loadStateBackend,
  stateBackendProblem,
} from '@flink-ts/state'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OperatorFactory } from '../contract/stream-operator.ts'
import type { AggregateFunction } from '../functions/functions.ts'
import { inlineReader, inlineStreams } from '../harness/inline-snapshots.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { EventTimeSessionWindows } from './assigners/session-windows.ts'
import { SlidingEventTimeWindows } from './assigners/sliding-windows.ts'
import { TumblingEventTimeWindows } from './assigners/tumbling-windows.ts'
import type { WindowAssigner } from './assigners/window-assigner.ts'
import { windowOperator } from './create-window-operator.ts'
import type { TimeWindow } from './time-window.ts'
import { CountTrigger } from './triggers/count-trigger.ts'
import { PurgingTrigger } from './triggers/purging-trigger.ts'
import { EventTimeTrigger } from './triggers/time-triggers.ts'
import type { WindowOptions } from './window-options.ts'

interface Element {
  readonly id: number
  readonly key: string
  readonly ts: number
  readonly gap: number
}
interface Acc {
  ids: number[]
}
interface Case {
  readonly windows: 'tumbling' | 'sliding' | 'session' | 'dynamic session'
  readonly size: number
  readonly slide: number
  readonly offset: number
  readonly lateness: number
  readonly function: 'list' | 'aggregate' | 'aggregate with merge' | 'reduce'
  readonly trigger: 'default' | 'purging' | 'count'
  /** Keys of a window from which on records are added in groups. */
  readonly groupFrom: number
}
type Step = Omit<Element, 'id'> | { readonly watermark: number; readonly interruptAfter: number | undefined }

const COUNT = 3

function assignerOf({ windows, size, slide, offset }: Case): WindowAssigner<Element, TimeWindow> {
  if (windows === 'tumbling') return TumblingEventTimeWindows.of(size, offset % size)
  if (windows === 'sliding') return SlidingEventTimeWindows.of(size, slide, offset % slide)
  if (windows === 'session') return EventTimeSessionWindows.withGap(size)
  return EventTimeSessionWindows.withDynamicGap((element: Element) => element.gap)
}

const collecting: AggregateFunction<Element, Acc, Acc> = {
  createAccumulator: () => ({ ids: [] }),
  add: (element, acc) => {
    acc.ids.push(element.id)
    return acc
  },
  // The accumulator itself: what was emitted must not change when the window goes on.
  getResult: acc => acc,
}
const merging: AggregateFunction<Element, Acc, Acc> = {
  ...collecting,
  merge: (left, right) => {
    if (left.ids.length === 0) return right
    left.ids.push(...right.ids)
    return left
  },
}

function optionsOf(test: Case): WindowOptions<string, Element, TimeWindow> {
  const format = (key: string, window: TimeWindow, ids: readonly number[]) => ({ key, ...window, ids })
  const sessions = test.windows.includes('session')
  const aggregate = sessions || test.function === 'aggregate with merge' ? merging : collecting
  const trigger =
    test.trigger === 'default'
      ? undefined
      : PurgingTrigger.of(test.trigger === 'count' ? CountTrigger.of(COUNT) : EventTimeTrigger.create())
  const rest = {
    assigner: assignerOf(test),
    keySelector: (element: Element) => element.key,
    allowedLatenessMs: test.lateness,
    lateTag: 'late',
    trigger,
  }
  if (test.function === 'list') {
    return {
      ...rest,
      aggregation: { type: 'list' },
      output: {
        type: 'apply',
        function: (key, window, elements, out) =>
          out(
            format(
              key,
              window,
              (elements as Element[]).map(element => element.id),
            ),
          ),
      },
    }
  }
  if (test.function === 'reduce') {
    // Of two records the later one; ids are numbered in order of arrival.
    return {
      ...rest,
      aggregation: { type: 'reduce', reduce: (a, b) => (a.id > b.id ? a : b) },
      output: {
        type: 'process',
        function: {
          process: (key, context, [element], out) =>
            out(format(key, context.window, [(element as Element).id])),
        },
      },
    }
  }
  return {
    ...rest,
    aggregation: { type: 'aggregate', aggregate: aggregate as AggregateFunction<Element, unknown, unknown> },
    output: { type: 'result', function: (key, window, acc) => format(key, window, (acc as Acc).ids) },
  }
}

interface ModelWindow {
  start: number
  end: number
  elements: number[]
  count: number
}

/** What Flink's WindowOperator does, with nothing but lists of records. */
class Model {
  readonly results: string[] = []
  readonly late: number[] = []
  readonly #case: Case
  readonly #windows = new Map<string, ModelWindow[]>()
  #watermark = Number.NEGATIVE_INFINITY

  constructor(testCase: Case) {
    this.#case = testCase
  }

  add(element: Element): void {
    const windows = this.#windows.get(element.key) ?? []
    this.#windows.set(element.key, windows)
    let skipped = true
    for (const [start, end] of this.#bounds(element)) {
      let window: ModelWindow | undefined
      if (this.#case.windows.includes('session')) window = this.#mergedSession(windows, start, end)
      else window = windows.find(each => each.start === start && each.end === end)
      if (window === undefined) {
        window = { start, end, elements: [], count: 0 }
        windows.push(window)
      }
      if (window.end - 1 + this.#case.lateness <= this.#watermark) {
        windows.splice(windows.indexOf(window), 1)
        continue
      }
      skipped = false
      window.elements.push(element.id)
      window.count++
      const fires = this.#case.trigger === 'count' ? window.count >= COUNT : window.end - 1 <= this.#watermark
      if (fires) this.#fire(element.key, window)
    }
    if (skipped && element.ts + this.#case.lateness <= this.#watermark) this.late.push(element.id)
  }

  advance(watermark: number): void {
    const before = this.#watermark
    this.#watermark = Math.max(watermark, before)
    for (const [key, windows] of this.#windows) {
      for (const window of [...windows]) {
        const last = window.end - 1
        if (this.#case.trigger !== 'count' && last > before && last <= this.#watermark)
          this.#fire(key, window)
        if (last + this.#case.lateness <= this.#watermark) windows.splice(windows.indexOf(window), 1)
      }
    }
  }

  #fire(key: string, window: ModelWindow): void {
    window.count = 0
    if (window.elements.length === 0) return
    const ids = this.#case.function === 'reduce' ? [Math.max(...window.elements)] : [...window.elements]
    this.results.push(shown({ key, start: window.start, end: window.end, ids }, window.end - 1))
    if (this.#case.trigger !== 'default') window.elements = []
  }

  #bounds({ ts, gap }: Element): [number, number][] {
    const { windows, size, slide, offset } = this.#case
    if (windows === 'session') return [[ts, ts + size]]
    if (windows === 'dynamic session') return [[ts, ts + gap]]
    const step = windows === 'sliding' ? slide : size
    const bounds: [number, number][] = []
    for (let start = ts - size + 1; start <= ts; start++) {
      if ((((start - (offset % step)) % step) + step) % step === 0) bounds.push([start, start + size])
    }
    return bounds
  }

  #mergedSession(windows: ModelWindow[], start: number, end: number): ModelWindow | undefined {
    const touching = windows.filter(window => window.start <= end && window.end >= start)
    if (touching.length === 0) return undefined
    const merged: ModelWindow = {
      start: Math.min(start, ...touching.map(window => window.start)),
      end: Math.max(end, ...touching.map(window => window.end)),
      elements: touching.flatMap(window => window.elements),
      count: touching.reduce((sum, window) => sum + window.count, 0),
    }
    for (const window of touching) windows.splice(windows.indexOf(window), 1)
    windows.push(merged)
    return merged
  }
}

/** Sorted: merged windows and merged panes promise no order. */
const shown = (
  { key, start, end, ids }: { key: string; start: number; end: number; ids: readonly number[] },
  timestamp: number,
): string => `${key} [${start},${end}) ${[...ids].sort((a, b) => a - b)} @${timestamp}`

const cases: fc.Arbitrary<Case> = fc.record({
  windows: fc.constantFrom('tumbling', 'sliding', 'session', 'dynamic session'),
  size: fc.integer({ min: 1, max: 24 }),
  slide: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constantFrom(2, 4, 6)),
  offset: fc.integer({ min: -24, max: 24 }),
  lateness: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })),
  function: fc.constantFrom('list', 'aggregate', 'aggregate with merge', 'reduce'),
  trigger: fc.oneof(
    { weight: 3, arbitrary: fc.constant('default' as const) },
    fc.constantFrom('purging', 'count'),
  ),
  groupFrom: fc.constantFrom(0, 2, 20_000),
})
const element = fc.record({
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  ts: fc.integer({ min: -80, max: 80 }),
  gap: fc.integer({ min: 1, max: 30 }),
})
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: element },
    {
      weight: 1,
      arbitrary: fc.record({
        watermark: fc.integer({ min: -90, max: 90 }),
        interruptAfter: fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined }),
      }),
    },
  ),
  { maxLength: 150 },
)

test('windows equal a computation by hand, through disorder, lateness and restores in the middle of a window', async () => {
  await fc.assert(
    fc.asyncProperty(cases, steps, async (testCase, input) => {
      const factory = windowOperator(optionsOf(testCase), testCase.groupFrom)
      const shouldYield = () => true
      let harness = await new OperatorHarness(factory, { shouldYield }).open()
      const model = new Model(testCase)
      const emitted: { value: unknown; timestamp: number }[] = []
      const late: number[] = []
      const collect = (): void => {
        emitted.push(...harness.emitted.splice(0))
        for (const { value } of harness.sideOutputs.get('late')?.splice(0) ?? [])
          late.push((value as Element).id)
      }
      let reached = Number.MIN_SAFE_INTEGER
      for (const [id, step] of [...input, { watermark: 1000, interruptAfter: undefined }].entries()) {
        if (!('watermark' in step)) {
          harness.push({ ...step, id }, step.ts)
          model.add({ ...step, id })
          collect()
          continue
        }
        reached = Math.max(reached, step.watermark)
        if (step.interruptAfter !== undefined) {
          for (let i = 0; i < step.interruptAfter; i++) if (harness.step(reached)) break
          // One snapshot is used, another one is not: work goes on after both.
          await harness.snapshot(1)
          harness.step(reached)
          const restored = await harness.snapshot(2)
          collect()
          await harness.operator.close?.()
          harness = await new OperatorHarness(factory, { restored, shouldYield }).open()
        }
        harness.advance(reached)
        model.advance(reached)
        collect()
      }
      const results = emitted.map(({ value, timestamp }) => shown(value as never, timestamp))
      expect(results.sort()).toEqual(model.results.sort())
      expect(late).toEqual(model.late)
      const { keyed } = await harness.snapshot(3)
      // Nothing is left of windows whose life is over.
      expect(keyed).toEqual({ states: [], timers: [] })
    }),
    { numRuns: 600 },
  )
}, 60_000)

const MAX_PARALLELISM = 16

interface Subtask {
  readonly harness: OperatorHarness
  readonly backend: KeyedStateBackend
}
interface Snapshot {
  readonly handles: readonly KeyedStateHandle[]
  readonly operator: Readonly<Record<string, readonly unknown[]>>
}

/** Files in memory, where there are such. */
const localDirectory = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** All subtasks of an operator, on real backends. */
function startSubtasks(
  factory: OperatorFactory,
  parallelism: number,
  restored: Snapshot | undefined,
  backendName: string,
): Promise<Subtask[]> {
  return Promise.all(
    Array.from({ length: parallelism }, async (_, subtaskIndex) => {
      const keyGroupRange = keyGroupRangeOf(MAX_PARALLELISM, parallelism, subtaskIndex)
      const handles = assignKeyedState(restored?.handles ?? [], keyGroupRange)
      const options = { keyGroupRange, maxParallelism: MAX_PARALLELISM }
      const { createKeyedBackend } = await loadStateBackend(backendName)
      const backend = await createKeyedBackend({ ...options, localDirectory }, handles, inlineReader)
      const harness = new OperatorHarness(factory, {
        ...{ backend, subtaskIndex, parallelism, shouldYield: () => true },
        ...(restored === undefined
          ? {}
          : {
              restored: { checkpointId: 1, keyed: { states: [], timers: [] }, operator: restored.operator },
            }),
      })
      return { harness: await harness.open(), backend }
    }),
  )
}

async function snapshotOf(subtasks: readonly Subtask[]): Promise<Snapshot> {
  const operator: Record<string, unknown[]> = {}
  const parts = await Promise.all(
    subtasks.map(async ({ harness, backend }) => {
      await harness.operator.prepareSnapshot?.(1)
      const keyed = backend.snapshot(1, inlineStreams, async () => {})
      await harness.operator.snapshotState?.(1)
      for (const [name, list] of Object.entries(harness.operatorState.snapshotNow())) {
        operator[name] = [...(operator[name] ?? []), ...list]
      }
      return keyed
    }),
  )
  return { handles: parts.flat(), operator }
}

test.for([
  ['hashmap', 200],
  ['rocksdb', 8],
] as const)(
  'windows survive rescaling on the backend %s, in the middle of a window',
  { timeout: 60_000 },
  async ([name, numRuns], { skip }) => {
    if (stateBackendProblem(name) !== undefined) skip()
    const parallelisms = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(cases, steps, parallelisms, async (testCase, input, parallelismOf) => {
        const factory = windowOperator(optionsOf(testCase), testCase.groupFrom)
        let restarts = 0
        const nextParallelism = (): number => parallelismOf[restarts++ % parallelismOf.length] as number
        let subtasks = await startSubtasks(factory, nextParallelism(), undefined, name)
        const model = new Model(testCase)
        const results: string[] = []
        let late = 0
        const collect = (): void => {
          for (const { harness } of subtasks) {
            for (const { value, timestamp } of harness.emitted.splice(0)) {
              results.push(shown(structuredClone(value) as never, timestamp))
            }
            late += harness.sideOutputs.get('late')?.splice(0).length ?? 0
          }
        }
        let reached = Number.MIN_SAFE_INTEGER
        for (const [id, step] of [...input, { watermark: 1000, interruptAfter: 1 }].entries()) {
          if (!('watermark' in step)) {
            const group = keyGroupOf(step.key, MAX_PARALLELISM)
            const subtask = subtasks.find(({ backend: { keyGroupRange } }) => group <= keyGroupRange.end)
            subtask?.harness.push({ ...step, id }, step.ts)
            model.add({ ...step, id })
            collect()
            continue
          }
          reached = Math.max(reached, step.watermark)
          if (step.interruptAfter !== undefined) {
            // Subtasks are at different windows then.
            for (const [i, { harness }] of subtasks.entries()) {
              for (let n = 0; n < step.interruptAfter + i; n++) if (harness.step(reached)) break
            }
            const restored = await snapshotOf(subtasks)
            collect()
            for (const { backend } of subtasks) backend.close?.()
            subtasks = await startSubtasks(factory, nextParallelism(), restored, name)
          }
          for (const { harness } of subtasks) harness.advance(reached)
          model.advance(reached)
          collect()
        }
        for (const { backend } of subtasks) backend.close?.()
        expect(results.sort()).toEqual(model.results.sort())
        expect(late).toBe(model.late.length)
      }),
      { numRuns },
    )
  },
)
