// Counts by key as process functions, one for each pipeline of pipelines.ts. Each is written out as its user would, and
// is code of its own, as the pipelines' other functions are.
import {
  type KeyedProcessFunction,
  type RuntimeContext,
  type ValueState,
  ValueStateDescriptor,
} from 'flink-ts'

/** What all of them emit. */
export interface Counted<T> {
  value: T
  count: number
}

type Out<T> = (result: Counted<T>) => void

export class CountBids<T> implements KeyedProcessFunction<unknown, T, Counted<T>> {
  #count!: ValueState<number>

  open(context: RuntimeContext): void {
    this.#count = context.getState(new ValueStateDescriptor('count', 0))
  }

  processElement(value: T, _context: unknown, out: Out<T>): void {
    const count = (this.#count.value() as number) + 1
    this.#count.update(count)
    out({ value, count })
  }
}

class CountWords<T> implements KeyedProcessFunction<unknown, T, Counted<T>> {
  #seen!: ValueState<number>

  open(context: RuntimeContext): void {
    this.#seen = context.getState(new ValueStateDescriptor('seen', 0))
  }

  processElement(value: T, _context: unknown, out: Out<T>): void {
    const before = this.#seen.value() as number
    this.#seen.update(before + 1)
    out({ value, count: before + 1 })
  }
}

class CountPeople<T> implements KeyedProcessFunction<unknown, T, Counted<T>> {
  #people!: ValueState<number>

  open(context: RuntimeContext): void {
    this.#people = context.getState(new ValueStateDescriptor<number>('people'))
  }

  processElement(value: T, _context: unknown, out: Out<T>): void {
    const people = (this.#people.value() ?? 0) + 1
    this.#people.update(people)
    out({ value, count: people })
  }
}

class CountPairs<T> implements KeyedProcessFunction<unknown, T, Counted<T>> {
  #pairs!: ValueState<{ count: number }>

  open(context: RuntimeContext): void {
    this.#pairs = context.getState(new ValueStateDescriptor('pairs', { count: 0 }))
  }

  processElement(value: T, _context: unknown, out: Out<T>): void {
    const pairs = this.#pairs.value() as { count: number }
    pairs.count++
    this.#pairs.update(pairs)
    out({ value, count: pairs.count })
  }
}

class CountNumbers<T> implements KeyedProcessFunction<unknown, T, Counted<T>> {
  #numbers!: ValueState<number>

  open(context: RuntimeContext): void {
    this.#numbers = context.getState(new ValueStateDescriptor('numbers', 0))
  }

  processElement(value: T, _context: unknown, out: Out<T>): void {
    const numbers = (this.#numbers.value() as number) + 1
    if (numbers < 1_000_000) this.#numbers.update(numbers)
    out({ value, count: numbers })
  }
}

class CountTexts<T> implements KeyedProcessFunction<unknown, T, Counted<T>> {
  #texts!: ValueState<string>

  open(context: RuntimeContext): void {
    this.#texts = context.getState(new ValueStateDescriptor('texts', ''))
  }

  processElement(value: T, _context: unknown, out: Out<T>): void {
    const count = Number(this.#texts.value()) + 1
    this.#texts.update(String(count))
    out({ value, count })
  }
}

class CountHosts<T> implements KeyedProcessFunction<unknown, T, Counted<T>> {
  #hosts!: ValueState<[number]>

  open(context: RuntimeContext): void {
    this.#hosts = context.getState(new ValueStateDescriptor<[number]>('hosts'))
  }

  processElement(value: T, _context: unknown, out: Out<T>): void {
    const count = (this.#hosts.value()?.[0] ?? 0) + 1
    this.#hosts.update([count])
    out({ value, count })
  }
}

/** By the name of the pipeline. */
export const otherCounts: Readonly<
  Record<string, new () => KeyedProcessFunction<unknown, unknown, Counted<unknown>>>
> = {
  words: CountWords,
  people: CountPeople,
  pairs: CountPairs,
  numbers: CountNumbers,
  texts: CountTexts,
  hosts: CountHosts,
}
