import { MAX_WATERMARK, MIN_WATERMARK } from '@flink-ts/operators'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { CombinedEventTime, WatermarkValve } from './watermark-valve.ts'

type Step =
  | { readonly type: 'watermark'; readonly channel: number; readonly watermark: number }
  | { readonly type: 'idle' | 'active' | 'ended'; readonly channel: number }

const step = (channels: number): fc.Arbitrary<Step> => {
  const channel = fc.nat({ max: channels - 1 })
  return fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        type: fc.constant('watermark' as const),
        channel,
        watermark: fc.nat({ max: 30 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({ type: fc.constantFrom('idle' as const, 'active' as const), channel }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant('ended' as const), channel }) },
  )
}

/** What the channels are, kept apart from the valve's own bookkeeping. */
class Oracle {
  readonly watermarks: number[]
  readonly idle: boolean[]
  output = MIN_WATERMARK

  constructor(channels: number) {
    this.watermarks = new Array<number>(channels).fill(MIN_WATERMARK)
    this.idle = new Array<boolean>(channels).fill(false)
  }

  apply(s: Step): void {
    const c = s.channel
    const heldBack = this.watermarks[c] === this.output
    const wasIdle = this.idle[c]
    if (s.type === 'watermark' && !wasIdle) this.watermarks[c] = Math.max(this.watermarks[c]!, s.watermark)
    if (s.type === 'idle') this.idle[c] = true
    if (s.type === 'active') this.idle[c] = false
    if (s.type === 'ended') {
      this.idle[c] = false
      this.watermarks[c] = MAX_WATERMARK
    }
    if (s.type === 'active') return
    const counted = this.watermarks.filter((w, i) => !this.idle[i] && w >= this.output)
    if (counted.length > 0) this.output = Math.max(this.output, Math.min(...counted))
    else if (s.type === 'idle' && !wasIdle && !this.idle.includes(false) && heldBack) {
      this.output = Math.max(...this.watermarks)
    }
  }
}

test('event time of an input is the minimum over channels that are active and not behind', () => {
  fc.assert(
    fc.property(
      fc
        .integer({ min: 1, max: 4 })
        .chain(n => fc.tuple(fc.constant(n), fc.array(step(n), { maxLength: 60 }))),
      ([n, steps]) => {
        const valve = new WatermarkValve(n)
        const oracle = new Oracle(n)
        for (const s of steps) {
          const before = valve.output
          oracle.apply(s)
          if (s.type === 'watermark') valve.onWatermark(s.channel, s.watermark)
          else if (s.type === 'idle') valve.onIdle(s.channel)
          else if (s.type === 'active') valve.onActive(s.channel)
          else valve.onEnded(s.channel)
          expect(valve.output).toBe(oracle.output)
          expect(valve.output).toBeGreaterThanOrEqual(before)
          expect(valve.idle).toBe(!oracle.idle.includes(false))
        }
      },
    ),
    { numRuns: 500 },
  )
})

test('a channel back from idleness does not hold back time until it has caught up', () => {
  const valve = new WatermarkValve(2)
  valve.onWatermark(0, 10)
  valve.onIdle(1)
  expect(valve.output).toBe(10)
  valve.onActive(1)
  valve.onWatermark(1, 5)
  valve.onWatermark(0, 20)
  expect(valve.output).toBe(20)
  valve.onWatermark(1, 20)
  valve.onWatermark(0, 30)
  expect(valve.output).toBe(20)
})

test('two inputs: the lower one counts, unless it is idle', () => {
  const [a, b] = [new WatermarkValve(1), new WatermarkValve(1)]
  const both = new CombinedEventTime([a, b])
  a.onWatermark(0, 10)
  both.update()
  expect(both.output).toBe(MIN_WATERMARK)
  b.onWatermark(0, 7)
  both.update()
  expect(both.output).toBe(7)
  b.onIdle(0)
  both.update()
  expect(both.output).toBe(10)
  expect(both.idle).toBe(false)
  a.onIdle(0)
  both.update()
  expect(both.idle).toBe(true)
  expect(both.output).toBe(10)
})
