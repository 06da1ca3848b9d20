import { Deferred } from '@flink-ts/common'
import {
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  ValueStateDescriptor,
} from '@flink-ts/state'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyedProcessOperator } from '../builtin/keyed-process-operator.ts'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import type { AsyncKeyedContext, AsyncKeyedProcessFunction } from '../functions/async-process-function.ts'
import type { Collector } from '../functions/collector.ts'
import type { RuntimeContext } from '../functions/rich-function.ts'
import { type HarnessOptions, OperatorHarness } from '../harness/operator-harness.ts'
import { asyncKeyedProcessOperator } from './async-keyed-process-operator.ts'

interface Item {
  readonly key: string
  readonly n: number
}

const count = new ValueStateDescriptor('count', 0)
const keyOf = (item: Item): string => item.key

/** Lets promises come back, then runs what they posted. */
async function settle(harness: OperatorHarness): Promise<void> {
  for (let i = 0; i < 4; i++) {
    await new Promise<void>(resolve => setImmediate(resolve))
    harness.clock.advance(0)
  }
}

const start = (
  userFunction: AsyncKeyedProcessFunction<string, Item, string>,
  options: { capacity?: number; timeoutMs?: number } = {},
  harness: HarnessOptions = {},
): Promise<OperatorHarness> =>
  new OperatorHarness(
    asyncKeyedProcessOperator(keyOf, userFunction, {
      capacity: options.capacity ?? 4,
      timeoutMs: options.timeoutMs,
    }),
    harness,
  ).open()

/** Counts per key around a wait for the test; each item has a timer 5 ms later, which may have one more. */
class Counting implements AsyncKeyedProcessFunction<string, Item, string> {
  readonly open_: Deferred<void>[] = []

  async processElement(
    item: Item,
    context: AsyncKeyedContext<string>,
    out: Collector<string>,
  ): Promise<void> {
    const state = context.getState(count)
    const before = state.value() as number
    await this.#wait()
    state.update((state.value() as number) + 1)
    context.timerService.registerEventTimeTimer((context.timestamp() as number) + 5)
    out(`${context.currentKey} ${item.n}: ${before} -> ${state.value()}`)
  }

  async onTimer(
    timestamp: number,
    context: AsyncKeyedContext<string>,
    out: Collector<string>,
  ): Promise<void> {
    await this.#wait()
    const state = context.getState(count)
    if ((state.value() as number) % 3 === 0) context.timerService.registerEventTimeTimer(timestamp + 1)
    if ((state.value() as number) % 2 === 0) context.timerService.deleteEventTimeTimer(timestamp + 2)
    state.update((state.value() as number) + 10)
    out(`${context.currentKey} timer ${timestamp}: ${state.value()}`)
  }

  answer(n: number): boolean {
    const [one] = this.open_.splice(n % Math.max(1, this.open_.length), 1)
    one?.resolve()
    return one !== undefined
  }

  #wait(): Promise<void> {
    const deferred = new Deferred<void>()
    this.open_.push(deferred)
    return deferred.promise
  }
}

type Step =
  | { readonly type: 'record'; readonly key: string; readonly ts: number }
  | { readonly type: 'answer' | 'watermark' | 'restore'; readonly n: number }

/** The same without any waiting: what an ordinary function gives. A restore lets event time begin anew there, too. */
async function synchronous(steps: readonly Step[]): Promise<readonly unknown[]> {
  let state: { value(): number | undefined; update(value: number): void } | undefined
  const open = (options: HarnessOptions = {}): Promise<OperatorHarness> =>
    new OperatorHarness(
      keyedProcessOperator<string, Item, string>(keyOf, {
        open: (context: RuntimeContext) => {
          state = context.getState(count)
        },
        processElement: (item, context, out) => {
          const before = state?.value() as number
          state?.update(before + 1)
          context.timerService.registerEventTimeTimer((context.timestamp() as number) + 5)
          out(`${context.currentKey} ${item.n}: ${before} -> ${before + 1}`)
        },
        onTimer: (timestamp, context, out) => {
          if ((state?.value() as number) % 3 === 0) context.timerService.registerEventTimeTimer(timestamp + 1)
          if ((state?.value() as number) % 2 === 0) context.timerService.deleteEventTimeTimer(timestamp + 2)
          state?.update((state.value() as number) + 10)
          out(`${context.currentKey} timer ${timestamp}: ${state?.value()}`)
        },
      }),
      options,
    ).open()
  let harness = await open()
  let watermark = Number.MIN_SAFE_INTEGER
  const emitted: unknown[] = []
  for (const [i, step] of steps.entries()) {
    if (step.type === 'record') harness.push({ key: step.key, n: i }, step.ts)
    else if (step.type === 'watermark') {
      watermark = Math.max(watermark, step.n)
      harness.advance(watermark)
    } else if (step.type === 'restore') {
      const restored = await harness.snapshot(i)
      emitted.push(...harness.values())
      harness = await open({ restored })
    }
  }
  harness.advance(MAX_WATERMARK)
  return [...emitted, ...harness.values()]
}

