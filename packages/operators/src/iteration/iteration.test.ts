import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import { type HarnessOptions, OperatorHarness } from '../harness/operator-harness.ts'
import { type IterationOptions, iterationHeadOperator } from './iteration-head-operator.ts'
import { iterationTailOperator } from './iteration-tail-operator.ts'

let iterations = 0

/** Head and tail of a loop of their own; the test is its body. */
async function loop(
  options: Partial<IterationOptions> = {},
  harness: HarnessOptions = {},
): Promise<{ head: OperatorHarness; tail: OperatorHarness }> {
  const iteration = iterations++
  const head = new OperatorHarness(
    iterationHeadOperator({ iteration, maxWaitMs: 100, maxFeedback: 10, ...options }),
    harness,
  )
  const tail = new OperatorHarness(iterationTailOperator(iteration))
  await head.open()
  await tail.open()
  return { head, tail }
}

test('records come back between others, with their timestamps', async () => {
  const { head, tail } = await loop()
  head.push('a', 1)
  tail.push('a again', 7)
  expect(head.values()).toEqual(['a'])
  head.clock.advance(0)
  head.push('b', 2)
  expect(head.emitted).toEqual([
    { value: 'a', timestamp: 1 },
    { value: 'a again', timestamp: 7 },
    { value: 'b', timestamp: 2 },
  ])
})

test('no input is taken while much is on its way back, and too much fails the job', async () => {
  const { head, tail } = await loop({ maxFeedback: 4 })
  tail.push(1)
  expect(head.available).toBe(true)
  tail.push(2)
  expect(head.available).toBe(false)
  tail.push(3)
  tail.push(4)
  expect(() => tail.push(5)).toThrow(/4 records wait .* raise maxFeedback \(4\)/)
  head.clock.advance(0)
  expect(head.available).toBe(true)
  expect(head.values()).toEqual([1, 2, 3, 4])
})

test('records wait for room in the outputs', async () => {
  let full = true
  const { head, tail } = await loop({}, { shouldYield: () => full })
  tail.push('x')
  head.clock.advance(5)
  expect(head.values()).toEqual([])
  full = false
  head.clock.advance(1)
  expect(head.values()).toEqual(['x'])
})

describe('snapshots', () => {
  test('hold what was fed back before the barrier came through, and nothing after', async () => {
    const { head, tail } = await loop()
    tail.push('before')
    const pending = head.snapshot(1)
    await Promise.resolve()
    tail.push('meanwhile', 5)
    head.clock.advance(0)
    expect(head.values()).toEqual([])
    await tail.operator.prepareSnapshot?.(1)
    tail.push('after')
    const restored = await pending
    head.clock.advance(0)
    expect(head.values()).toEqual(['before', 'meanwhile', 'after'])
    const again = await loop({}, { restored })
    again.head.clock.advance(0)
    expect(again.head.emitted).toEqual([
      { value: 'before', timestamp: Number.NaN },
      { value: 'meanwhile', timestamp: 5 },
    ])
  })

  test('give back more than may be on the way when several subtasks become one', async () => {
    const { head, tail } = await loop({ maxFeedback: 4 })
    for (let i = 1; i <= 4; i++) tail.push(i)
    await tail.operator.prepareSnapshot?.(1)
    const restored = await head.snapshot(1)
    const again = await loop({ maxFeedback: 3 }, { restored })
    expect(again.head.available).toBe(false)
    again.head.clock.advance(0)
    expect(again.head.values()).toEqual([1, 2, 3, 4])
    expect(again.head.available).toBe(true)
  })

  test('do not wait where the barrier has come through already, was given up, or never comes', async () => {
    const { head, tail } = await loop()
    await tail.operator.prepareSnapshot?.(1)
    await head.snapshot(1)
    const aborted = head.snapshot(2)
    await Promise.resolve()
    await tail.operator.notifyCheckpointAborted?.(2)
    await aborted
    const closed = head.snapshot(3)
    await Promise.resolve()
    await tail.operator.close?.()
    await closed
  })
})

describe('the end', () => {
  test('comes when nothing has come back for a while', async () => {
    const { head, tail } = await loop()
    expect(head.step(MAX_WATERMARK)).toBe(false)
    head.clock.advance(99)
    tail.push('late')
    head.clock.advance(99)
    expect(head.step(MAX_WATERMARK)).toBe(false)
    expect(head.values()).toEqual(['late'])
    head.clock.advance(1)
    expect(head.wakeCalls).toBeGreaterThan(0)
    expect(head.step(MAX_WATERMARK)).toBe(true)
    await head.snapshot(1)
    expect(() => tail.push('too late')).toThrow(/raise maxWait/)
  })

  test('a tail without its head says so', async () => {
    const { head, tail } = await loop()
    await head.operator.close?.()
    expect(() => tail.push(1)).toThrow(/slot sharing group/)
  })
})
