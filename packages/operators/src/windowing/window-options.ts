import type { KeySelector } from '../functions/functions.ts'
import type { WindowAssigner } from './assigners/window-assigner.ts'
import type { Evictor } from './evictors/evictor.ts'
import type { Window } from './time-window.ts'
import type { Trigger } from './triggers/trigger.ts'
import type { WindowAggregation, WindowOutput } from './window-functions.ts'

/** How a windowed stream is evaluated. */
export interface WindowOptions<K, T, W extends Window> {
  readonly assigner: WindowAssigner<T, W>
  /** Undefined: the assigner's default. */
  readonly trigger?: Trigger<T, W> | undefined
  readonly evictor?: Evictor<T, W> | undefined
  readonly keySelector: KeySelector<T, K>
  readonly aggregation: WindowAggregation<T>
  readonly output?: WindowOutput<K, W> | undefined
  /** How long windows are kept after the watermark passed their end, and fire again for each late record; 0 if absent. */
  readonly allowedLatenessMs?: number | undefined
  /** Side output for late records; undefined: they are dropped and counted. */
  readonly lateTag?: string | undefined
}