const perKey = (values: readonly unknown[]): Record<string, unknown[] | undefined> =>
  Object.groupBy(values, value => (value as string).split(' ')[0] as string)

test('each key sees what a synchronous function gives, whatever the order of answers, through restores', async () => {
  const step: fc.Arbitrary<Step> = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('record' as const),
        key: fc.constantFrom('a', 'b', 'c'),
        ts: fc.nat(30),
      }),
    },
    { weight: 5, arbitrary: fc.record({ type: fc.constant('answer' as const), n: fc.nat(9) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('watermark' as const), n: fc.nat(30) }) },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('restore' as const), n: fc.constant(0) }) },
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 35 }),
      fc.integer({ min: 1, max: 4 }),
      async (steps, capacity) => {
        let calls = new Counting()
        let harness = await start(calls, { capacity })
        let emitted: unknown[] = []
        let watermark = Number.MIN_SAFE_INTEGER
        const advance = async (to: number): Promise<void> => {
          watermark = Math.max(watermark, to)
          for (let turns = 0; !harness.step(watermark); turns++) {
            if (turns > 1000) throw new Error('the watermark does not get through')
            calls.answer(turns)
            await settle(harness)
          }
        }
        for (const [i, one] of steps.entries()) {
          if (one.type === 'record') harness.push({ key: one.key, n: i }, one.ts)
          else if (one.type === 'watermark') await advance(one.n)
          else if (one.type === 'answer') {
            calls.answer(one.n)
            await settle(harness)
          } else {
            const restored = await harness.snapshot(i)
            emitted = [...emitted, ...harness.values()]
            await harness.operator.close?.()
            calls = new Counting()
            harness = await start(calls, { capacity }, { restored })
          }
        }
        await advance(MAX_WATERMARK)
        const expected = await synchronous(steps)
        expect(perKey([...emitted, ...harness.values()])).toEqual(perKey(expected))
        expect(harness.available).toBe(true)
        expect(harness.watermarks.at(-1)).toBe(MAX_WATERMARK)
      },
    ),
    { numRuns: 150 },
  )
})

test('a call that is over behind a watermark leaves its place to those before the watermark', async () => {
  const harness = await start({ processElement: async (item, _, out) => out(`${item.n}`) }, { capacity: 1 })
  harness.push({ key: 'b', n: 1 })
  harness.push({ key: 'b', n: 2 })
  expect(harness.step(0)).toBe(true)
  harness.push({ key: 'a', n: 3 })
  await settle(harness)
  expect(harness.values()).toEqual(['1', '2', '3'])
})

test('keys do not wait for each other, records of one key do; nothing shows before the call is over', async () => {
  const open = new Map<number, Deferred<void>>()
  const harness = await start({
    processElement: async (item, context, out) => {
      const state = context.getState(count)
      state.update((state.value() as number) + 1)
      out(`${item.n} begins at ${state.value()}`)
      const deferred = new Deferred<void>()
      open.set(item.n, deferred)
      await deferred.promise
    },
  })
  harness.push({ key: 'a', n: 1 })
  harness.push({ key: 'a', n: 2 })
  harness.push({ key: 'b', n: 3 })
  await settle(harness)
  expect([...open.keys()]).toEqual([1, 3])
  open.get(3)?.resolve()
  await settle(harness)
  expect(harness.values()).toEqual(['3 begins at 1'])
  const { keyed } = await harness.snapshot(1)
  expect(keyed.states.filter(({ name }) => name === 'count').map(({ key }) => key)).toEqual(['b'])
  open.get(1)?.resolve()
  await settle(harness)
  open.get(2)?.resolve()
  await settle(harness)
  expect(harness.values()).toEqual(['3 begins at 1', '1 begins at 1', '2 begins at 2'])
})

