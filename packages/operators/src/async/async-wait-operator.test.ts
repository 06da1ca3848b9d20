import { Deferred } from '@flink-ts/common'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import { type AsyncFunction, AsyncRetryStrategies } from '../functions/async-functions.ts'
import { type HarnessOptions, OperatorHarness } from '../harness/operator-harness.ts'
import { type AsyncWaitOptions, asyncWaitOperator } from './async-wait-operator.ts'

/** Calls of the user's function that wait for the test. */
class Calls {
  readonly open = new Map<string, Deferred<readonly string[]>>()
  readonly begun: string[] = []
  readonly signals = new Map<string, AbortSignal>()
  readonly timeouts: string[] = []

  readonly asyncFunction: AsyncFunction<string, string> = {
    asyncInvoke: (value, _future, { signal }) => {
      const deferred = new Deferred<readonly string[]>()
      this.begun.push(value)
      this.open.set(value, deferred)
      this.signals.set(value, signal)
      return deferred.promise
    },
  }

  answer(value: string, results: readonly string[] = [value.toUpperCase()]): void {
    this.open.get(value)?.resolve(results)
  }
}

const defaults: AsyncWaitOptions = { ordered: true, capacity: 3, timeoutMs: undefined, retry: undefined }
const start = (
  asyncFunction: AsyncFunction<string, string>,
  options: Partial<AsyncWaitOptions> = {},
  harness: HarnessOptions = {},
): Promise<OperatorHarness> =>
  new OperatorHarness(asyncWaitOperator(asyncFunction, { ...defaults, ...options }), harness).open()

/** Lets promises come back, then runs what they posted. */
async function settle(harness: OperatorHarness): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await new Promise<void>(resolve => setImmediate(resolve))
    harness.clock.advance(0)
  }
}

describe('order', () => {
  test('ordered: results wait for those of earlier records', async () => {
    const calls = new Calls()
    const harness = await start(calls.asyncFunction)
    for (const [i, value] of ['a', 'b', 'c'].entries()) harness.push(value, i)
    calls.answer('c')
    calls.answer('b', ['b1', 'b2'])
    await settle(harness)
    expect(harness.values()).toEqual([])
    calls.answer('a', [])
    await settle(harness)
    expect(harness.emitted).toEqual([
      { value: 'b1', timestamp: 1 },
      { value: 'b2', timestamp: 1 },
      { value: 'C', timestamp: 2 },
    ])
  })

  test('unordered: as they come, but not past a watermark', async () => {
    const calls = new Calls()
    const log: unknown[] = []
    const harness = await start(
      calls.asyncFunction,
      { ordered: false, capacity: 9 },
      { onEmit: ({ value }) => log.push(value) },
    )
    harness.push('a', 1)
    harness.push('b', 2)
    harness.advance(2)
    harness.advance(3)
    harness.push('c', 4)
    calls.answer('c')
    calls.answer('b')
    await settle(harness)
    expect(log).toEqual(['B'])
    expect(harness.watermarks).toEqual([])
    calls.answer('a')
    await settle(harness)
    expect(log).toEqual(['B', 'A', 'C'])
    expect(harness.watermarks).toEqual([3])
    harness.advance(7)
    expect(harness.watermarks).toEqual([3, 7])
  })

  test('the last watermark waits for everything', async () => {
    const calls = new Calls()
    const harness = await start(calls.asyncFunction)
    harness.push('a', 1)
    expect(harness.step(MAX_WATERMARK)).toBe(false)
    calls.answer('a')
    await settle(harness)
    expect(harness.step(MAX_WATERMARK)).toBe(true)
    expect(harness.values()).toEqual(['A'])
    expect(harness.watermarks).toEqual([MAX_WATERMARK])
  })
})

