import type { OperatorFactory } from '../contract/stream-operator.ts'
import { createAlignedWindowOperator, firesOnceForAllKeys } from './aligned-window-operator.ts'
import { isMerging } from './assigners/window-assigner.ts'
import { GROUP_FROM } from './current-table-code.ts'
import { createMergingWindowOperator } from './merging-window-operator.ts'
import { createPaneWindowOperator, paysInPanes } from './pane-window-operator.ts'
import type { Window } from './time-window.ts'
import { createWindowOperator } from './window-operator.ts'
import type { WindowOptions } from './window-options.ts'

/**
 * Operator of a windowed stream. Which of four does it depends on what its windows need.
 * @param groupFrom see {@link GROUP_FROM}; smaller in tests
 */
export function windowOperator<K, T, W extends Window>(
  options: WindowOptions<K, T, W>,
  groupFrom = GROUP_FROM,
): OperatorFactory {
  return {
    kind: 'window',
    create: context => {
      if (firesOnceForAllKeys(options)) {
        return paysInPanes(options)
          ? createPaneWindowOperator(context, options, groupFrom)
          : createAlignedWindowOperator(context, options, groupFrom)
      }
      if (isMerging(options.assigner)) return createMergingWindowOperator(context, options as never)
      return createWindowOperator(context, options)
    },
  }
}
