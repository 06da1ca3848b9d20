import { FlinkError, isFlinkError } from '@flink-ts/common'
import { describeValue, withStackOf } from '@flink-ts/operators'
import { OperatorFailed } from '../errors.ts'

/** Where something failed. */
export interface OperatorPlace {
  readonly operator: string
  /** As in messages: `Source -> Map (2/4)`. */
  readonly task: string
}

/**
 * The error for what an operator threw in `step` (`open`, `a timer`): names the operator, has the stack of what was
 * thrown and it as its cause. An error of ours keeps code, domain and retry, and passes unchanged if it names an
 * operator already, which may be another one further down.
 */
export function operatorFailure({ operator, task }: OperatorPlace, step: string, thrown: unknown): Error {
  if (isFlinkError(thrown)) {
    if (typeof thrown.data.operator === 'string') return thrown
    const message = `${thrown.message} (in ${step} of operator '${operator}' of ${task})`
    return withStackOf(new FlinkError(thrown, message, { ...thrown.data, operator }, thrown.cause), thrown)
  }
  const error = thrown instanceof Error ? thrown.message || thrown.name : describeValue(thrown)
  return withStackOf(OperatorFailed({ task, operator, step, error }, thrown), thrown)
}
