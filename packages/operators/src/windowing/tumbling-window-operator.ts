import type { OperatorFactory, Push } from '../contract/stream-operator.ts'
import { MIN_WATERMARK, type OperatorContext, type StreamOperator } from '../contract/stream-operator.ts'
import { MissingTimestamp } from '../errors.ts'
import type {
  AggregateFunction,
  KeySelector,
  ReduceFunction,
  WindowFunction,
} from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { describeValue, failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import type { TumblingEventTimeWindows } from './tumbling-event-time-windows.ts'
import { type EmitEntry, WindowContents } from './window-contents.ts'

/** What happens inside a window. */
type WindowAggregation<T> =
  | { readonly type: 'aggregate'; readonly aggregate: AggregateFunction<T, unknown, unknown> }
  | { readonly type: 'reduce'; readonly reduce: ReduceFunction<T> }

/** How a windowed stream is evaluated. */
export interface TumblingWindowOptions<K, T> {
  readonly assigner: TumblingEventTimeWindows
  readonly keySelector: KeySelector<T, K>
  readonly aggregation: WindowAggregation<T>
  readonly windowFunction: WindowFunction<K, unknown, unknown> | undefined
  /** Side output for late records; undefined: they are dropped. */
  readonly lateTag: string | undefined
}

/** Accumulator that the number of late records dropped is reported under at the end of the task. */
export const LATE_RECORDS_DROPPED = 'numLateRecordsDropped'

/**
 * Tumbling windows in event time with an incremental aggregate for each key. A window fires once, when the watermark
 * reaches its last millisecond; results carry that as timestamp; its state is dropped then. Later records are late.
 */
export function tumblingWindowOperator<K, T>(options: TumblingWindowOptions<K, T>): OperatorFactory {
  return { kind: 'tumbling-window', create: context => createTumblingWindow(context, options) }
}

function createTumblingWindow<K, T>(
  context: OperatorContext,
  options: TumblingWindowOptions<K, T>,
): StreamOperator {
  const { assigner, aggregation } = options
  const contents = new WindowContents(context, assigner.sizeMs)
  /** Of the window looked up last: [0] start, [1] end, [2] watermark. An impossible window at first. */
  const current = new Float64Array([1, 0, MIN_WATERMARK])
  let lateRecords = 0

  const processElement = context.generate<Push>(
    ['f', 'keyOf', 'register', 'current', 'tableAt', 'failed', 'failedKey', 'rejectPromise'],
    `let first = true
let table
return value => {
  const time = register[0]
  if (!(time >= current[0] && time < current[1])) {
    const found = tableAt(time, value)
    if (found === undefined) return
    table = found
  }
  let key, entry
  try { key = keyOf(value); entry = table.find(key) } catch (error) { throw failedKey(error, value) }
  ${addToEntry(aggregation)}
}`,
    [
      aggregation.type === 'aggregate' ? aggregation.aggregate : aggregation.reduce,
      options.keySelector,
      context.timestamp,
      current,
      (time: number, value: unknown) => {
        if (Number.isNaN(time)) {
          throw MissingTimestamp({ operator: context.operatorName, record: `record ${describeValue(value)}` })
        }
        const start = assigner.windowStart(time)
        if (start + assigner.sizeMs - 1 <= (current[2] as number)) {
          lateRecords++
          if (options.lateTag !== undefined) context.sideOutput(options.lateTag)(value)
          return undefined
        }
        current[0] = start
        current[1] = start + assigner.sizeMs
        return contents.table(start)
      },
      failureAtRecord(context, `the ${aggregation.type} function of the window`),
      failureAtRecord(context, 'the key selector'),
      rejectPromise(context, `The ${aggregation.type} function of the window`),
    ],
  )
  const emit = emitEntry(context, options)

  return {
    processElement,
    ...lifecycleOf(
      aggregation.type === 'aggregate' ? aggregation.aggregate : aggregation.reduce,
      context,
      true,
    ),
    advanceWatermark(watermark) {
      if (watermark > (current[2] as number)) current[2] = watermark
      current[0] = 1
      current[1] = 0
      return contents.fireUpTo(watermark, emit)
    },
    prepareSnapshot: () => contents.removeEmitted(),
    finish: () => {
      if (options.lateTag === undefined && lateRecords > 0)
        context.setAccumulator(LATE_RECORDS_DROPPED, lateRecords)
    },
  }
}

function addToEntry<T>(aggregation: WindowAggregation<T>): string {
  if (aggregation.type === 'aggregate') {
    return `let next
  try { next = f.add(value, entry === undefined ? f.createAccumulator() : entry.value) } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(next); first = false }
  if (entry === undefined) table.insert(key, next)
  else entry.value = next`
  }
  const reduce = typeof aggregation.reduce === 'function' ? 'f' : 'f.reduce'
  return `if (entry === undefined) { table.insert(key, value); return }
  let next
  try { next = ${reduce}(entry.value, value) } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(next); first = false }
  entry.value = next`
}

/** Emits the result of one key; the register holds the window's last millisecond. */
function emitEntry<K, T>(context: OperatorContext, options: TumblingWindowOptions<K, T>): EmitEntry {
  const { aggregation, windowFunction } = options
  const result = aggregation.type === 'aggregate' ? 'f.getResult(value)' : 'value'
  return context.generate<EmitEntry>(
    ['f', 'window', 'out', 'failed', 'rejectPromise'],
    `let first = true
return (key, value, start, end) => {
  let result
  try { result = ${windowFunction === undefined ? result : `window(key, { start, end }, ${result})`} } catch (error) { throw failed(error, { key, start, end }) }
  if (first) { rejectPromise(result); first = false }
  out(result)
}`,
    [
      aggregation.type === 'aggregate' ? aggregation.aggregate : undefined,
      windowFunction,
      context.out,
      failureAtRecord(context, 'the window function'),
      rejectPromise(context, 'The window function'),
    ],
  )
}
