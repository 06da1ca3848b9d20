import { type ExecutionAttemptId, serializeError } from '@flink-ts/common'
import type { TaskExecutionStateUpdate, TaskExecutionStatus, TaskIoMetrics } from '@flink-ts/gateways'
import type { Accumulators } from './accumulators.ts'

/** How a task is to end, decided before its operators are closed. */
export type Outcome =
  | { readonly status: 'FINISHED' | 'CANCELED' }
  | { readonly status: 'FAILED'; readonly error: unknown }

/** What a task is in the end: one that has finished fails if its operators cannot be closed. */
export function finalOutcome(outcome: Outcome, closeFailure: { error: unknown } | undefined): Outcome {
  if (outcome.status !== 'FINISHED' || closeFailure === undefined) return outcome
  return { status: 'FAILED', error: closeFailure.error }
}

/** The report of a state of a task. */
export function stateUpdate(
  attemptId: ExecutionAttemptId,
  state: Outcome | { readonly status: Exclude<TaskExecutionStatus, 'FAILED'> },
  facts: { readonly accumulators: Accumulators; readonly metrics: TaskIoMetrics },
): TaskExecutionStateUpdate {
  const { status } = state
  return {
    attemptId,
    status,
    error: state.status === 'FAILED' ? serializeError(state.error) : undefined,
    accumulators: status === 'FINISHED' ? facts.accumulators.merged() : undefined,
    metrics: facts.metrics,
  }
}
