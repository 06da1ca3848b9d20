import {
  MAX_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import type { KeySelector, ReduceFunction } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'

/** The value of a key so far. */
interface Reduced<T> {
  value: T
  /** Event time of the key's last record; NaN for none. */
  timestamp: number
}

/**
 * Operator of `keyBy(...).reduce(...)` in BATCH mode: emits the value of each key once, when all records are there. It
 * has the event time of the key's last record, as the last of the running values in STREAMING mode.
 */
export function keyedFinalReduceOperator<T>(
  keySelector: KeySelector<T, unknown>,
  reducer: ReduceFunction<T>,
): OperatorFactory {
  const plain = typeof reducer === 'function'
  return {
    kind: 'keyed-final-reduce',
    create(context: OperatorContext): StreamOperator {
      const { out, timestamp: register } = context
      const table = context.keyedState
        .namespacedState<Reduced<T>>({ kind: 'internal', name: 'final-reduce' })
        .table(undefined)
      const processElement = context.generate<Push>(
        ['f', 'keyOf', 'table', 'register', 'failed', 'failedKey', 'rejectPromise'],
        `let first = true
return value => {
  let key, entry
  try { key = keyOf(value); entry = table.find(key) } catch (error) { throw failedKey(error, value) }
  if (entry === undefined) { table.insert(key, { value, timestamp: register[0] }); return }
  const reduced = entry.value
  let next
  try { next = ${plain ? 'f(reduced.value, value)' : 'f.reduce(reduced.value, value)'} } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(next); first = false }
  reduced.value = next
  reduced.timestamp = register[0]
}`,
        [
          reducer,
          keySelector,
          table,
          register,
          failureAtRecord(context, 'the reduce function'),
          failureAtRecord(context, 'the key selector'),
          rejectPromise(context, 'The reduce function'),
        ],
      )
      /** What is not emitted yet, once the end has begun. */
      let rest: Iterator<{ readonly value: Reduced<T> }> | undefined
      const advanceWatermark = (watermark: number): boolean => {
        if (watermark < MAX_WATERMARK) return true
        rest ??= table.entries()[Symbol.iterator]()
        const before = register[0] as number
        try {
          for (;;) {
            const { done, value: entry } = rest.next()
            if (done === true) return true
            register[0] = entry.value.timestamp
            out(entry.value.value)
            if (context.shouldYield()) return false
          }
        } finally {
          register[0] = before
        }
      }
      return { processElement, advanceWatermark, ...lifecycleOf(reducer, context, true) }
    },
  }
}
