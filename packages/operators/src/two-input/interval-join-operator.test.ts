import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK, MIN_WATERMARK } from '../contract/stream-operator.ts'
import { OutputTag } from '../functions/collector.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { LATE_RECORDS_DROPPED } from '../windowing/late-records.ts'
import { intervalJoinOperator } from './interval-join-operator.ts'
import { runScript, type ScriptRecord, type ScriptStep } from './two-input-runs.ts'

const keySelectors = [(v: ScriptRecord) => v.key, (v: ScriptRecord) => v.key] as const

/** Records in any order, watermarks that never fall. */
const steps: fc.Arbitrary<ScriptStep[]> = fc
  .array(
    fc.record({
      input: fc.constantFrom<'left' | 'right'>('left', 'right'),
      key: fc.constantFrom('a', 'b'),
      ts: fc.integer({ min: 0, max: 40 }),
      watermark: fc.option(fc.integer({ min: 0, max: 40 }), { freq: 3 }),
    }),
    { maxLength: 60 },
  )
  .map(raw => {
    const highest = { left: MIN_WATERMARK, right: MIN_WATERMARK }
    return raw.map(({ input, key, ts, watermark }, i): ScriptStep => {
      if (watermark === null) return { input, key, ts, id: String(i) }
      highest[input] = Math.max(highest[input], watermark)
      return { input, watermark: highest[input] }
    })
  })

/** Every pair, by the definition: late records count for nothing, records that are gone find no partner. */
function bruteForce(script: readonly ScriptStep[], lower: number, upper: number): string[] {
  const watermarks = { left: MIN_WATERMARK, right: MIN_WATERMARK }
  const pairs: string[] = []
  const arrived: { record: ScriptRecord; fires: number; gone: boolean }[] = []
  for (const step of script) {
    const before = Math.min(watermarks.left, watermarks.right)
    if ('watermark' in step) {
      watermarks[step.input] = step.watermark
      const now = Math.min(watermarks.left, watermarks.right)
      if (now > before) for (const entry of arrived) entry.gone ||= entry.fires <= now
      continue
    }
    if (step.ts < before) continue
    for (const { record, gone } of arrived) {
      if (gone || record.input === step.input || record.key !== step.key) continue
      const [left, right] = step.input === 'left' ? [step, record] : [record, step]
      if (right.ts - left.ts >= lower && right.ts - left.ts <= upper) pairs.push(`${left.id}-${right.id}`)
    }
    const fires = step.ts + Math.max(0, step.input === 'left' ? upper : -lower)
    arrived.push({ record: step, fires, gone: false })
  }
  return pairs.sort()
}

test('equals a comparison of all pairs, at any parallelism and through a restore', async () => {
  await fc.assert(
    fc.asyncProperty(
      steps,
      fc.integer({ min: -10, max: 10 }),
      fc.nat(10),
      fc.option(fc.record({ step: fc.nat(60), parallelism: fc.integer({ min: 1, max: 3 }) }), {
        nil: undefined,
      }),
      async (script, lower, length, restoreBefore) => {
        const upper = lower + length
        const factory = intervalJoinOperator<ScriptRecord, ScriptRecord, string>({
          keySelectors,
          lowerMs: lower,
          upperMs: upper,
          join: (left, right) => `${left.id}-${right.id}`,
          lateTags: [undefined, undefined],
        })
        const output = await runScript(factory, script, {
          parallelism: 2,
          ...(restoreBefore === undefined ? {} : { restoreBefore }),
        })
        expect(output.map(({ value }) => value).sort()).toEqual(bruteForce(script, lower, upper))
        for (const { value, timestamp } of output) {
          const times = (value as string).split('-').map(id => (script[Number(id)] as ScriptRecord).ts)
          expect(timestamp).toBe(Math.max(...times))
        }
      },
    ),
    { numRuns: 200 },
  )
})

const harnessOf = (join: Parameters<typeof intervalJoinOperator>[0]['join']): Promise<OperatorHarness> =>
  new OperatorHarness(
    intervalJoinOperator({
      keySelectors: [(v: unknown) => (v as ScriptRecord).key, (v: unknown) => (v as ScriptRecord).key],
      lowerMs: -5,
      upperMs: 5,
      join,
      lateTags: [undefined, undefined],
    }),
  ).open()

describe('surroundings', () => {
  test('a rich function sees both times, has side outputs and a life cycle', async () => {
    const calls: string[] = []
    const tag = new OutputTag<string>('side')
    const harness = await harnessOf({
      open: context => {
        calls.push(`open ${context.subtaskIndex}`)
      },
      processElement: (left, right, context, out) => {
        out({ left, right, times: [context.leftTimestamp, context.rightTimestamp, context.timestamp()] })
        context.output(tag, 'seen')
      },
      close: () => {
        calls.push('close')
      },
    })
    harness.push({ key: 1 }, 10)
    harness.pushSecond({ key: 1 }, 7)
    await harness.operator.close?.()
    expect(harness.values()).toEqual([{ left: { key: 1 }, right: { key: 1 }, times: [10, 7, 10] }])
    expect(harness.sideOutputs.get('side')?.map(({ value, timestamp }) => [value, timestamp])).toEqual([
      ['seen', 10],
    ])
    expect(calls).toEqual(['open 0', 'close'])
  })

  test('dropped late records are counted, nothing is kept at the end', async () => {
    const harness = await harnessOf((left, right) => [left, right])
    harness.advance(100)
    harness.push({ key: 1 }, 99)
    harness.pushSecond({ key: 1 }, 50)
    harness.push({ key: 1 }, 100)
    harness.advance(MAX_WATERMARK)
    await harness.operator.finish?.()
    expect(harness.accumulators).toEqual({ [LATE_RECORDS_DROPPED]: 2 })
    expect(harness.values()).toEqual([])
    expect(harness.keyedState.snapshotNow()).toEqual({ states: [], timers: [] })
  })

  test('a record without time, a failing function and a failing key selector name what they met', async () => {
    const harness = await harnessOf(() => {
      throw new RangeError('no pair')
    })
    expect(() => harness.pushSecond({ key: 1 })).toThrow(
      expect.objectContaining({ code: 'operators.missing-timestamp' }),
    )
    harness.push({ key: 1, name: 'first' }, 1)
    expect(() => harness.pushSecond({ key: 1, name: 'second' }, 1)).toThrow(
      /no pair \(thrown by the join function .*first.*second/,
    )
    expect(() => harness.push(undefined, 1)).toThrow(/the key selector/)
  })

  test('a promise is refused', async () => {
    const harness = await harnessOf(async () => 1)
    harness.push({ key: 1 }, 1)
    expect(() => harness.pushSecond({ key: 1 }, 1)).toThrow(
      expect.objectContaining({ code: 'operators.async-function-not-supported' }),
    )
  })
})
