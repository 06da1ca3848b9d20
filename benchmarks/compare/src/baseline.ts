import { readFileSync } from 'node:fs'
import { type Spread, spreadOf } from '../../smoke/spread.ts'

/** What costs so much more than before is a regression. */
const TOLERANCE = 0.1

/** Costs of a benchmark as ratios to the calibration loop: CPU time of a record by CPU time of one of its steps. */
export type Costs = Readonly<Record<string, Spread>>

/** How a benchmark stands beside what was stored. */
export interface Change {
  readonly name: string
  readonly cost: Spread
  /** Undefined: not stored. */
  readonly stored: Spread | undefined
  /** Of the medians: 0.2 costs a fifth more. */
  readonly increase: number
  /** `noise`: more than tolerated, but the runs of then and now overlap. */
  readonly verdict: 'new' | 'same' | 'cheaper' | 'noise' | 'costs more'
}

/** One round: both were measured one after the other. */
export interface Pair {
  readonly recordNs: number
  readonly calibrationNs: number
}

export const costOf = (pairs: readonly Pair[]): Spread =>
  spreadOf(pairs.map(({ recordNs, calibrationNs }) => recordNs / calibrationNs))

/** Each figure of `costs` beside the stored one of its name. */
export function changesOf(costs: Costs, stored: Costs): readonly Change[] {
  return Object.entries(costs).map(([name, cost]) => {
    const before = stored[name]
    if (before === undefined) return { name, cost, stored: undefined, increase: 0, verdict: 'new' }
    const increase = cost.median / before.median - 1
    return { name, cost, stored: before, increase, verdict: verdictOf(increase, cost, before) }
  })
}

function verdictOf(increase: number, cost: Spread, before: Spread): Change['verdict'] {
  if (increase > TOLERANCE) return cost.least > before.most ? 'costs more' : 'noise'
  return increase < -TOLERANCE && cost.most < before.least ? 'cheaper' : 'same'
}

/** @throws RangeError if the file is no baseline */
export function readBaseline(path: string): Costs {
  let parsed: unknown
  try {
    parsed = JSON.parse(readFileSync(path, 'utf8'))
  } catch (cause) {
    throw new RangeError(
      `${path} cannot be read as a baseline: store one with npm run bench:compare -- --update`,
      {
        cause,
      },
    )
  }
  const { costs } = (parsed ?? {}) as { costs?: Costs }
  const spread = (value: Partial<Spread> | undefined): boolean =>
    [value?.median, value?.least, value?.most].every(number => typeof number === 'number' && number > 0)
  if (costs !== undefined && Object.values(costs).every(spread)) return costs
  throw new RangeError(`${path} is no baseline: it must have costs, each with median, least and most above 0`)
}
