import { spreadResults } from '../builtin/spread-results.ts'
import type { UserOutput } from '../builtin/user-output.ts'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { describeValue, rejectPromise, userFunctionFailure } from '../functions/user-function-failure.ts'
import type { Window } from './time-window.ts'
import type { WindowOutput } from './window-functions.ts'
import type { WindowProcessContext } from './window-process-context.ts'

/** Emits one key of one window that fires. The timestamp register holds the window's last millisecond. */
export type EmitWindow<W extends Window> = (key: unknown, window: W, contents: unknown) => void

/** What {@link emitterOf} needs beside the context. */
export interface EmissionOptions<K, W extends Window> {
  readonly output: WindowOutput<K, W> | undefined
  /** Whether the contents are the records, not an aggregate of them. */
  readonly list: boolean
  /** Bound to `f` in `result`: the aggregate function. */
  readonly function: unknown
  /** Expression that makes the result from `contents`. */
  readonly result: string
  readonly processContext: WindowProcessContext<W>
  readonly userOutput: UserOutput
}

/** Makes the emitting code of one operator instance: one function with everything in it. */
export function emitterOf<K, W extends Window>(
  context: OperatorContext,
  options: EmissionOptions<K, W>,
): EmitWindow<W> {
  const { output, userOutput } = options
  const functionName = output?.type === 'process' ? 'the process window function' : 'the window function'
  const failed = (error: unknown, key: unknown, window: W): Error =>
    userFunctionFailure(context, functionName, error, `key ${describeValue(key)}, ${describeWindow(window)}`)
  let at: { readonly key: unknown; readonly window: W } | undefined
  const spread = spreadResults(context, error => failed(error, at?.key, at?.window as W))
  return context.generate<EmitWindow<W>>(
    ['f', 'w', 'context', 'out', 'push', 'state', 'failed', 'spread', 'rejectPromise'],
    `let first = true
return (key, window, contents) => {
  let result
  try { result = ${callOf(options)} } catch (error) {
    throw state.failed ? state.error : failed(error, key, window)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(result); first = false }
  ${
    output === undefined || output.type === 'result'
      ? 'push(result)'
      : `if (result === undefined) return
  if (!Array.isArray(result)) result = spread(result, key, window)
  for (let i = 0; i < result.length; i++) push(result[i])`
  }
}`,
    [
      options.function,
      output?.function,
      options.processContext,
      userOutput.out,
      context.out,
      userOutput.state,
      failed,
      (results: unknown, key: unknown, window: W) => {
        at = { key, window }
        return spread(results, undefined)
      },
      rejectPromise(context, 'The window function'),
    ],
  )
}

function callOf<K, W extends Window>({ output, list, result }: EmissionOptions<K, W>): string {
  const elements = list ? result : `[${result}]`
  switch (output?.type) {
    case undefined:
      return result
    case 'result':
      return `w(key, window, ${result})`
    case 'apply': {
      const call = typeof output.function === 'function' ? 'w' : 'w.apply'
      return `${call}(key, window, ${elements}, out)`
    }
    case 'process':
      return `(context.window = window, w.process(key, context, ${elements}, out))`
  }
}

/** A window in a few words, for messages. */
export function describeWindow(window: Window): string {
  return `window ${describeValue({ ...window })}`
}
