import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bestOf, geometricMean, type Measured, ratesOfRounds, ratioOf } from './comparison.ts'
import { bestWarmRun, type MeasuredRun, RUN_MARK, ratesOf, runsIn } from './measured-run.ts'

const run = (
  events: number,
  cpu: readonly [number, number],
  more: Partial<MeasuredRun> = {},
): MeasuredRun => ({
  events,
  from: { wallMs: 2 * cpu[0], cpuMs: cpu[0] },
  to: { wallMs: 2 * cpu[1], cpuMs: cpu[1] },
  ...more,
})
const measured = (name: string, ...perCpuSecond: readonly number[]): Measured => ({
  name,
  rounds: perCpuSecond.map(rate => ({ perSecond: rate / 2, perCpuSecond: rate })),
})

describe('rates of a run', () => {
  test('are of all readers together, from the first that began to the last that ended', () => {
    expect(ratesOf([run(1000, [100, 300]), run(3000, [200, 500])])).toEqual({
      perSecond: 5,
      perCpuSecond: 10,
    })
  })

  test('are those of the best warm run of a process', () => {
    const runs = [
      run(9000, [0, 10], { run: 0 }),
      run(1000, [10, 110], { run: 1 }),
      run(1000, [110, 160], { run: 2 }),
    ]
    expect(bestWarmRun(runs, 1).perCpuSecond).toBe(20)
    expect(bestWarmRun(runs.slice(0, 1), 1).perCpuSecond).toBe(900)
  })

  test('are refused if a reader is missing', () => {
    expect(() => bestWarmRun([run(1, [0, 1])], 2)).toThrow('run 0 was reported by 1 readers, not 2')
    expect(() => bestWarmRun([], 1)).toThrow('no run was reported')
  })

  test('are found among other lines of the output', () => {
    const output = `something else\n[out] ${RUN_MARK}${JSON.stringify(run(5, [1, 2]))}\n`
    expect(runsIn(output)).toEqual([run(5, [1, 2])])
  })
})

describe('a comparison', () => {
  test('is the median of the ratios of the rounds, not the ratio of the medians', () => {
    const ratio = ratioOf(measured('a', 10, 20, 60), measured('b', 1, 10, 10))
    expect(ratio).toEqual({ of: 'a', to: 'b', spread: { median: 6, least: 2, most: 10 } })
  })

  test('needs both sides of each round', () => {
    expect(() => ratioOf(measured('a', 1), measured('b', 1, 2))).toThrow('1 rounds of a, 2 of b')
    expect(() => ratioOf(measured('a'), measured('b'))).toThrow('0 rounds')
  })

  test('is with the better form of the peer', () => {
    const [sql, stream] = [measured('sql', 1, 2, 9), measured('datastream', 3, 3, 3)]
    expect(bestOf([sql, stream])?.name).toBe('datastream')
    expect(bestOf([])).toBeUndefined()
  })

  test('has ratios that do not depend on how fast the machine is in a round', () => {
    const positive = fc.double({ min: 0.01, max: 1000, noNaN: true })
    fc.assert(
      fc.property(fc.array(fc.tuple(positive, positive), { minLength: 1, maxLength: 9 }), rounds => {
        const scaled = ratioOf(
          measured('a', ...rounds.map(([, s]) => 3 * s)),
          measured('b', ...rounds.map(([, s]) => s)),
        )
        expect(scaled.spread.median).toBeCloseTo(3, 9)
      }),
    )
  })

  test('sums up queries by the geometric mean', () => {
    expect(geometricMean([2, 8])).toBeCloseTo(4, 12)
    expect(geometricMean([5])).toBeCloseTo(5, 12)
  })

  test('has medians with their spread', () => {
    expect(ratesOfRounds(measured('a', 3, 1, 2))).toEqual({
      perSecond: { median: 1, least: 0.5, most: 1.5 },
      perCpuSecond: { median: 2, least: 1, most: 3 },
    })
  })
})
