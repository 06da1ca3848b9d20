import { describe, expect, test } from 'vitest'
import type { OperatorFactory } from '../contract/stream-operator.ts'
import { AsyncFunctionNotSupported, UserFunctionFailed } from '../errors.ts'
import { OutputTag } from '../functions/collector.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { collectOperator } from './collect-operator.ts'
import { filterOperator } from './filter-operator.ts'
import { flatMapOperator } from './flat-map-operator.ts'
import { keyedProcessOperator } from './keyed-process-operator.ts'
import { keyedReduceOperator } from './keyed-reduce-operator.ts'
import { mapOperator } from './map-operator.ts'
import { processOperator } from './process-operator.ts'

const run = async (factory: OperatorFactory, ...input: unknown[]): Promise<OperatorHarness> => {
  const harness = await new OperatorHarness(factory).open()
  for (const value of input) harness.push(value, 7)
  return harness
}
const thrownBy = (action: () => void): Error => {
  try {
    action()
  } catch (error) {
    return error as Error
  }
  throw new Error('nothing was thrown')
}

describe('map, filter, flatMap', () => {
  test('as functions and as objects with a life cycle', async () => {
    expect(
      (
        await run(
          mapOperator((n: number) => n + 1),
          1,
          2,
        )
      ).values(),
    ).toEqual([2, 3])
    expect(
      (
        await run(
          filterOperator((n: number) => n > 1),
          1,
          2,
        )
      ).values(),
    ).toEqual([2])
    const calls: string[] = []
    const harness = await run(
      mapOperator({
        open: async context => {
          calls.push(`open ${context.operatorName} ${context.subtaskIndex}`)
        },
        map: (n: number) => n * 2,
        close: () => {
          calls.push('close')
        },
      }),
      4,
    )
    await harness.operator.close?.()
    expect(harness.emitted).toEqual([{ value: 8, timestamp: 7 }])
    expect(calls).toEqual(['open operator under test 0', 'close'])
  })

  test('flatMap by collector, array, generator, set, both and none', async () => {
    const byCollector = flatMapOperator((n: number, out) => {
      out(n)
      out.collect(n * 10)
    })
    expect((await run(byCollector, 1, 2)).values()).toEqual([1, 10, 2, 20])
    expect(
      (
        await run(
          flatMapOperator((n: number) => [n, n]),
          1,
        )
      ).values(),
    ).toEqual([1, 1])
    expect(
      (
        await run(
          flatMapOperator((n: number) => new Set([n, n + 1])),
          1,
        )
      ).values(),
    ).toEqual([1, 2])
    const generator = flatMapOperator(function* (n: number) {
      yield n
      yield -n
    })
    expect((await run(generator, 3)).values()).toEqual([3, -3])
    expect(
      (
        await run(
          flatMapOperator(() => undefined),
          3,
        )
      ).values(),
    ).toEqual([])
  })

  test('flatMap refuses strings and other results that are no list', async () => {
    const harness = await new OperatorHarness(flatMapOperator((n: unknown) => n as string[])).open()
    expect(() => harness.push('a b')).toThrow(/returned 'a b': return an array/)
    expect(() => harness.push(5)).toThrow(/returned 5: return an array/)
  })
})

