import { type Spread, spreadOf } from '../../../smoke/spread.ts'
import type { RunRates } from './measured-run.ts'

/** A query on one side: the rates of its runs, one for each round. */
export interface Measured {
  /** Of the kind of run: `p=1`, `flink sql p=1`. */
  readonly name: string
  readonly rounds: readonly RunRates[]
}

/** One side of a query, in thousand events a second. */
export interface Rates {
  readonly perSecond: Spread
  readonly perCpuSecond: Spread
}

/** How often one side is as fast as another, per CPU second. */
export interface Ratio {
  readonly of: string
  readonly to: string
  /** Of the ratios of the rounds: what else the machine does meets both runs of a round. */
  readonly spread: Spread
}

export const ratesOfRounds = ({ rounds }: Measured): Rates => ({
  perSecond: spreadOf(rounds.map(round => round.perSecond)),
  perCpuSecond: spreadOf(rounds.map(round => round.perCpuSecond)),
})

/** @throws RangeError if they have not the same number of rounds */
export function ratioOf(side: Measured, peer: Measured): Ratio {
  if (side.rounds.length !== peer.rounds.length || side.rounds.length === 0) {
    throw new RangeError(
      `${side.rounds.length} rounds of ${side.name}, ${peer.rounds.length} of ${peer.name}`,
    )
  }
  const ratios = side.rounds.map(
    ({ perCpuSecond }, round) => perCpuSecond / (peer.rounds[round] as RunRates).perCpuSecond,
  )
  return { of: side.name, to: peer.name, spread: spreadOf(ratios) }
}

/** The one with the highest median per CPU second: a peer has several forms, and the best of them counts. */
export function bestOf(peers: readonly Measured[]): Measured | undefined {
  const median = (measured: Measured): number => ratesOfRounds(measured).perCpuSecond.median
  return peers.toSorted((a, b) => median(b) - median(a))[0]
}

/** @param values at least one, all above 0 */
export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
