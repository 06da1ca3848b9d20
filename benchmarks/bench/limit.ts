import { type Spread, spreadOf } from '../smoke/spread.ts'

/** What is to stay below a limit. */
export interface Limit {
  readonly name: string
  readonly unit: 'ms' | '%'
  /** Undefined: there is no goal. */
  readonly limit: number | undefined
  readonly measured: Spread
}

export function limitOf(head: Omit<Limit, 'measured'>, values: readonly number[]): Limit {
  return { ...head, measured: spreadOf(values) }
}
