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
    return this.#merge(() => true)
  }

  /** Those that are small, to be told while the task runs. The others come with its end. */
  small(): AccumulatorValues {
    return this.#merge(isSmall)
  }

  #merge(wanted: (value: AccumulatorValue) => boolean): AccumulatorValues {
    const merged = new Map<string, AccumulatorValue>()
    for (const [, own] of [...this.#values].sort(([a], [b]) => a - b)) {
      for (const [name, given] of own) {
        const value = typeof given === 'function' ? given() : given
        if (!wanted(value)) continue
        const before = merged.get(name)
        merged.set(name, before === undefined ? value : mergeAccumulatorValues(before, value))
      }
    }
    return Object.fromEntries(merged)
  }
}

const MOST_HISTOGRAM_NUMBERS = 1000

function isSmall(value: AccumulatorValue): boolean {
  if (typeof value === 'number') return true
  return 'kind' in value && (value.kind !== 'histogram' || value.counts.length <= MOST_HISTOGRAM_NUMBERS)
}
