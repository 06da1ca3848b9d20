import { type AccumulatorValue, accumulatorResult, mergeAccumulatorValues } from '@flink-ts/common'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { AccumulatorExists } from '../errors.ts'

/**
 * Collects something over the whole job: `add` in functions, the total in the job's result. Values are part of
 * checkpoints: after a failure, records count once.
 */
export interface Accumulator<In, Out> {
  add(value: In): void
  /** Of this subtask so far. */
  getLocalValue(): Out
  /** Where its value is kept: called once, before anything is added. */
  bind(cell: AccumulatorCell): void
  /** The value of an accumulator that saw nothing. */
  readonly initial: AccumulatorValue
}

/** Where the value of an accumulator is kept. Plain data, stored as it is. */
export interface AccumulatorCell {
  readonly name: string
  value: AccumulatorValue
}

abstract class CellAccumulator<In, Out> implements Accumulator<In, Out> {
  abstract readonly initial: AccumulatorValue
  #cell: AccumulatorCell | undefined

  bind(cell: AccumulatorCell): void {
    this.#cell = cell
  }

  protected get cell(): AccumulatorCell {
    this.#cell ??= { name: '', value: this.initial }
    return this.#cell
  }

  getLocalValue(): Out {
    return accumulatorResult(this.cell.value) as Out
  }

  abstract add(value: In): void

  protected merge(value: AccumulatorValue): void {
    const { cell } = this
    cell.value = mergeAccumulatorValues(cell.value, value)
  }
}

/** Adds numbers up; without an argument, counts. */
export class Counter extends CellAccumulator<number, number> {
  readonly initial = 0

  override add(value = 1): void {
    const { cell } = this
    cell.value = (cell.value as number) + value
  }
}

/** A {@link Counter}; numbers are of one kind in JavaScript. */
export class IntCounter extends Counter {}
/** A {@link Counter}; numbers are of one kind in JavaScript. */
export class LongCounter extends Counter {}
/** A {@link Counter}; numbers are of one kind in JavaScript. */
export class DoubleCounter extends Counter {}

/** The mean of all numbers; 0 if there are none. */
export class AverageAccumulator extends CellAccumulator<number, number> {
  readonly initial = { kind: 'average', count: 0, sum: 0 } as const

  override add(value: number): void {
    this.merge({ kind: 'average', count: 1, sum: value })
  }
}

/** The lowest number; Infinity if there is none. */
export class MinimumAccumulator extends CellAccumulator<number, number> {
  readonly initial = { kind: 'minimum', value: Number.POSITIVE_INFINITY } as const

  override add(value: number): void {
    this.merge({ kind: 'minimum', value })
  }
}

/** The highest number; -Infinity if there is none. */
export class MaximumAccumulator extends CellAccumulator<number, number> {
  readonly initial = { kind: 'maximum', value: Number.NEGATIVE_INFINITY } as const

  override add(value: number): void {
    this.merge({ kind: 'maximum', value })
  }
}

/** How often each number was added: `{ '200': 31, '404': 2 }`. */
export class Histogram implements Accumulator<number, Record<string, number>> {
  readonly initial = { kind: 'histogram', counts: [] } as const
  #counts: [number, number][] = []
  readonly #index = new Map<number, [number, number]>()

  bind(cell: AccumulatorCell): void {
    const { value } = cell
    const stored = typeof value === 'object' && 'counts' in value ? value.counts : []
    this.#counts = stored.map(([number, count]) => [number, count])
    for (const pair of this.#counts) this.#index.set(pair[0], pair)
    cell.value = { kind: 'histogram', counts: this.#counts }
  }

  add(value: number): void {
    const pair = this.#index.get(value)
    if (pair !== undefined) {
      pair[1]++
      return
    }
    const added: [number, number] = [value, 1]
    this.#index.set(value, added)
    this.#counts.push(added)
  }

  getLocalValue(): Record<string, number> {
    return accumulatorResult({ kind: 'histogram', counts: this.#counts }) as Record<string, number>
  }
}

/** Keeps all values: for a few of them, since the result of the job carries them all. */
export class ListAccumulator<T> implements Accumulator<T, readonly T[]> {
  readonly initial: readonly unknown[] = []
  #values: T[] = []

  bind(cell: AccumulatorCell): void {
    this.#values = Array.isArray(cell.value) ? [...(cell.value as T[])] : []
    cell.value = this.#values
  }

  add(value: T): void {
    this.#values.push(value)
  }

  getLocalValue(): readonly T[] {
    return [...this.#values]
  }
}

/** The accumulators of one operator instance. They live in a list of its state. Owner: the slot thread. */
export class AccumulatorRegistry {
  readonly #context: OperatorContext
  readonly #cells: AccumulatorCell[]
  readonly #accumulators = new Map<string, Accumulator<never, unknown>>()
  readonly #store: () => void

  constructor(context: OperatorContext) {
    this.#context = context
    const list = context.operatorState.listState<AccumulatorCell>('accumulators')
    const cells = new Map<string, AccumulatorCell>()
    for (const { name, value } of list.get()) {
      const known = cells.get(name)
      if (known === undefined) cells.set(name, { name, value })
      else known.value = mergeAccumulatorValues(known.value, value)
    }
    this.#cells = [...cells.values()]
    for (const cell of this.#cells) this.#report(cell)
    this.#store = () => list.update(this.#cells)
    if (this.#cells.length > 0) this.#store()
  }

  /** Throws `operators.accumulator-exists`. */
  add(name: string, accumulator: Accumulator<never, unknown>): void {
    if (this.#accumulators.has(name)) throw AccumulatorExists({ operator: this.#context.operatorName, name })
    this.#accumulators.set(name, accumulator)
    let cell = this.#cells.find(known => known.name === name)
    if (cell === undefined) {
      cell = { name, value: accumulator.initial }
      this.#cells.push(cell)
      this.#report(cell)
    }
    accumulator.bind(cell)
    this.#store()
  }

  get(name: string): Accumulator<never, unknown> | undefined {
    return this.#accumulators.get(name)
  }

  #report(cell: AccumulatorCell): void {
    this.#context.setAccumulator(cell.name, () => cell.value)
  }
}

// One registry for each operator instance, whatever the number of its functions.
const registries = new WeakMap<OperatorContext, AccumulatorRegistry>()

/** The accumulators of the operator that `context` belongs to. */
export function accumulatorsOf(context: OperatorContext): AccumulatorRegistry {
  let registry = registries.get(context)
  if (registry === undefined) {
    registry = new AccumulatorRegistry(context)
    registries.set(context, registry)
  }
  return registry
}
