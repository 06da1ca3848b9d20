import type { OperatorContext, Push } from '../contract/stream-operator.ts'
import { type Collector, collectorOf } from '../functions/collector.ts'

/**
 * The outputs of an operator as a user function gets them. An error from downstream passes through the user's
 * function: it must neither be taken for the user's own nor be lost if the user's code catches it. So the outputs
 * remember it.
 */
export interface UserOutput {
  readonly out: Collector<unknown>
  sideOutput(tag: string): Push
  /** Whether an error came from downstream in the current call, and which. */
  readonly state: { failed: boolean; error: unknown }
}

/** Makes the outputs of one operator instance. */
export function userOutputOf(context: OperatorContext): UserOutput {
  const state: UserOutput['state'] = { failed: false, error: undefined }
  const guarded = (push: Push): Push =>
    context.generate<Push>(
      ['push', 'state'],
      `return value => {
  try { push(value) } catch (error) { state.failed = true; state.error = error; throw error }
}`,
      [push, state],
    )
  const sideOutputs = new Map<string, Push>()
  return {
    out: collectorOf(guarded(context.out)),
    sideOutput: tag => {
      let push = sideOutputs.get(tag)
      if (push === undefined) {
        push = guarded(context.sideOutput(tag))
        sideOutputs.set(tag, push)
      }
      return push
    },
    state,
  }
}
