import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { keyedProcessOperator } from '../builtin/keyed-process-operator.ts'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import type { KeyedProcessFunction } from '../functions/functions.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { type Element, expectGolden, GoldenFunction, golden } from './golden-timers.ts'
import { TimerQueue } from './timer-queue.ts'

describe('event-time timers', () => {
  test.each([1, 2, 64])('as in Flink, suspended after every %i-th question whether to yield', async every => {
    let asked = 0
    const factory = keyedProcessOperator((element: Element) => element.key, new GoldenFunction())
    const harness = await new OperatorHarness(factory, { shouldYield: () => ++asked % every === 0 }).open()
    for (const step of golden.input) {
      if ('watermark' in step) harness.advance(step.watermark)
      else harness.push(step, step.ts)
    }
    harness.advance(MAX_WATERMARK)
    expectGolden(harness.emitted, `asked every ${every}`)
  })

  test('fire resumably, in order, and a snapshot in the middle has exactly the rest', async () => {
    const steps = fc.array(
      fc.record({ key: fc.integer({ min: 0, max: 40 }), time: fc.integer({ min: -50, max: 50 }) }),
      {
        minLength: 130,
        maxLength: 400,
      },
    )
    const onTimer: KeyedProcessFunction<number, { key: number; time: number }, string> = {
      processElement: (value, context) => context.timerService.registerEventTimeTimer(value.time),
      onTimer: (time, context, out) => out(`${time}/${context.currentKey}`),
    }
    await fc.assert(
      fc.asyncProperty(steps, async input => {
        const factory = keyedProcessOperator((value: { key: number }) => value.key, onTimer)
        const first = await new OperatorHarness(factory, { shouldYield: () => true }).open()
        for (const value of input) first.push(value)
        first.step(1000)
        const second = await new OperatorHarness(factory, { restored: await first.snapshot(1) }).open()
        second.advance(1000)
        const fired = [...first.values(), ...second.values()] as string[]
        const expected = new Set(input.map(({ key, time }) => `${time}/${key}`))
        expect(fired.length).toBe(expected.size)
        expect(new Set(fired)).toEqual(expected)
        const times = fired.map(text => Number(text.split('/')[0]))
        expect(times).toEqual([...times].sort((a, b) => a - b))
        expect(first.emitted.length).toBeLessThanOrEqual(64)
      }),
      { numRuns: 30 },
    )
  })

  test('at no time are an error', async () => {
    const factory = keyedProcessOperator((value: number) => value, {
      processElement: (_value, context) => context.timerService.registerEventTimeTimer(Number.NaN),
    })
    const harness = await new OperatorHarness(factory).open()
    expect(() => harness.push(1)).toThrow(/registers a timer at NaN: give milliseconds/)
  })
})

describe('processing-time timers', () => {
  const echo: KeyedProcessFunction<string, { key: string; at: number; delete?: number }, unknown> = {
    processElement: (value, { timerService }) => {
      timerService.registerProcessingTimeTimer(value.at)
      if (value.delete !== undefined) timerService.deleteProcessingTimeTimer(value.delete)
    },
    onTimer: (time, context, out) => out({ time, key: context.currentKey, domain: context.timeDomain }),
  }
  const factory = keyedProcessOperator((value: { key: string }) => value.key, echo)

  test('fire by the clock, without event time, and again after a restore', async () => {
    const harness = await new OperatorHarness(factory).open()
    const start = harness.clock.now()
    harness.push({ key: 'b', at: start + 200 }, 5)
    harness.push({ key: 'a', at: start + 100 }, 5)
    harness.push({ key: 'a', at: start + 100 }, 5)
    harness.push({ key: 'c', at: start + 300 }, 5)
    harness.clock.advance(99)
    expect(harness.emitted).toEqual([])
    harness.clock.advance(1)
    expect(harness.emitted).toEqual([
      { value: { time: start + 100, key: 'a', domain: 'processing-time' }, timestamp: Number.NaN },
    ])
    const restored = await new OperatorHarness(factory, { restored: await harness.snapshot(1) }).open()
    restored.clock.advance(1000)
    expect(restored.values().map(value => (value as { key: string }).key)).toEqual(['b', 'c'])
  })

  test('are not fired when deleted or after close', async () => {
    const harness = await new OperatorHarness(factory).open()
    const start = harness.clock.now()
    harness.push({ key: 'a', at: start + 10, delete: start + 10 })
    harness.push({ key: 'a', at: start + 20 })
    harness.clock.advance(15)
    await harness.operator.close?.()
    harness.clock.advance(100)
    expect(harness.emitted).toEqual([])
  })

  test('go on after a pause in the middle', async () => {
    const harness = await new OperatorHarness(factory, { shouldYield: () => true }).open()
    const at = harness.clock.now() + 10
    for (let i = 0; i < 200; i++) harness.push({ key: `k${i}`, at })
    harness.clock.advance(10)
    expect(harness.emitted.length).toBe(200)
  })
})

