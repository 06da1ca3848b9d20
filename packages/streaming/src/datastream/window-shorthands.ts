import {
  CountEvictor,
  CountTrigger,
  type Duration,
  type GlobalWindow,
  PurgingTrigger,
  SlidingEventTimeWindows,
  type TimeWindow,
  TumblingEventTimeWindows,
  type WindowAssigner,
} from '@flink-ts/operators'
import type { WindowedStream } from './windowed-stream.ts'

/** Windows in event time: tumbling, or sliding. */
export function timeWindows(
  size: Duration,
  slide: Duration | undefined,
): WindowAssigner<unknown, TimeWindow> {
  return slide === undefined ? TumblingEventTimeWindows.of(size) : SlidingEventTimeWindows.of(size, slide)
}

/** Makes groups of `size` records of a global window; with `slide`: every `slide` records the last `size`. */
export function countWindows<T, K>(
  windows: WindowedStream<T, K, GlobalWindow>,
  size: number,
  slide: number | undefined,
): WindowedStream<T, K, GlobalWindow> {
  if (slide === undefined) return windows.trigger(PurgingTrigger.of(CountTrigger.of(size)))
  return windows.evictor(CountEvictor.of(size)).trigger(CountTrigger.of(slide))
}