test('beyond the capacity no more input is taken and nothing is begun', async () => {
  const calls = new Calls()
  const harness = await start(calls.asyncFunction, { capacity: 2 })
  for (const value of ['a', 'b', 'c', 'd']) harness.push(value)
  expect(calls.begun).toEqual(['a', 'b'])
  expect(harness.available).toBe(false)
  calls.answer('b')
  await settle(harness)
  // Ordered: b is done, but waits for a, and still counts.
  expect(calls.begun).toEqual(['a', 'b'])
  calls.answer('a')
  await settle(harness)
  expect(calls.begun).toEqual(['a', 'b', 'c', 'd'])
  expect(harness.available).toBe(false)
  calls.answer('c')
  await settle(harness)
  expect(harness.available).toBe(true)
})

describe('failures', () => {
  test('a rejection fails the task and names the record', async () => {
    const harness = await start({ asyncInvoke: () => Promise.reject(new Error('no such customer')) })
    harness.push('x')
    await expect(settle(harness)).rejects.toThrow(/no such customer \(thrown by asyncInvoke .*record 'x'\)/)
  })

  test('a synchronous error and a wrong result do too', async () => {
    const throwing = await start({
      asyncInvoke: () => {
        throw new RangeError('at once')
      },
    })
    throwing.push('x')
    await expect(settle(throwing)).rejects.toThrow(/at once/)
    const wrong = await start({ asyncInvoke: async () => 'text' as never })
    wrong.push('x')
    await expect(settle(wrong)).rejects.toThrow(/give \[result\]/)
  })

  test('callbacks: only the first call counts', async () => {
    const harness = await start({
      asyncInvoke: (value, future) => {
        setImmediate(() => {
          future.complete(new Set([value, 'twice']))
          future.completeExceptionally(new Error('too late'))
        })
      },
    })
    harness.push('a')
    await settle(harness)
    expect(harness.values()).toEqual(['a', 'twice'])
  })

  test('time is up: the job fails, or the function gives results; the call is aborted', async () => {
    const calls = new Calls()
    const failing = await start(calls.asyncFunction, { timeoutMs: 100 })
    failing.push('a')
    failing.clock.advance(99)
    expect(() => failing.clock.advance(1)).toThrow(
      expect.objectContaining({ code: 'operators.async-timeout' }),
    )
    expect(calls.signals.get('a')?.aborted).toBe(true)

    const patient = new Calls()
    const harness = await start(
      { ...patient.asyncFunction, timeout: (value, future) => future.complete([`no answer for ${value}`]) },
      { timeoutMs: 100 },
    )
    harness.push('a')
    harness.clock.advance(60)
    harness.push('b')
    patient.answer('b')
    await settle(harness)
    harness.clock.advance(40)
    await settle(harness)
    patient.answer('a')
    await settle(harness)
    harness.clock.advance(1000)
    expect(harness.values()).toEqual(['no answer for a', 'B'])
  })

  test('the end of the task abandons what is in flight', async () => {
    const calls = new Calls()
    const harness = await start(calls.asyncFunction, { timeoutMs: 100 })
    harness.push('a')
    await harness.operator.close?.()
    expect(calls.signals.get('a')?.aborted).toBe(true)
    calls.answer('a')
    await settle(harness)
    harness.clock.advance(1000)
    expect(harness.values()).toEqual([])
  })
})

