import { AbstractRichFunction } from '../functions/abstract-rich-functions.ts'
import type { Collector } from '../functions/collector.ts'
import type { TimeWindow, Window } from './time-window.ts'

/**
 * Flink's class for the function of a window with a life cycle and state of its key.
 * @example class Visits extends RichWindowFunction<Click, string, string> {
 *   #pages!: MapState<string, number>
 *   override open(context: RuntimeContext) {
 *     this.#pages = context.getMapState(new MapStateDescriptor<string, number>('pages'))
 *   }
 *   apply(user: string, window: TimeWindow, clicks: readonly Click[], out: Collector<string>) {
 *     for (const { page } of clicks) this.#pages.put(page, (this.#pages.get(page) ?? 0) + 1)
 *     out(`${user} knows ${[...this.#pages.keys()].length} pages`)
 *   }
 * }
 */
export abstract class RichWindowFunction<
  T,
  R,
  K,
  W extends Window = TimeWindow,
> extends AbstractRichFunction {
  abstract apply(key: K, window: W, elements: readonly T[], out: Collector<R>): void
}

/** {@link RichWindowFunction} of windows without keys. */
export abstract class RichAllWindowFunction<
  T,
  R,
  W extends Window = TimeWindow,
> extends AbstractRichFunction {
  abstract apply(window: W, elements: readonly T[], out: Collector<R>): void
}
