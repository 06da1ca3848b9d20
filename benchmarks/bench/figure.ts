import { type Spread, spreadOf } from '../smoke/spread.ts'

/** The engine beside the fastest known way to do the same, both in million records a second. */
export interface Figure {
  readonly name: string
  /** What it is compared with. */
  readonly yardstick: string
  /** Share of the yardstick that is to be reached. */
  readonly goalPercent: number
  readonly reference: Spread
  readonly engine: Spread
  /** Median of the ratios of the rounds. */
  readonly percent: number
}

/** Pairs of runs one after another, so that what else the machine does meets both. */
export function figureOf(
  head: Pick<Figure, 'name' | 'yardstick' | 'goalPercent'>,
  pairs: readonly { readonly reference: number; readonly engine: number }[],
): Figure {
  return {
    ...head,
    reference: spreadOf(pairs.map(pair => pair.reference)),
    engine: spreadOf(pairs.map(pair => pair.engine)),
    percent: spreadOf(pairs.map(({ reference, engine }) => (100 * engine) / reference)).median,
  }
}