test('a function without timers knows the watermark, and null is a value', async () => {
  const seen = new ValueStateDescriptor<{ n: number } | null>('seen', { n: 0 })
  const harness = await start({
    async processElement(_item, context, out) {
      const state = context.getState(seen)
      state.clear()
      ;(state.value() as { n: number }).n++
      state.update(null)
      await Promise.resolve()
      out(`${context.timerService.currentWatermark()} ${JSON.stringify(state.value())}`)
    },
  })
  harness.advance(42)
  harness.push({ key: 'a', n: 1 }, 43)
  await settle(harness)
  expect(harness.values()).toEqual(['42 null'])
  expect(seen.defaultValue).toEqual({ n: 0 })
  await harness.operator.close?.()
})

test('all kinds of state of one call: reads see its own writes, and all are made at its end', async () => {
  const list = new ListStateDescriptor<number>('list')
  const map = new MapStateDescriptor<string, { n: number }>('map')
  const sum = new ReducingStateDescriptor<number>('sum', (a, b) => a + b)
  const seen: unknown[] = []
  const harness = await start({
    processElement: async ({ n }, context) => {
      const states = {
        list: context.getListState(list),
        map: context.getMapState(map),
        sum: context.getReducingState(sum),
      }
      await Promise.resolve()
      if (n === 3) for (const state of Object.values(states)) state.clear()
      states.list.add(n)
      states.map.put(`k${n}`, { n })
      if (n === 2) states.map.remove('k1')
      states.sum.add(n)
      const stored = states.map.get('k1')
      if (stored !== undefined) stored.n = 1000
      seen.push([[...states.list.get()], [...states.map.keys()], states.sum.get(), states.map.isEmpty()])
    },
  })
  for (const n of [1, 2, 3]) harness.push({ key: 'a', n })
  for (let i = 0; i < 3; i++) await settle(harness)
  expect(seen).toEqual([
    [[1], ['k1'], 1, false],
    [[1, 2], ['k2'], 3, false],
    [[3], ['k3'], 3, false],
  ])
})

describe('failures', () => {
  test('name the record or timer', async () => {
    const failing = await start({
      processElement: async (_item, context) => context.timerService.registerEventTimeTimer(7),
      onTimer: () => Promise.reject(new Error('too late')),
    })
    failing.push({ key: 'a', n: 1 }, 1)
    await settle(failing)
    expect(failing.step(10)).toBe(false)
    await expect(settle(failing)).rejects.toThrow(/too late \(thrown by onTimer .*event-time timer 7/)
    const atOnce = await start({
      processElement: () => {
        throw new RangeError('at once')
      },
    })
    atOnce.push({ key: 'a', n: 1 })
    await expect(settle(atOnce)).rejects.toThrow(/at once \(thrown by processElement .*n: 1/)
  })

  test('time is up; and the context is over with the call', async () => {
    let signal: AbortSignal | undefined
    const slow = await start(
      {
        processElement: (_item, context) => {
          signal = context.signal
          return new Promise(() => {})
        },
      },
      { timeoutMs: 50 },
    )
    slow.push({ key: 'a', n: 1 })
    expect(() => slow.clock.advance(50)).toThrow(expect.objectContaining({ code: 'operators.async-timeout' }))
    expect(signal?.aborted).toBe(true)

    let late: (() => void) | undefined
    const over = await start({
      processElement: (_item, _context, out) => {
        late = () => out('too late')
      },
    })
    over.push({ key: 'a', n: 1 })
    await settle(over)
    expect(late).toThrow(expect.objectContaining({ code: 'operators.async-call-over' }))
  })

  test('state for all keys together is refused in open', async () => {
    const inOpen = start({
      open: context => {
        context.getState(count)
      },
      processElement: () => {},
    })
    await expect(inOpen).rejects.toMatchObject({ code: 'operators.async-state-in-open' })
  })
})
