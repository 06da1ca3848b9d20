import { describe, expect, test } from 'vitest'
import { mapOperator } from '../builtin/map-operator.ts'
import { processOperator } from '../builtin/process-operator.ts'
import { MAX_WATERMARK, type OperatorFactory } from '../contract/stream-operator.ts'
import type { RuntimeContext } from '../functions/rich-function.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { type BroadcastSetMessage, broadcastSetOperator } from './broadcast-set-operator.ts'
import { withBroadcastSets } from './broadcast-sets-operator.ts'

const record = (set: string, value: unknown): BroadcastSetMessage => ({ set, end: false, value })
const end = (set: string): BroadcastSetMessage => ({ set, end: true, value: undefined })

/** An operator behind its sets `a` and `b`. */
function waiting(factory: OperatorFactory, shouldYield = () => false) {
  const harness = new OperatorHarness(withBroadcastSets(factory, ['a', 'b']), { batch: true, shouldYield })
  const sets = (...messages: readonly BroadcastSetMessage[]): void => {
    for (const message of messages) harness.operator.processElement2?.(message)
  }
  /** Lets promises settle, and runs what the operator has asked for. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 50; i++) {
      await new Promise(resolve => setImmediate(resolve))
      harness.clock.advance(1)
    }
  }
  return { harness, sets, settle }
}

const joined = (): OperatorFactory => {
  let sets: readonly string[] = []
  return mapOperator({
    async open(context: RuntimeContext) {
      await Promise.resolve()
      sets = [...context.getBroadcastVariable<string>('a'), ...context.getBroadcastVariable<string>('b')]
    },
    map: (value: unknown) => `${value} ${sets.join('')}`,
  })
}

describe('an operator with broadcast sets', () => {
  test('gets its records when all sets are whole, in their order and with their times', async () => {
    const { harness, sets, settle } = waiting(joined())
    await harness.open()
    harness.push(1, 10)
    sets(record('a', 'x'), record('b', 'y'), end('b'))
    harness.push(2, 20)
    await settle()
    expect(harness.emitted).toEqual([])
    expect(harness.step(MAX_WATERMARK)).toBe(false)
    sets(record('a', 'z'), end('a'))
    expect(harness.available).toBe(false)
    harness.push(3, 30)
    await settle()
    expect(harness.available).toBe(true)
    harness.push(4, 40)
    expect(harness.emitted).toEqual([
      { value: '1 xzy', timestamp: 10 },
      { value: '2 xzy', timestamp: 20 },
      { value: '3 xzy', timestamp: 30 },
      { value: '4 xzy', timestamp: 40 },
    ])
    expect(harness.step(MAX_WATERMARK)).toBe(true)
  })

  test('goes on in steps when it has to make room for others', async () => {
    let calls = 0
    const { harness, sets, settle } = waiting(joined(), () => ++calls % 2 === 0)
    await harness.open()
    for (let i = 0; i < 20; i++) harness.push(i)
    sets(end('a'), end('b'))
    await settle()
    expect(harness.values()).toEqual(Array.from({ length: 20 }, (_, i) => `${i} `))
    expect(calls).toBeGreaterThan(20)
  })

  test('ends once, when both inputs have', async () => {
    const ends: number[] = []
    const { harness, sets, settle } = waiting({
      kind: 'test',
      create: () => ({ processElement: () => {}, endInput: input => void ends.push(input) }),
    })
    await harness.open()
    sets(end('a'), end('b'))
    await settle()
    await harness.operator.endInput?.(1)
    expect(ends).toEqual([])
    await harness.operator.endInput?.(0)
    expect(ends).toEqual([0])
  })

  test('fails the task if open fails, and names the variables there are', async () => {
    const { harness, sets, settle } = waiting(
      processOperator({
        open: (context: RuntimeContext) => void context.getBroadcastVariable('c'),
        processElement: () => {},
      }),
    )
    await harness.open()
    sets(end('a'), end('b'))
    await settle()
    expect(harness.failures).toMatchObject([
      { code: 'operators.broadcast-variable-unknown', data: { name: 'c', known: ['a', 'b'] } },
    ])
    await harness.operator.close?.()
  })
})

test('a set says that it is whole before the last watermark goes on, once', async () => {
  const harness = new OperatorHarness(broadcastSetOperator('a'), { batch: true })
  await harness.open()
  harness.push('x')
  harness.advance(5)
  harness.advance(MAX_WATERMARK)
  harness.advance(MAX_WATERMARK)
  expect(harness.values()).toEqual([record('a', 'x'), end('a')])
})
