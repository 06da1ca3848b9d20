import type { StateDescriptor, ValueState, ValueStateDescriptor } from '@flink-ts/state'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { KeyedStateOutsideKeyBy } from '../errors.ts'

/** What a function learns in `open` about where it runs, and the way to its state. */
export interface RuntimeContext {
  readonly operatorName: string
  readonly jobId: string
  readonly jobName: string
  /** From 0. */
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly maxParallelism: number
  /** From 0. */
  readonly attemptNumber: number
  readonly globalJobParameters: Readonly<Record<string, string>>
  /**
   * State with one value for each key, bound to the key of the record or timer being processed.
   * @throws operators.keyed-state-outside-key-by unless the function runs behind keyBy
   */
  getState<T>(descriptor: ValueStateDescriptor<T>): ValueState<T>
}

/** Life cycle that every function given as an object or class instance may have. */
export interface RichFunction {
  /** Before the first record of each attempt; may return a promise, which is awaited. */
  open?(context: RuntimeContext): void | Promise<void>
  /** Once after the last record, also after a failure. */
  close?(): void | Promise<void>
}

/** The runtime context of a function that runs in `context`'s operator. */
export function runtimeContextOf(context: OperatorContext, keyed: boolean): RuntimeContext {
  return {
    operatorName: context.operatorName,
    jobId: context.jobId,
    jobName: context.jobName,
    subtaskIndex: context.subtaskIndex,
    parallelism: context.parallelism,
    maxParallelism: context.maxParallelism,
    attemptNumber: context.attemptNumber,
    globalJobParameters: context.globalJobParameters,
    getState: <T>(descriptor: ValueStateDescriptor<T>): ValueState<T> => {
      if (!keyed) throw KeyedStateOutsideKeyBy({ operator: context.operatorName, state: descriptor.name })
      return context.keyedState.state<ValueState<T>>(descriptor as StateDescriptor<unknown>)
    },
  }
}

/** `open` and `close` of an operator whose only life cycle is that of a user's function; empty for plain functions. */
export function lifecycleOf(
  userFunction: unknown,
  context: OperatorContext,
  keyed: boolean,
): { open?: () => void | Promise<void>; close?: () => void | Promise<void> } {
  if (typeof userFunction !== 'object' || userFunction === null) return {}
  const rich = userFunction as RichFunction
  return {
    ...(rich.open === undefined ? {} : { open: () => rich.open?.(runtimeContextOf(context, keyed)) }),
    ...(rich.close === undefined ? {} : { close: () => rich.close?.() }),
  }
}
