// What the jobs of the golden files have in common: elements, watermarks, reports.
import {
  type Collector,
  type DataStream,
  type ProcessWindowContext,
  type ProcessWindowFunction,
  TimeWindow,
  type WatermarkGenerator,
  type Window,
} from 'flink-ts'

export type Time = number | 'MAX' | 'MIN'
export interface Element {
  readonly id: string
  readonly key: string
  readonly ts: number
  readonly value: number
  readonly ops?: readonly (readonly ['register' | 'delete', Time])[]
  /** In scripts of timers: no element, but a watermark. */
  readonly watermark?: number
}
/** A record of one of two inputs, or a watermark of that input. */
export interface Step {
  readonly input: 'left' | 'right'
  readonly id: string
  readonly key: string
  readonly ts: number
  readonly value: number
  readonly watermark?: number
}
const MAX = Number.MAX_SAFE_INTEGER
export const shown = (time: number): Time => (time >= MAX ? 'MAX' : time <= -MAX ? 'MIN' : time)
export const ms = (time: Time): number => (time === 'MAX' ? MAX : time === 'MIN' ? -MAX : time)

/** A watermark after each element that raises the maximum, or where the script says so. */
export class EachElement implements WatermarkGenerator<Element> {
  #highest = -Infinity

  onEvent(element: Element, _timestamp: number, output: { emitWatermark(watermark: number): void }): void {
    if (element.watermark !== undefined) output.emitWatermark(element.watermark)
    if (element.ops !== undefined || element.watermark !== undefined || element.ts <= this.#highest) return
    this.#highest = element.ts
    output.emitWatermark(element.ts - 2000 - 1)
  }

  onPeriodicEmit(): void {}
}

/** A watermark where the script says so. */
export class WatermarkSteps implements WatermarkGenerator<Step> {
  onEvent(step: Step, _timestamp: number, output: { emitWatermark(watermark: number): void }): void {
    if (step.watermark !== undefined) output.emitWatermark(step.watermark)
  }

  onPeriodicEmit(): void {}
}

export const bounds = (window: Window): object =>
  window instanceof TimeWindow ? { start: window.start, end: window.end } : { window: 'global' }
export const summary = (elements: readonly Element[]): object => ({
  count: elements.length,
  sum: elements.reduce((sum, element) => sum + element.value, 0),
  ids: elements.map(element => element.id),
})

export class Report implements ProcessWindowFunction<Element, object, string, Window> {
  process(
    key: string,
    context: ProcessWindowContext<Window>,
    elements: readonly Element[],
    out: Collector<object>,
  ): void {
    const watermark = shown(context.currentWatermark())
    out({ type: 'fire', key, ...bounds(context.window), ...summary(elements), watermark })
  }
}

export const stamped = (results: DataStream<object>): DataStream<object> =>
  results.process<object>({
    processElement: (event, context, out) =>
      out({ ...event, timestamp: shown(context.timestamp() ?? Number.NaN) }),
  })
export const lateRecords = <T extends Element | Step>(
  type: string,
  late: DataStream<T>,
): DataStream<object> =>
  stamped(
    late.process<object>({
      processElement: ({ id, key }, context, out) =>
        out({ type, id, key, watermark: shown(context.timerService.currentWatermark()) }),
    }),
  )
