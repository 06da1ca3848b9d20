import type { Clock } from '@flink-ts/common'
import type { SlotLoop } from '../mailbox/slot-loop.ts'
import type { Accumulators } from './accumulators.ts'
import type { OperatorActions } from './operator-actions.ts'
import type { ChainLink, OperatorChain } from './operator-chain.ts'
import type { ContextHost } from './operator-context.ts'
import type { OperatorMetrics } from './operator-metrics.ts'
import type { SourceTurn } from './source-turn.ts'
import type { TaskEventTime } from './task-event-time.ts'
import type { TaskOutputs } from './task-outputs.ts'
import type { TaskReporter } from './task-ports.ts'

interface TaskContextHostDependencies {
  /** The task's timestamp register. */
  readonly timestamp: Float64Array
  readonly loop: SlotLoop
  readonly clock: Clock
  readonly reporter: TaskReporter
  readonly actions: OperatorActions
  readonly sourceTurn: SourceTurn
  /** Operators that take nothing now, by index. */
  readonly unavailable: Set<number>
  readonly outputs: () => Pick<TaskOutputs, 'available'>
  readonly accumulators: Accumulators
  readonly operatorMetrics: OperatorMetrics
  /** Undefined while operators are being created. */
  readonly chain: () => OperatorChain | undefined
  readonly eventTime: () => TaskEventTime
  /** Work of the operator at `index` outside of its calls has failed. */
  readonly failed: (index: number, error: unknown) => void
}

/** What the contexts of the operators of a task lead to. */
export function taskContextHost(dependencies: TaskContextHostDependencies): ContextHost {
  const {
    loop,
    clock,
    reporter,
    actions,
    sourceTurn,
    unavailable,
    outputs,
    accumulators,
    operatorMetrics,
    chain,
    eventTime,
    failed,
  } = dependencies
  return {
    timestamp: dependencies.timestamp,
    link: index => chain()?.links[index],
    emitWatermark: (index, watermark) => eventTime().emit(index, watermark),
    emitIdle: index => chain()?.setIdle(chain()?.links[index] as ChainLink),
    shouldYield: () => eventTime().shouldYield(),
    isBlocked: () => unavailable.size > 0 || !outputs().available(),
    processingTime: () => clock.now(),
    scheduleProcessingTime: (index, time, action) => actions.schedule(index, time, action),
    execute: (index, action) => actions.execute(index, action),
    wake: () => {
      sourceTurn.wake()
      loop.wake()
    },
    fail: (index, error) => loop.post(() => failed(index, error)),
    setAvailable: (index, available) => {
      if (available) unavailable.delete(index)
      else unavailable.add(index)
      loop.wake()
    },
    files: reporter.files,
    sendOperatorEvent: (operatorId, event) => reporter.operatorEvent(operatorId, event),
    setAccumulator: (index, name, value) => accumulators.set(index, name, value),
    setMetric: (index, name, read) => operatorMetrics.set(index, name, read),
  }
}
