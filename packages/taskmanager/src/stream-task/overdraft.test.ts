import { afterEach, expect, test } from 'vitest'
import { SlotHarness } from '../testing/slot-harness.ts'
import { CountingSource, RecordingOperator } from '../testing/test-operators.ts'
import { Overdraft } from './overdraft.ts'

let harness: SlotHarness | undefined
afterEach(() => harness?.loop.stop())

/** A source, a task that emits each record `times` times, and a task that takes nothing or a little. */
function burst(options: {
  readonly times: number
  readonly channel: 'direct' | { readonly capacity: number }
  readonly swallow?: boolean
  readonly maxBytes?: number
  readonly maxRecords?: number
}): { harness: SlotHarness; sink: RecordingOperator } {
  const sink = new RecordingOperator('sink')
  const many = new RecordingOperator('many', recorder => ({
    processElement: value => {
      for (let i = 0; i < options.times; i++) {
        try {
          recorder.context!.out(value)
        } catch (error) {
          if (options.swallow !== true) throw error
        }
      }
    },
  }))
  harness = new SlotHarness({
    vertices: [
      { name: 'S', operators: [new CountingSource('s', 1).spec] },
      { name: 'M', operators: [many.spec] },
      { name: 'T', operators: [sink.spec] },
    ],
    edges: [
      { from: 'S', to: 'M' },
      { from: 'M', to: 'T', channel: options.channel },
    ],
    checkpoints: 'none',
    overdraftLimits: { maxBytes: options.maxBytes ?? 1e9, maxRecords: options.maxRecords ?? 1e9 },
  })
  return { harness: harness.start(), sink }
}

test('what goes beyond the channels arrives as long as it is within the limit', async () => {
  const { harness: h, sink } = burst({ times: 100, channel: { capacity: 10 }, maxBytes: 90 })
  await h.until(() => h.status('T') === 'FINISHED')
  expect(sink.records).toHaveLength(100)
})

test.each([false, true])(
  'beyond the limit the task fails with the numbers (caught by user code: %s)',
  async swallow => {
    const { harness: h } = burst({ times: 101, channel: { capacity: 10 }, maxBytes: 90, swallow })
    await h.until(() => h.status('M') === 'FAILED')
    expect(h.error('M')).toMatchObject({ code: 'taskmanager.overdraft-exceeded' })
    expect(h.error('M')!.message).toMatch(/^Operator 'many' of M \(1\/1\) .* 91 bytes .* 90 are allowed/)
  },
)

test.each([false, true])('records that wait in a direct channel are bounded (caught: %s)', async swallow => {
  let opened = (): void => {}
  const early = new RecordingOperator('early', recorder => ({
    open: () => {
      for (let i = 0; i < 5; i++) {
        try {
          recorder.context!.out(i)
        } catch (error) {
          if (!swallow) throw error
        }
      }
    },
  }))
  const late = new RecordingOperator('late', () => ({
    open: () => new Promise<void>(resolve => (opened = resolve)),
  }))
  harness = new SlotHarness({
    vertices: [
      { name: 'S', operators: [new CountingSource('s', 1).spec, early.spec] },
      { name: 'T', operators: [late.spec] },
    ],
    edges: [{ from: 'S', to: 'T' }],
    checkpoints: 'none',
    overdraftLimits: { maxBytes: 1, maxRecords: 4 },
  }).start()
  const h = harness
  await h.until(() => h.status('S') === 'FAILED')
  expect(h.error('S')).toMatchObject({ code: 'taskmanager.queue-exceeded' })
  expect(h.error('S')!.message).toMatch(/^Operator 'early' of S \(1\/1\) .* 5 would wait .* 4 are allowed/)
  expect(h.directChannel('S', 'T').queueLength).toBe(4)
  opened()
})

test('the bytes of all operators of a task count together, and what has left makes room', () => {
  const overdraft = new Overdraft({ task: 'T (1/1)', limits: { maxBytes: 100, maxRecords: 1 } })
  const [a, b] = [overdraft.of('a'), overdraft.of('b')]
  a.grow(60)
  b.grow(40)
  a.shrink(10)
  b.grow(10)
  expect(() => overdraft.check()).not.toThrow()
  expect(() => b.grow(1)).toThrowError(/Operator 'b' of T \(1\/1\) .* 101 bytes/)
  a.shrink(50)
  expect(() => overdraft.check()).toThrowError(/101 bytes/)
})
