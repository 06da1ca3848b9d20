import { keyGroupOf, keyGroupRangeOf } from '@flink-ts/serialization'
import {
  assignKeyedState,
  createHashMapKeyedStateBackend,
  type KeyedStateBackend,
  type KeyedStateHandle,
  ListStateDescriptor,
  MapStateDescriptor,
  type ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'
import { expect, test } from 'vitest'
import type { OperatorFactory } from '../contract/stream-operator.ts'
import type { RuntimeContext } from '../functions/rich-function.ts'
import { inlineReader, inlineStreams } from '../harness/inline-snapshots.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { TumblingEventTimeWindows } from '../windowing/assigners/tumbling-windows.ts'
import { windowOperator } from '../windowing/create-window-operator.ts'
import type { TimeWindow } from '../windowing/time-window.ts'
import type { ProcessWindowContext } from '../windowing/window-functions.ts'
import { filterOperator } from './filter-operator.ts'
import { flatMapOperator } from './flat-map-operator.ts'
import { keyedProcessOperator } from './keyed-process-operator.ts'
import { keyedReduceOperator } from './keyed-reduce-operator.ts'
import { mapOperator } from './map-operator.ts'

const MAX_PARALLELISM = 128

interface Subtask {
  readonly harness: OperatorHarness
  readonly backend: KeyedStateBackend
}

/** All subtasks of an operator at one parallelism, on real heap backends. */
async function subtasks(
  factory: OperatorFactory,
  parallelism: number,
  restored: readonly KeyedStateHandle[] = [],
): Promise<Subtask[]> {
  return Promise.all(
    Array.from({ length: parallelism }, async (_, subtaskIndex) => {
      const keyGroupRange = keyGroupRangeOf(MAX_PARALLELISM, parallelism, subtaskIndex)
      const handles = assignKeyedState(restored, keyGroupRange)
      const options = { keyGroupRange, maxParallelism: MAX_PARALLELISM }
      const backend = await createHashMapKeyedStateBackend(options, handles, inlineReader)
      const where = { backend, subtaskIndex, parallelism, shouldYield: () => true }
      return { harness: await new OperatorHarness(factory, where).open(), backend }
    }),
  )
}

async function snapshot(tasks: readonly Subtask[], duringSnapshot: () => void): Promise<KeyedStateHandle[]> {
  const running: Promise<readonly KeyedStateHandle[]>[] = []
  for (const { harness, backend } of tasks) {
    await harness.operator.prepareSnapshot?.(1)
    running.push(backend.snapshot(1, inlineStreams, async () => {}))
  }
  // What happens from here on must not be in it.
  duringSnapshot()
  return (await Promise.all(running)).flat()
}

const subtaskFor = (tasks: readonly Subtask[], key: unknown): Subtask => {
  const group = keyGroupOf(key, MAX_PARALLELISM)
  return tasks.find(
    ({ backend }) => group >= backend.keyGroupRange.start && group <= backend.keyGroupRange.end,
  ) as Subtask
}

interface Entry {
  readonly key: string
  readonly at: number
  readonly n: number
}
const entries = (count: number, keys = 300): Entry[] =>
  Array.from({ length: count }, (_, i) => ({ key: `key-${i % keys}`, at: i % 50, n: 1 }))

test('map, flatMap and filter with state of the key', async () => {
  class Counting {
    #count!: ValueState<number>
    open(context: RuntimeContext): void {
      this.#count = context.getState(new ValueStateDescriptor<number>('count'))
    }
    #next(): number {
      const count = (this.#count.value() ?? 0) + 1
      this.#count.update(count)
      return count
    }
    map(value: string): string {
      return `${value}${this.#next()}`
    }
    flatMap(value: string): string[] {
      return [`${value}${this.#next()}`]
    }
    filter(): boolean {
      return this.#next() === 1
    }
  }
  const results: unknown[] = []
  const keyOf = (value: string): string => value
  type Make = (userFunction: never, keySelector?: never) => OperatorFactory
  const factories: readonly Make[] = [mapOperator, flatMapOperator, filterOperator]
  for (const factory of factories) {
    const made = factory(new Counting() as never, keyOf as never)
    const [{ harness }] = (await subtasks(made, 1)) as [Subtask]
    for (const value of ['a', 'b', 'a']) harness.push(value, 0)
    results.push(harness.values())
    await expect(new OperatorHarness(factory(new Counting() as never)).open()).rejects.toThrow(/has no keys/)
  }
  expect(results).toEqual([
    ['a1', 'b1', 'a2'],
    ['a1', 'b1', 'a2'],
    ['a', 'b'],
  ])
})

test.each([
  [2, 3],
  [3, 1],
  [1, 4],
])('a window half fired: rescaled from %i to %i, each result once', async (from, to) => {
  const factory = windowOperator<string, Entry, TimeWindow>({
    assigner: TumblingEventTimeWindows.of(25),
    keySelector: entry => entry.key,
    aggregation: {
      type: 'aggregate',
      aggregate: {
        createAccumulator: () => ({ n: 0 }),
        add: (_entry, acc) => {
          ;(acc as { n: number }).n++
          return acc
        },
        getResult: acc => (acc as { n: number }).n,
      },
    },
    output: { type: 'result', function: (key, window, n) => `${key} ${window.start} ${n}` },
    lateTag: undefined,
  })
  const first = await subtasks(factory, from)
  const expected = new Map<string, number>()
  for (const entry of entries(3000, 900)) {
    subtaskFor(first, entry.key).harness.push(entry, entry.at)
    const id = `${entry.key} ${entry.at < 25 ? 0 : 25}`
    expected.set(id, (expected.get(id) ?? 0) + 1)
  }
  for (const { harness } of first) harness.step(24)
  let covered: unknown[] = []
  const handles = await snapshot(first, () => {
    covered = first.flatMap(({ harness }) => harness.values())
    for (const { harness } of first) harness.advance(1000)
  })
  expect(covered.length).toBeGreaterThan(0)
  expect(covered.length).toBeLessThan(expected.size / 2)
  const second = await subtasks(factory, to, handles)
  for (const { harness } of second) harness.advance(1000)
  const results = [...covered, ...second.flatMap(({ harness }) => harness.values())]
  expect(results.sort()).toEqual([...expected].map(([id, n]) => `${id} ${n}`).sort())
})

test('values, running reductions and timers follow their keys to another parallelism', async () => {
  const reduce = keyedReduceOperator<Entry>(
    entry => entry.key,
    (a, b) => ({ ...a, n: a.n + b.n }),
  )
  let count!: ValueState<number>
  const process = keyedProcessOperator<string, Entry, string>(entry => entry.key, {
    open: context => {
      count = context.getState(new ValueStateDescriptor('count', 0))
    },
    processElement: (entry, context) => {
      count.update((count.value() ?? 0) + 1)
      context.timerService.registerEventTimeTimer(entry.at)
    },
    onTimer: (time, context, out) => out(`${context.currentKey} ${time} ${count.value()}`),
  })
  for (const factory of [reduce, process]) {
    // One subtask at a time: `count` belongs to the function, as in a slot thread.
    const [first] = await subtasks(factory, 1)
    for (const entry of entries(900)) first?.harness.push(entry)
    const handles = await snapshot([first as Subtask], () =>
      first?.harness.push({ key: 'key-0', at: 7, n: 1000 }),
    )
    const results: unknown[] = []
    for (const index of [0, 1]) {
      const second = (await subtasks(factory, 2, handles))[index] as Subtask
      await second.harness.operator.open?.()
      for (const entry of entries(300)) {
        if (keyGroupOf(entry.key, MAX_PARALLELISM) < second.backend.keyGroupRange.start) continue
        if (keyGroupOf(entry.key, MAX_PARALLELISM) > second.backend.keyGroupRange.end) continue
        second.harness.push(entry)
      }
      second.harness.advance(1000)
      results.push(...second.harness.values())
    }
    if (factory === reduce)
      expect(results).toEqual(Array.from({ length: 300 }, () => expect.objectContaining({ n: 4 })))
    // 300 keys, i % 50 is the same for each i of one key: one timer a key.
    else
      expect(results.sort()).toEqual(
        entries(300)
          .map(entry => `${entry.key} ${entry.at} 4`)
          .sort(),
      )
  }
})

test.each([0, 10])(
  'a window has lists and maps of its own, gone with it; lateness %i',
  async allowedLatenessMs => {
    const times = new ListStateDescriptor<number>('times')
    const counts = new MapStateDescriptor<string, number>('counts')
    const factory = windowOperator<string, Entry, TimeWindow>({
      assigner: TumblingEventTimeWindows.of(25),
      keySelector: entry => entry.key,
      aggregation: { type: 'list' },
      allowedLatenessMs,
      output: {
        type: 'process',
        function: {
          process(_key: string, context: ProcessWindowContext, elements: readonly Entry[]) {
            const { windowState } = context
            windowState.getListState(times).addAll(elements.map(({ at }) => at))
            windowState.getMapState(counts).put('n', elements.length)
            return [
              `${[...windowState.getListState(times).get()]} ${windowState.getMapState(counts).get('n')}`,
            ]
          },
        } as never,
      },
    })
    const [{ harness, backend }] = (await subtasks(factory, 1)) as [Subtask]
    for (const at of [1, 2, 30]) harness.push({ key: 'a', at, n: 1 }, at)
    harness.advance(1000)
    expect(harness.values()).toEqual(['1,2 2', '30 1'])
    expect(backend.stateSizes?.().filter(({ entries }) => entries > 0)).toEqual([])
  },
)
