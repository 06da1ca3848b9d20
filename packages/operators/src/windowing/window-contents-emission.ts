import type { UserOutput } from '../builtin/user-output.ts'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { userFunctionFailure } from '../functions/user-function-failure.ts'
import type { EvictorContext, TimestampedValue } from './evictors/evictor.ts'
import type { Window } from './time-window.ts'
import { aggregationCode, type EmittedAccumulators, foldOf } from './window-aggregation.ts'
import { describeWindow, emitterOf } from './window-emission.ts'
import type { WindowOptions } from './window-options.ts'
import type { WindowProcessContext } from './window-process-context.ts'

/** What a window that fires is kept in. */
interface Contents {
  value: unknown
}

/**
 * Makes what emits a window that may fire again: the contents are not handed out themselves, or not changed afterwards.
 * With an evictor, `entry.value` is what is left after it.
 * `goesOn`: whether the contents are kept.
 * @returns of each call: false if nothing is left
 */
export function emitContentsOf<K, T, W extends Window>(
  context: OperatorContext,
  options: WindowOptions<K, T, W>,
  parts: {
    readonly processContext: WindowProcessContext<W>
    readonly userOutput: UserOutput
    readonly emitted: EmittedAccumulators
  },
): (key: unknown, window: W, entry: Contents, goesOn: boolean) => boolean {
  const { evictor, aggregation, output } = options
  const code = aggregationCode(aggregation)
  const fold = evictor === undefined ? undefined : foldOf(aggregation)
  const emit = emitterOf<K, W>(context, {
    output,
    list: aggregation.type === 'list',
    function: fold ?? code.function,
    result: fold === undefined ? code.result : 'f(contents)',
    processContext: parts.processContext,
    userOutput: parts.userOutput,
  })
  const register = context.timestamp
  const emitAt = (key: unknown, window: W, contents: unknown): void => {
    const before = register[0] as number
    register[0] = window.maxTimestamp()
    try {
      emit(key, window, contents)
    } finally {
      register[0] = before
    }
  }
  if (evictor === undefined) {
    return (key, window, entry, goesOn) => {
      if (goesOn && aggregation.type === 'list') emitAt(key, window, (entry.value as unknown[]).slice())
      else {
        if (goesOn && aggregation.type === 'aggregate') parts.emitted.add(entry.value)
        emitAt(key, window, entry.value)
      }
      return true
    }
  }
  const evictorContext: EvictorContext = {
    currentWatermark: () => parts.processContext.currentWatermark(),
    currentProcessingTime: () => context.processingTime(),
  }
  const evict = (
    when: 'evictBefore' | 'evictAfter',
    elements: readonly TimestampedValue<T>[],
    window: W,
  ): readonly TimestampedValue<T>[] => {
    try {
      return evictor[when](elements, window, evictorContext)
    } catch (error) {
      throw userFunctionFailure(context, `${when} of the evictor`, error, describeWindow(window))
    }
  }
  return (key, window, entry) => {
    const kept = evict('evictBefore', entry.value as TimestampedValue<T>[], window)
    if (aggregation.type === 'list' || kept.length > 0) {
      emitAt(
        key,
        window,
        kept.map(element => element.value),
      )
    }
    entry.value = [...evict('evictAfter', kept, window)]
    return (entry.value as unknown[]).length > 0
  }
}

/** Makes the call of the user's `clear` at the end of a window's life; its state ends with it. */
export function clearFunctionOf<K, T, W extends Window>(
  context: OperatorContext,
  options: WindowOptions<K, T, W>,
  processContext: WindowProcessContext<W>,
  userOutput: UserOutput,
): (window: W, namespace: string | number) => void {
  const userFunction = options.output?.type === 'process' ? options.output.function : undefined
  return (window, namespace) => {
    processContext.window = window
    processContext.namespace = namespace
    if (userFunction?.clear !== undefined) {
      try {
        userFunction.clear(processContext)
      } catch (error) {
        if (userOutput.state.failed) throw userOutput.state.error
        throw userFunctionFailure(context, 'clear of the window function', error, describeWindow(window))
      }
      if (userOutput.state.failed) throw userOutput.state.error
    }
    processContext.clearWindowState()
  }
}
