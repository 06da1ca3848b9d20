import { type AccumulatorValue, type AccumulatorValues, mergeAccumulatorValues } from '@flink-ts/common'

type Value = AccumulatorValue | (() => AccumulatorValue)

/** What the operators of a task report at its end. Values of the same name are merged in chain order. */
export class Accumulators {
  readonly #values = new Map<number, Map<string, Value>>()

  set(operator: number, name: string, value: Value): void {
    let own = this.#values.get(operator)
    if (own === undefined) {
      own = new Map()
      this.#values.set(operator, own)
    }
    own.set(name, value)
  }

  merged(): AccumulatorValues {
    const merged = new Map<string, AccumulatorValue>()
    for (const [, own] of [...this.#values].sort(([a], [b]) => a - b)) {
      for (const [name, given] of own) {
        const value = typeof given === 'function' ? given() : given
        const before = merged.get(name)
        merged.set(name, before === undefined ? value : mergeAccumulatorValues(before, value))
      }
    }
    return Object.fromEntries(merged)
  }
}
