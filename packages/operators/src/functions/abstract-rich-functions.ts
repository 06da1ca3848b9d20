import { RuntimeContextTooEarly } from '../errors.ts'
import type { Collector } from './collector.ts'
import type { RichFunction, RuntimeContext } from './rich-function.ts'

/**
 * Flink's Java classes for functions with a life cycle, for those who are used to `extends RichMapFunction` and
 * `getRuntimeContext()`. Any class with the method and an `open(context)` does as well.
 */
export abstract class AbstractRichFunction implements RichFunction {
  #context: RuntimeContext | undefined

  /** Called by the operator before `open`. */
  setRuntimeContext(context: RuntimeContext): void {
    this.#context = context
  }

  /** @throws operators.runtime-context-too-early before `open` */
  getRuntimeContext(): RuntimeContext {
    if (this.#context === undefined) throw RuntimeContextTooEarly({ function: this.constructor.name })
    return this.#context
  }

  open(_context: RuntimeContext): void | Promise<void> {}

  close(): void | Promise<void> {}
}

/** A `map` with a life cycle. */
export abstract class RichMapFunction<T, R> extends AbstractRichFunction {
  abstract map(value: T): R
}

/** A `flatMap` with a life cycle. */
export abstract class RichFlatMapFunction<T, R> extends AbstractRichFunction {
  // biome-ignore lint/suspicious/noConfusingVoidType: functions that only call `out` return nothing
  abstract flatMap(value: T, out: Collector<R>): Iterable<R> | void
}

/** A `filter` with a life cycle. */
export abstract class RichFilterFunction<T> extends AbstractRichFunction {
  abstract filter(value: T): boolean
}

/** A `reduce` with a life cycle. */
export abstract class RichReduceFunction<T> extends AbstractRichFunction {
  abstract reduce(left: T, right: T): T
}
