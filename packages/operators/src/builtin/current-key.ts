import type { OperatorContext } from '../contract/stream-operator.ts'
import type { KeySelector } from '../functions/functions.ts'
import { failureAtRecord } from '../functions/user-function-failure.ts'

/** A statement of generated code with the names and values that it uses. */
interface Step {
  readonly source: string
  readonly names: readonly string[]
  readonly values: readonly unknown[]
}

/** Binds keyed state to the key of `value`, for functions behind keyBy; nothing without a key selector. */
export function currentKeyStep(
  context: OperatorContext,
  keySelector: KeySelector<never, unknown> | undefined,
): Step {
  if (keySelector === undefined) return { source: '', names: [], values: [] }
  return {
    source: 'try { backend.setCurrentKey(keyOf(value)) } catch (error) { throw failedKey(error, value) }',
    names: ['keyOf', 'backend', 'failedKey'],
    values: [keySelector, context.keyedState, failureAtRecord(context, 'the key selector')],
  }
}
