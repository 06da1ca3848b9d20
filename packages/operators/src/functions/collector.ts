/**
 * Takes the results of a user function: `out(value)`, or `out.collect(value)` as in Flink. Valid only during the call
 * it was given to.
 */
export interface Collector<T> {
  (value: T): void
  collect(value: T): void
}

/** Makes a {@link Collector} of a function of its own: no code in between, which all operators would share. */
export function collectorOf<T>(push: (value: T) => void): Collector<T> {
  return Object.assign(push, { collect: push })
}

/**
 * Names a side output and its type. Two tags with the same id are the same output.
 * @example const late = new OutputTag<Flight>('late')
 */
export class OutputTag<T> {
  readonly id: string
  /** Carries the type only; never set. */
  declare readonly valueType: T

  constructor(id: string) {
    this.id = id
  }
}
