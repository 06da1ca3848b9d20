import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { OperatorFactory } from '../contract/stream-operator.ts'
import { GlobalWindows } from '../windowing/assigners/global-windows.ts'
import { EventTimeSessionWindows } from '../windowing/assigners/session-windows.ts'
import { SlidingEventTimeWindows } from '../windowing/assigners/sliding-windows.ts'
import { TumblingEventTimeWindows } from '../windowing/assigners/tumbling-windows.ts'
import type { WindowAssigner } from '../windowing/assigners/window-assigner.ts'
import { CountEvictor, TimeEvictor } from '../windowing/evictors/built-in-evictors.ts'
import type { GlobalWindow, TimeWindow, Window } from '../windowing/time-window.ts'
import { CountTrigger } from '../windowing/triggers/count-trigger.ts'
import type { WindowFunction } from '../windowing/window-functions.ts'
import { coGroupWindowFunction, joinWindowFunction } from './co-group-window-function.ts'
import { sharedWindows, type TaggedRecord } from './shared-windows.ts'
import { runScript, type ScriptOptions, type ScriptRecord, type ScriptStep } from './two-input-runs.ts'

/** A few keys in little time: windows with many records, and records that are late, are frequent. */
const record = fc.record({
  input: fc.constantFrom<'left' | 'right'>('left', 'right'),
  key: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
  ts: fc.integer({ min: -40, max: 60 }),
})
/** Often where windows end: there one millisecond decides. */
const watermark = fc.record({
  input: fc.constantFrom<'left' | 'right' | 'both'>('left', 'right', 'both', 'both'),
  watermark: fc.oneof(
    fc.integer({ min: -40, max: 60 }),
    fc
      .tuple(fc.integer({ min: -6, max: 8 }), fc.integer({ min: -1, max: 1 }))
      .map(([five, more]) => five * 5 + more),
  ),
})
type Drawn =
  | { input: 'left' | 'right'; key: string; ts: number }
  | { input: 'left' | 'right' | 'both'; watermark: number }
const scripts = fc
  .array(fc.oneof({ weight: 4, arbitrary: record }, { weight: 1, arbitrary: watermark }), { maxLength: 60 })
  .map(monotonous)
const ways = fc.record({
  parallelism: fc.integer({ min: 1, max: 4 }),
  restoreBefore: fc.record({ step: fc.nat({ max: 60 }), parallelism: fc.integer({ min: 1, max: 4 }) }),
})

/** Ids by place; watermarks of one input only rise. */
function monotonous(steps: readonly Drawn[]): ScriptStep[] {
  const reached = { left: -Infinity, right: -Infinity }
  return steps.flatMap((step, i): ScriptStep[] => {
    if (!('watermark' in step)) return [{ ...step, id: `${step.input}${i}` }]
    const sides = step.input === 'both' ? (['left', 'right'] as const) : [step.input]
    return sides.map(input => {
      reached[input] = Math.max(reached[input], step.watermark)
      return { input, watermark: reached[input] }
    })
  })
}

const isRecord = (step: ScriptStep): step is ScriptRecord => !('watermark' in step)
const ids = (records: readonly ScriptRecord[], side: 'left' | 'right'): string[] =>
  records.filter(({ input }) => input === side).map(({ id }) => id)

/** By window and key: the records that come in time, in their order, by looking at one record after the other. */
function contents(
  script: readonly ScriptStep[],
  starts: (ts: number) => number[],
  size: number,
): ScriptRecord[][] {
  const windows = new Map<string, ScriptRecord[]>()
  const watermarks = { left: -Infinity, right: -Infinity }
  for (const step of script) {
    if (!isRecord(step)) {
      watermarks[step.input] = step.watermark
      continue
    }
    for (const start of starts(step.ts)) {
      if (start + size - 1 <= Math.min(watermarks.left, watermarks.right)) continue
      const name = `${start} ${step.key}`
      windows.set(name, [...(windows.get(name) ?? []), step])
    }
  }
  return [...windows.values()]
}

/** The same for sessions, where no record is late: those of one key that are less than a gap apart, or just that. */
function sessions(script: readonly ScriptStep[], gap: number): ScriptRecord[][] {
  return [...Map.groupBy(script.filter(isRecord), ({ key }) => key).values()].flatMap(records => {
    const found: ScriptRecord[][] = []
    let last = Number.NaN
    for (const one of records.toSorted((a, b) => a.ts - b.ts)) {
      if (one.ts - last <= gap) found.at(-1)?.push(one)
      else found.push([one])
      last = one.ts
    }
    return found
  })
}

const grid = (size: number, slide: number) => (ts: number) => {
  const last = Math.floor(ts / slide) * slide
  return Array.from({ length: Math.ceil(size / slide) }, (_, i) => last - i * slide).filter(
    start => ts < start + size,
  )
}

