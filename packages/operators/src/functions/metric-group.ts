import type { OperatorContext } from '../contract/stream-operator.ts'
import { MetricExists } from '../errors.ts'
import {
  type Gauge,
  type Meter,
  MeterView,
  type MetricCounter,
  type MetricHistogram,
  SimpleCounter,
} from './metrics.ts'

/**
 * Where a function registers metrics of its own, to be seen beside those of its operator: by REST, in reporters. They are
 * of this attempt of this subtask, in no checkpoint, and read about once a second; what they throw is shown as their
 * value. Get them once, in `open`.
 */
export interface MetricGroup {
  /**
   * Adds a counter, by default a new one.
   * @throws operators.metric-exists if the group has a metric of that name
   */
  counter<C extends MetricCounter = MetricCounter>(name: string, counter?: C): C
  /** Adds a gauge, or a function as one; see {@link MetricGroup.counter}. */
  gauge<G extends Gauge | (() => number | string)>(name: string, gauge: G): G
  /** Adds a meter, by default a new one, of the last minute; see {@link MetricGroup.counter}. */
  meter<M extends Meter = Meter>(name: string, meter?: M): M
  /** Adds a histogram; see {@link MetricGroup.counter}. */
  histogram<H extends MetricHistogram>(name: string, histogram: H): H
  /** The group of that name below this one; with a value the two are a name and its value. */
  addGroup(name: string, value?: string): MetricGroup
}

/** Names of quantiles, as reporters of Flink have them. */
const QUANTILES = { median: 0.5, p75: 0.75, p90: 0.9, p95: 0.95, p98: 0.98, p99: 0.99, p999: 0.999 }

/** The metrics of the operator of `context`. Owner: the slot thread. */
export function metricGroupOf(context: OperatorContext): MetricGroup {
  let group = groups.get(context)
  if (group === undefined) {
    group = new OperatorMetricGroup(context, [])
    groups.set(context, group)
  }
  return group
}

// One tree for each operator instance, whatever the number of its functions.
const groups = new WeakMap<OperatorContext, OperatorMetricGroup>()

class OperatorMetricGroup implements MetricGroup {
  readonly #context: OperatorContext
  readonly #path: readonly string[]
  readonly #names = new Set<string>()
  readonly #groups = new Map<string, OperatorMetricGroup>()

  constructor(context: OperatorContext, path: readonly string[]) {
    this.#context = context
    this.#path = path
  }

  counter<C extends MetricCounter>(name: string, counter = new SimpleCounter() as MetricCounter as C): C {
    this.#add(name, '', () => counter.getCount())
    return counter
  }

  gauge<G extends Gauge | (() => number | string)>(name: string, gauge: G): G {
    this.#add(name, '', typeof gauge === 'function' ? gauge : () => gauge.getValue())
    return gauge
  }

  meter<M extends Meter>(name: string, meter?: M): M {
    const { processingTime } = this.#context
    const made = meter ?? (new MeterView({ processingTime }) as Meter as M)
    this.#add(name, '', () => made.getRate())
    return made
  }

  histogram<H extends MetricHistogram>(name: string, histogram: H): H {
    this.#add(name, '_count', () => histogram.getCount())
    for (const part of ['min', 'max', 'mean', 'stddev'] as const)
      this.#report(name, `_${part}`, () => histogram.getStatistics()[part])
    for (const [quantile, part] of Object.entries(QUANTILES))
      this.#report(name, `_${quantile}`, () => histogram.getStatistics().quantile(part))
    return histogram
  }

  addGroup(name: string, value?: string): MetricGroup {
    const group = this.#group(name)
    return value === undefined ? group : group.#group(value)
  }

  #group(name: string): OperatorMetricGroup {
    let group = this.#groups.get(name)
    if (group === undefined) {
      group = new OperatorMetricGroup(this.#context, [...this.#path, name])
      this.#groups.set(name, group)
    }
    return group
  }

  #add(name: string, suffix: string, read: () => number | string): void {
    if (this.#names.has(name)) {
      const path = [...this.#path, name].join('.')
      throw MetricExists({ operator: this.#context.operatorName, name: path })
    }
    this.#names.add(name)
    this.#report(name, suffix, read)
  }

  #report(name: string, suffix: string, read: () => number | string): void {
    this.#context.setMetric([...this.#path, `${name}${suffix}`].join('.'), read)
  }
}