describe('retries', () => {
  const flaky = (failures: number, attempts: number[]): AsyncFunction<string, string> => ({
    asyncInvoke: async (value, _future, { attempt }) => {
      attempts.push(attempt)
      if (attempt <= failures) throw new Error(`try ${attempt}`)
      return [value]
    },
  })

  test('fixed delay, up to the limit', async () => {
    const attempts: number[] = []
    const harness = await start(flaky(2, attempts), { retry: AsyncRetryStrategies.fixedDelay(2, 50) })
    harness.push('a')
    await settle(harness)
    harness.clock.advance(49)
    await settle(harness)
    expect(attempts).toEqual([1])
    harness.clock.advance(1)
    await settle(harness)
    harness.clock.advance(50)
    await settle(harness)
    expect(attempts).toEqual([1, 2, 3])
    expect(harness.values()).toEqual(['a'])

    const tooMany = await start(flaky(3, []), { retry: AsyncRetryStrategies.fixedDelay(2, 0) })
    tooMany.push('a')
    await expect(settle(tooMany)).rejects.toThrow(/try 3/)
  })

  test('exponential delays, by error or by result', async () => {
    const strategy = AsyncRetryStrategies.exponentialBackoff<string>(
      9,
      { initialDelay: 10, maxDelay: 35 },
      { ifResult: results => results.length === 0 },
    )
    expect([1, 2, 3, 4].map(attempt => strategy.backoffMs(attempt))).toEqual([10, 20, 35, 35])
    expect(strategy.retryOnError(new Error('x'))).toBe(false)
    let calls = 0
    const harness = await start(
      { asyncInvoke: async value => (++calls < 3 ? [] : [value]) },
      { retry: strategy },
    )
    harness.push('a')
    await settle(harness)
    harness.clock.advance(10)
    await settle(harness)
    harness.clock.advance(20)
    await settle(harness)
    expect([calls, harness.values()]).toEqual([3, ['a']])
  })

  test('a strategy that throws fails the record, wherever it does', async () => {
    const backoffMs = (): number => {
      throw new Error('no delay known')
    }
    const harness = await start(flaky(9, []), {
      retry: { canRetry: () => true, backoffMs, retryOnError: () => true, retryOnResult: () => false },
    })
    harness.push('a')
    await expect(settle(harness)).rejects.toThrow(/no delay known/)
  })

  test('the time limit is for all tries together', async () => {
    const harness = await start(flaky(9, []), {
      retry: AsyncRetryStrategies.fixedDelay(9, 60),
      timeoutMs: 100,
    })
    harness.push('a')
    await settle(harness)
    harness.clock.advance(60)
    await settle(harness)
    expect(() => harness.clock.advance(40)).toThrow(
      expect.objectContaining({ code: 'operators.async-timeout' }),
    )
  })
})

test('results equal those of a synchronous map, whatever the order of answers, through a restore', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.boolean(),
      fc.integer({ min: 1, max: 4 }),
      fc.array(
        fc.oneof(
          { weight: 4, arbitrary: fc.record({ type: fc.constant('record' as const), n: fc.nat(99) }) },
          { weight: 4, arbitrary: fc.record({ type: fc.constant('answer' as const), n: fc.nat(99) }) },
          { weight: 1, arbitrary: fc.record({ type: fc.constant('watermark' as const), n: fc.nat(99) }) },
          { weight: 1, arbitrary: fc.record({ type: fc.constant('restore' as const), n: fc.nat(99) }) },
        ),
        { maxLength: 40 },
      ),
      async (ordered, capacity, steps) => {
        let calls = new Calls()
        let committed: unknown[] = []
        const open = async (restored?: HarnessOptions['restored']): Promise<OperatorHarness> => {
          calls = new Calls()
          return start(calls.asyncFunction, { ordered, capacity }, restored === undefined ? {} : { restored })
        }
        let harness = await open()
        const expected: string[] = []
        const answerAny = (n: number): void => {
          const open = calls.begun.filter(value => calls.open.has(value))
          const value = open[n % Math.max(1, open.length)]
          if (value === undefined) return
          calls.answer(value)
          calls.open.delete(value)
        }
        for (const [i, { type, n }] of steps.entries()) {
          if (type === 'record') {
            expected.push(`V${i}`)
            harness.push(`v${i}`, i)
          } else if (type === 'answer') {
            answerAny(n)
            await settle(harness)
          } else if (type === 'watermark') {
            harness.advance(i)
          } else {
            const snapshot = await harness.snapshot(i)
            committed = [...committed, ...harness.values()]
            harness = await open(snapshot)
          }
        }
        for (let i = 0; i <= steps.length && calls.open.size > 0; i++) {
          answerAny(0)
          await settle(harness)
        }
        expect(harness.step(MAX_WATERMARK)).toBe(true)
        const all = [...committed, ...harness.values()]
        if (ordered) expect(all).toEqual(expected)
        else expect(all.sort()).toEqual(expected.sort())
        expect(harness.available).toBe(true)
        for (const { value, timestamp } of harness.emitted) expect(value).toBe(`V${timestamp}`)
      },
    ),
    { numRuns: 60 },
  )
})
