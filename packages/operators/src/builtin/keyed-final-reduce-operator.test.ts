import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { keyedFinalReduceOperator } from './keyed-final-reduce-operator.ts'
import { keyedProcessOperator } from './keyed-process-operator.ts'
import { keyedReduceOperator } from './keyed-reduce-operator.ts'

type Entry = readonly [key: string, value: number]
const keyOf = (entry: Entry): string => entry[0]
const sum = (left: Entry, right: Entry): Entry => [left[0], left[1] + right[1]]

describe('reduce in BATCH mode', () => {
  test('gives, once, what the running values end in, with their time, however often it is interrupted', async () => {
    const entry = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: -9, max: 9 }))
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 30 }), fc.boolean(), async (entries, slow) => {
        const running = new OperatorHarness(keyedReduceOperator(keyOf, sum))
        const final = new OperatorHarness(keyedFinalReduceOperator(keyOf, sum), {
          batch: true,
          shouldYield: () => slow,
        })
        await running.open()
        await final.open()
        entries.forEach((value, i) => {
          running.push(value, i)
          final.push(value, i)
        })
        final.advance(1000)
        expect(final.emitted).toEqual([])
        final.advance(MAX_WATERMARK)
        const last = new Map(running.emitted.map(emitted => [keyOf(emitted.value as Entry), emitted]))
        const byKey = (a: { value: unknown }, b: { value: unknown }) =>
          keyOf(a.value as Entry).localeCompare(keyOf(b.value as Entry))
        expect([...final.emitted].sort(byKey)).toEqual([...last.values()].sort(byKey))
      }),
    )
  })
})

describe('timers in BATCH mode', () => {
  test('of the clock fire with the end, in their order; those that register the next one come to an end', async () => {
    const harness = new OperatorHarness(
      keyedProcessOperator(keyOf, {
        processElement: ([, value], context) => context.timerService.registerProcessingTimeTimer(value),
        onTimer: (time, context, out: (value: unknown) => void) => {
          out(`${context.currentKey} ${time}`)
          context.timerService.registerProcessingTimeTimer(time + 10)
        },
      }),
      { batch: true },
    )
    await harness.open()
    harness.push(['b', 25])
    harness.push(['a', 12])
    harness.clock.advance(1000)
    expect(harness.values()).toEqual([])
    harness.advance(MAX_WATERMARK)
    expect(harness.values()).toEqual(['a 12', 'a 22', 'b 25'])
  })
})
