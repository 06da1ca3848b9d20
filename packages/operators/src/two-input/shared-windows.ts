import type { OperatorFactory, Push } from '../contract/stream-operator.ts'
import type { WindowAssigner } from '../windowing/assigners/window-assigner.ts'
import { windowOperator } from '../windowing/create-window-operator.ts'
import type { Evictor } from '../windowing/evictors/evictor.ts'
import type { Window } from '../windowing/time-window.ts'
import type { Trigger } from '../windowing/triggers/trigger.ts'
import type { WindowFunction, WindowOutput } from '../windowing/window-functions.ts'
import type { TaggedUnion } from './co-group-window-function.ts'
import type { ScriptRecord } from './two-input-runs.ts'

export type TaggedRecord = TaggedUnion<ScriptRecord, ScriptRecord>

/**
 * The union of two streams in front of a window operator; its watermark is the lower one, as with two inputs. For tests.
 */
export function sharedWindows<W extends Window>(
  assigner: WindowAssigner<TaggedRecord, W>,
  windowFunction: WindowFunction<string, TaggedRecord, unknown, W>,
  options: { readonly trigger?: Trigger<TaggedRecord, W>; readonly evictor?: Evictor<TaggedRecord, W> } = {},
): OperatorFactory {
  const factory = windowOperator<string, TaggedRecord, W>({
    ...options,
    assigner,
    keySelector: record => record.value.key,
    aggregation: { type: 'list' },
    output: { type: 'apply', function: windowFunction } as WindowOutput<string, W>,
  })
  return {
    kind: factory.kind,
    create: context => {
      const operator = factory.create(context)
      const push = operator.processElement as Push
      return {
        ...operator,
        processElement: value => push({ side: 'left', value }),
        processElement2: value => push({ side: 'right', value }),
      }
    },
  }
}