interface Case {
  readonly name: string
  readonly assigner: WindowAssigner<TaggedRecord, TimeWindow>
  readonly windows: (script: readonly ScriptStep[]) => ScriptRecord[][]
  /** Watermarks stay out: which records of merging windows are late depends on the others. */
  readonly nothingLate?: boolean
}
const cases: readonly Case[] = [
  {
    name: 'tumbling',
    assigner: TumblingEventTimeWindows.of(10),
    windows: script => contents(script, grid(10, 10), 10),
  },
  {
    name: 'sliding',
    assigner: SlidingEventTimeWindows.of(12, 5),
    windows: script => contents(script, grid(12, 5), 12),
  },
  {
    name: 'session',
    assigner: EventTimeSessionWindows.withGap(6),
    windows: script => sessions(script, 6),
    nothingLate: true,
  },
]

async function results(
  factory: OperatorFactory,
  script: readonly ScriptStep[],
  way: ScriptOptions,
): Promise<string[]> {
  return (await runScript(factory, script, way)).map(({ value }) => JSON.stringify(value)).sort()
}

type Shared<W extends Window> = WindowFunction<string, TaggedRecord, unknown, W>

test.each(cases)(
  'joins and coGroups of $name windows equal a computation by hand, at any parallelism and through a restore',
  async testCase => {
    const pairs = joinWindowFunction<string, ScriptRecord, ScriptRecord, unknown, TimeWindow>((l, r) => [
      l.id,
      r.id,
    ])
    const groups = coGroupWindowFunction<string, ScriptRecord, ScriptRecord, unknown, TimeWindow>((l, r) => [
      { left: l.map(({ id }) => id).sort(), right: r.map(({ id }) => id).sort() },
    ])
    await fc.assert(
      fc.asyncProperty(scripts, ways, async (drawn, way) => {
        const script = testCase.nothingLate === true ? drawn.filter(isRecord) : drawn
        const windows = testCase.windows(script)
        const expectedPairs = windows.flatMap(records =>
          ids(records, 'left').flatMap(l => ids(records, 'right').map(r => JSON.stringify([l, r]))),
        )
        const expectedGroups = windows.map(records =>
          JSON.stringify({ left: ids(records, 'left').sort(), right: ids(records, 'right').sort() }),
        )
        expect(await results(sharedWindows(testCase.assigner, pairs), script, way)).toEqual(
          expectedPairs.sort(),
        )
        expect(await results(sharedWindows(testCase.assigner, groups), script, way)).toEqual(
          expectedGroups.sort(),
        )
      }),
      { numRuns: 40 },
    )
  },
)

test('global windows with a count trigger, with and without an evictor, give the last records every so many', async () => {
  const seen: Shared<GlobalWindow> = (_key, _window, elements, out) =>
    out(elements.map(({ value }) => value.id))
  await fc.assert(
    fc.asyncProperty(
      scripts,
      ways,
      fc.integer({ min: 1, max: 5 }),
      fc.integer({ min: 1, max: 7 }),
      async (script, way, every, last) => {
        const byKey = [...Map.groupBy(script.filter(isRecord), ({ key }) => key).values()].map(list =>
          list.map(({ id }) => id),
        )
        const firings = (length: number): string[] =>
          byKey.flatMap(list =>
            Array.from({ length: Math.floor(list.length / every) }, (_, i) =>
              JSON.stringify(list.slice(0, (i + 1) * every).slice(-length)),
            ),
          )
        const trigger = CountTrigger.of(every)
        const all = sharedWindows(GlobalWindows.create(), seen, { trigger })
        expect(await results(all, script, way)).toEqual(firings(Infinity).sort())
        const some = sharedWindows(GlobalWindows.create(), seen, { trigger, evictor: CountEvictor.of(last) })
        expect(await results(some, script, way)).toEqual(firings(last).sort())
      },
    ),
    { numRuns: 40 },
  )
})

test('an evictor by time leaves what is less than so much older than the newest of the window', async () => {
  const seen: Shared<TimeWindow> = (_key, _window, elements, out) =>
    out(elements.map(({ value }) => value.id).sort())
  await fc.assert(
    fc.asyncProperty(scripts, ways, fc.integer({ min: 1, max: 12 }), async (script, way, span) => {
      const expected = contents(script, grid(10, 10), 10).map(records => {
        const newest = Math.max(...records.map(({ ts }) => ts))
        return JSON.stringify(
          records
            .filter(({ ts }) => ts > newest - span)
            .map(({ id }) => id)
            .sort(),
        )
      })
      const factory = sharedWindows(TumblingEventTimeWindows.of(10), seen, { evictor: TimeEvictor.of(span) })
      expect(await results(factory, script, way)).toEqual(expected.sort())
    }),
    { numRuns: 40 },
  )
})
