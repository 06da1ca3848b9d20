import type { OperatorContext, StreamOperator } from '../contract/stream-operator.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import type { Window } from './time-window.ts'
import { aggregationCode } from './window-aggregation.ts'
import type { WindowOptions } from './window-options.ts'

/** What the operator itself does at the turns of its life: `open` comes last, the others first. */
interface OwnLifecycle {
  /** Before anything of the user's. */
  check(): void
  open?(): void
  snapshotState(): void
  close?(): void
}

type Lifecycle = Required<
  Pick<
    StreamOperator,
    'open' | 'snapshotState' | 'notifyCheckpointComplete' | 'notifyCheckpointAborted' | 'close'
  >
>

/** The life cycle of a window operator and of the user's functions in it: all are closed, even if one fails to. */
export function lifecyclesOf<K, T, W extends Window>(
  context: OperatorContext,
  options: WindowOptions<K, T, W>,
  own: OwnLifecycle,
): Lifecycle {
  const functions = [aggregationCode(options.aggregation).function, options.output?.function]
  const lifecycles = functions.map(each => lifecycleOf(each, context, true))
  return {
    async open() {
      own.check()
      for (const each of lifecycles) await each.open?.()
      own.open?.()
    },
    async snapshotState(checkpointId) {
      own.snapshotState()
      for (const each of lifecycles) await each.snapshotState?.(checkpointId)
    },
    async notifyCheckpointComplete(checkpointId) {
      for (const each of lifecycles) await each.notifyCheckpointComplete?.(checkpointId)
    },
    async notifyCheckpointAborted(checkpointId) {
      for (const each of lifecycles) await each.notifyCheckpointAborted?.(checkpointId)
    },
    async close() {
      own.close?.()
      const results = await Promise.allSettled(lifecycles.map(async each => each.close?.()))
      const failed = results.find(result => result.status === 'rejected')
      if (failed !== undefined) throw failed.reason
    },
  }
}