describe('TimerQueue', () => {
  test('agrees with a plain model under random registration, deletion and polling', () => {
    const key = fc.oneof(
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom('0', true, Number.NaN),
      fc.tuple(fc.integer({ min: 0, max: 2 }), fc.constantFrom('x', 'y')),
    )
    const namespace = fc.oneof(fc.constantFrom(undefined, 0, 'n'), fc.integer({ min: 1, max: 30 }))
    const command = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          op: fc.constant('add' as const),
          key,
          namespace,
          time: fc.integer({ min: 0, max: 5 }),
        }),
      },
      {
        weight: 3,
        arbitrary: fc.record({
          op: fc.constant('delete' as const),
          key,
          namespace,
          time: fc.integer({ min: 0, max: 5 }),
        }),
      },
      {
        weight: 2,
        arbitrary: fc.record({ op: fc.constant('poll' as const), limit: fc.integer({ min: -1, max: 5 }) }),
      },
    )
    fc.assert(
      fc.property(fc.array(command, { maxLength: 300 }), commands => {
        const queue = new TimerQueue()
        const model = new Map<string, number>()
        const name = (key: unknown, namespace: unknown, time: number) =>
          `${time}|${typeof namespace}${String(namespace)}|${typeof key}${String(key)}`
        for (const step of commands) {
          if (step.op === 'poll') {
            const polled = queue.poll(step.limit)
            const least = Math.min(...model.values())
            if (polled === undefined) expect(least).toBeGreaterThan(step.limit)
            else {
              expect(polled.timestamp).toBe(least)
              expect(model.delete(name(polled.key, polled.namespace, polled.timestamp))).toBe(true)
            }
          } else if (step.op === 'add') {
            const id = name(step.key, step.namespace, step.time)
            expect(queue.add(step.key, step.namespace, step.time)).toBe(!model.has(id))
            model.set(id, step.time)
          } else {
            const id = name(step.key, step.namespace, step.time)
            expect(queue.delete(step.key, step.namespace, step.time)).toBe(model.delete(id))
          }
          expect(queue.size).toBe(model.size)
        }
        const entries = [...queue.snapshotEntries()].map(e => name(e.key, e.namespace, e.timestamp))
        expect(entries.sort()).toEqual([...model.keys()].sort())
      }),
      { numRuns: 200 },
    )
  })

  test('takes no longer with as many namespaces as keys, as sessions have', () => {
    const queue = new TimerQueue()
    const count = 60_000
    const began = performance.now()
    for (let i = 0; i < count; i++) queue.add(`k${i}`, `s${i}`, 1000)
    for (let i = 0; i < count; i += 3) expect(queue.delete(`k${i}`, `s${i}`, 1000)).toBe(true)
    let polled = 0
    while (queue.poll(1000) !== undefined) polled++
    expect(polled).toBe((count * 2) / 3)
    // By search it would be a hundred times as much.
    expect(performance.now() - began).toBeLessThan(3000)
  })

  test('keeps nothing of timers that were deleted long before their time', () => {
    const queue = new TimerQueue()
    for (let i = 0; i < 100_000; i++) {
      queue.add('session', undefined, 1_000_000 + i)
      if (i > 0) queue.delete('session', undefined, 1_000_000 + i - 1)
    }
    expect(queue.size).toBe(1)
    expect(queue.poll(Infinity)?.timestamp).toBe(1_099_999)
    expect(queue.poll(Infinity)).toBeUndefined()
  })
})