describe('an error of user code', () => {
  const fail = (): never => {
    throw new TypeError("Cannot read 'x'")
  }
  const asObject = { processElement: fail }
  const input = { id: 42, text: 'y'.repeat(1000) }
  const cases: [string, OperatorFactory][] = [
    ['the map function', mapOperator(fail)],
    ['the filter function', filterOperator(fail)],
    ['the flatMap function', flatMapOperator(fail)],
    ['processElement', processOperator(asObject)],
    ['processElement', keyedProcessOperator(() => 1, asObject)],
    ['the key selector', keyedProcessOperator(fail, asObject)],
    ['the key selector', keyedReduceOperator(fail, (a: unknown) => a)],
    ['the reduce function', keyedReduceOperator(() => 1, fail, { checksFirst: true })],
  ]
  test.each(cases)(
    'of %s has its message and stack first, and operator and record',
    async (what, factory) => {
      const harness = await new OperatorHarness(factory).open()
      const error = thrownBy(() => harness.push(input))
      expect(UserFunctionFailed.is(error)).toBe(true)
      expect(error.message).toMatch(
        /^Cannot read 'x' \(thrown by .* of operator 'operator under test', subtask 0, at record/,
      )
      expect(error.message).toContain(what)
      expect(error.message).toContain('id: 42')
      expect(error.message.length).toBeLessThan(600)
      expect((error.cause as Error).name).toBe('TypeError')
      expect(error.stack?.split('\n    at ')[1]).toContain('builtin.test.ts')
    },
  )

  test('is not blamed on the operator before it in the chain, nor wrapped twice', async () => {
    const second = await new OperatorHarness(mapOperator(fail)).open()
    const onEmit = ({ value }: { value: unknown }) => second.push(value)
    for (const factory of [
      mapOperator((n: number) => n),
      flatMapOperator((n: number, out) => out(n)),
      processOperator<number, number>({ processElement: (n, _context, out) => out(n) }),
      keyedProcessOperator<number, number, number>(n => n, { processElement: (n, _context, out) => out(n) }),
    ]) {
      const first = await new OperatorHarness(factory, { onEmit }).open()
      const error = thrownBy(() => first.push(1))
      expect(error.message).toContain('the map function')
      expect((error.cause as Error).name).toBe('TypeError')
    }
  })

  test('from downstream is not lost when the function catches it', async () => {
    const swallow = flatMapOperator((n: number, out) => {
      try {
        out(n)
      } catch {
        // what a careless function does
      }
    })
    const onEmit = () => {
      throw new Error('disk full')
    }
    const harness = await new OperatorHarness(swallow, { onEmit }).open()
    expect(() => harness.push(1)).toThrow('disk full')
  })

  test('that is no Error, or a record that cannot be shown, still gives a message', async () => {
    const text = (): never => {
      throw 'just text'
    }
    const strange = new Proxy({}, { getPrototypeOf: fail, ownKeys: fail, get: fail })
    const harness = await new OperatorHarness(mapOperator(text)).open()
    expect(thrownBy(() => harness.push(strange)).message).toContain('just text')
  })
})

test.each<[string, OperatorFactory]>([
  ['map', mapOperator(() => Promise.resolve(1))],
  ['filter', filterOperator((() => Promise.resolve(true)) as never)],
  ['flatMap', flatMapOperator((() => Promise.reject(new Error('x'))) as never)],
  ['process', processOperator({ processElement: (async () => undefined) as never })],
  [
    'keyed process',
    keyedProcessOperator((n: unknown) => n, { processElement: (async () => undefined) as never }),
  ],
])('%s with a promise is refused at the first record', async (_name, factory) => {
  const harness = await new OperatorHarness(factory).open()
  const error = thrownBy(() => harness.push(1))
  expect(AsyncFunctionNotSupported.is(error)).toBe(true)
  expect(error.message).toMatch(/operator under test.*async I\/O/)
})

describe('behind keyBy', () => {
  const words = keyedReduceOperator(
    (entry: { word: string }) => entry.word,
    (a: { word: string; n: number }, b: { word: string; n: number }) => ({ word: a.word, n: a.n + b.n }),
  )

  test('reduce emits the running value, across a restore', async () => {
    const first = await run(words, { word: 'a', n: 1 }, { word: 'b', n: 1 }, { word: 'a', n: 1 })
    expect(first.values()).toEqual([
      { word: 'a', n: 1 },
      { word: 'b', n: 1 },
      { word: 'a', n: 2 },
    ])
    const second = await new OperatorHarness(words, { restored: await first.snapshot(1) }).open()
    second.push({ word: 'a', n: 5 })
    expect(second.values()).toEqual([{ word: 'a', n: 7 }])
  })

  test('a key that cannot be one names operator and record', async () => {
    const harness = await new OperatorHarness(words).open()
    expect(() => harness.push({ n: 3 })).toThrow(/undefined cannot be a key.*operator under test.*n: 3/)
  })
})

describe('process', () => {
  test('sees time, emits to side outputs, has no timers without keys', async () => {
    const odd = new OutputTag<number>('odd')
    const harness = await run(
      processOperator<number, string>({
        processElement: (n, context, out) => {
          if (n === 0) context.timerService.registerEventTimeTimer(1)
          if (n % 2 === 1) context.output(odd, n)
          else out(`${n} at ${context.timestamp()}`)
        },
      }),
      1,
      2,
    )
    expect(harness.values()).toEqual(['2 at 7'])
    expect(harness.sideOutputs.get('odd')).toEqual([{ value: 1, timestamp: 7 }])
    expect(() => harness.push(0)).toThrow(/call keyBy before process/)
  })
})

test('collect reports each value once, across a restore', async () => {
  const factory = collectOperator('collect-1')
  const first = await run(factory, 1, 2)
  const restored = await first.snapshot(1)
  first.push(3)
  const second = await new OperatorHarness(factory, { restored }).open()
  second.push(3)
  await second.operator.finish?.()
  expect(second.accumulators).toEqual({ 'collect-1': [1, 2, 3] })
})
