import { floatCells } from '@flink-ts/serialization'
import { userOutputOf } from '../builtin/user-output.ts'
import {
  MIN_WATERMARK,
  type OperatorContext,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import { MissingTimestamp } from '../errors.ts'
import { describeValue, failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { alignedStart } from './assigners/aligned-window.ts'
import { SlidingEventTimeWindows } from './assigners/sliding-windows.ts'
import { TumblingEventTimeWindows } from './assigners/tumbling-windows.ts'
import {
  addCode,
  addNumbersCode,
  CURRENT_TABLE_NAMES,
  currentTableCode,
  GROUP_FROM,
  type TableWriter,
} from './current-table-code.ts'
import { LateRecords } from './late-records.ts'
import { lifecyclesOf } from './lifecycles.ts'
import { type NumberCode, numberCodeOf } from './number-accumulators.ts'
import type { TimeWindow } from './time-window.ts'
import { EventTimeTrigger } from './triggers/time-triggers.ts'
import { type AggregationCode, aggregationCode } from './window-aggregation.ts'
import { WindowContents } from './window-contents.ts'
import { clearFunctionOf } from './window-contents-emission.ts'
import { type EmitWindow, emitterOf } from './window-emission.ts'
import { WindowLayout } from './window-layout.ts'
import type { WindowOptions } from './window-options.ts'
import { WindowProcessContext } from './window-process-context.ts'

/** Of windows that begin at the same time for all keys. */
export type AlignedOptions<K, T> = WindowOptions<K, T, TimeWindow> & {
  readonly assigner: TumblingEventTimeWindows | SlidingEventTimeWindows
}

/**
 * Whether each window fires exactly once, for all keys, when the watermark reaches its last millisecond: then nothing is
 * needed for each key but its contents.
 */
export function firesOnceForAllKeys<K, T>(options: object): options is AlignedOptions<K, T> {
  const { assigner, trigger, evictor, allowedLatenessMs = 0 } = options as AlignedOptions<K, T>
  if (evictor !== undefined || allowedLatenessMs > 0) return false
  if (trigger !== undefined && Object.getPrototypeOf(trigger) !== EventTimeTrigger.prototype) return false
  // Subclasses may do anything.
  const prototype: unknown = Object.getPrototypeOf(assigner)
  if (prototype === SlidingEventTimeWindows.prototype) return true
  if (prototype !== TumblingEventTimeWindows.prototype) return false
  return (assigner as TumblingEventTimeWindows).stagger === 'ALIGNED'
}

/**
 * Tumbling and sliding windows in event time that fire once, with one table of keys for each window. A window fires when
 * the watermark reaches its last millisecond; results carry that as timestamp; its state is dropped then. Later records
 * are late.
 */
export function createAlignedWindowOperator<K, T>(
  context: OperatorContext,
  options: AlignedOptions<K, T>,
  groupFrom = GROUP_FROM,
): StreamOperator {
  const { assigner, aggregation } = options
  const { sizeMs, offsetMs } = assigner
  const slideMs = assigner instanceof SlidingEventTimeWindows ? assigner.slideMs : sizeMs
  const numbers = numberCodeOf(aggregation)
  const contents = new WindowContents(context, sizeMs, numbers?.fields)
  /** Of the window looked up last: [0] start, [1] end, [2] watermark. An impossible window at first. */
  const current = floatCells([1, 0, MIN_WATERMARK])
  const late = new LateRecords(context, options.lateTag)
  const layout = new WindowLayout(context, `aligned ${sizeMs} ms every ${slideMs} ms, offset ${offsetMs} ms`)
  const code = aggregationCode(aggregation)
  const missing = missingTimestamp(context)
  const failed = failureAtRecord(context, code.functionName)
  const failedKey = failureAtRecord(context, 'the key selector')
  const checkResult = rejectPromise(context, code.functionName)
  const tableAt = (time: number, value: unknown) => {
    if (Number.isNaN(time)) throw missing(value)
    const start = alignedStart(time, offsetMs, sizeMs)
    if (start + sizeMs - 1 <= (current[2] as number)) {
      late.add(value)
      return undefined
    }
    current[0] = start
    current[1] = start + sizeMs
    return contents.table(start)
  }
  const common = [code.function, options.keySelector, context.timestamp, current]
  const writer: TableWriter =
    slideMs === sizeMs
      ? context.generate<TableWriter>(CURRENT_TABLE_NAMES, currentTableCode(code, groupFrom, numbers), [
          ...[...common, tableAt, failed, failedKey, checkResult],
        ])
      : {
          push: context.generate<Push>(
            [
              ...['f', 'keyOf', 'register', 'current', 'contents', 'alignedStart', 'late', 'missing'],
              ...['failed', 'failedKey', 'rejectPromise'],
            ],
            slidingCode(code, numbers, { sizeMs, slideMs, offsetMs }),
            [...common, contents, alignedStart, late, missing, failed, failedKey, checkResult],
          ),
          flush: () => {},
        }
  const emit = emitAlignedWindow(context, options, code, () => current[2] as number)

  return {
    processElement: writer.push,
    ...lifecyclesOf(context, options, {
      check: () => layout.check(),
      snapshotState: () => layout.snapshot(),
    }),
    advanceWatermark(watermark) {
      writer.flush()
      if (watermark > (current[2] as number)) current[2] = watermark
      current[0] = 1
      current[1] = 0
      return contents.fireUpTo(watermark, emit)
    },
    prepareSnapshot: () => {
      writer.flush()
      contents.removeEmitted()
    },
    finish: () => late.finish(),
  }
}

/** The error for a record without event time. */
export function missingTimestamp(context: OperatorContext): (value: unknown) => Error {
  return value =>
    MissingTimestamp({ operator: context.operatorName, record: `record ${describeValue(value)}` })
}

function slidingCode(
  code: AggregationCode,
  numbers: NumberCode | undefined,
  { sizeMs, slideMs, offsetMs }: { sizeMs: number; slideMs: number; offsetMs: number },
): string {
  return `let first = true
return value => {
  const time = register[0]
  if (time !== time) throw missing(value)
  const watermark = current[2]
  let skipped = true
  let key
  for (let start = alignedStart(time, ${offsetMs}, ${slideMs}); start > time - ${sizeMs}; start -= ${slideMs}) {
    if (start + ${sizeMs - 1} <= watermark) break
    if (skipped) {
      try { key = keyOf(value) } catch (error) { throw failedKey(error, value) }
      skipped = false
    }
    const table = contents.table(start)
    ${numbers === undefined ? '' : addNumbersCode(numbers, 'continue')}
    let entry
    try { entry = table.find(key) } catch (error) { throw failedKey(error, value) }
    ${addCode(code)}
  }
  if (skipped && time <= watermark) late.add(value)
}`
}

/** Makes what emits one key of a window, whose life ends with that. */
export function emitAlignedWindow<K, T>(
  context: OperatorContext,
  options: AlignedOptions<K, T>,
  code: AggregationCode,
  currentWatermark: () => number,
): EmitWindow<TimeWindow> {
  const userOutput = userOutputOf(context)
  const processContext = new WindowProcessContext<TimeWindow>(context, userOutput, {
    merging: false,
    currentWatermark,
  })
  const emit = emitterOf<K, TimeWindow>(context, {
    output: options.output,
    list: options.aggregation.type === 'list',
    function: code.function,
    result: code.result,
    processContext,
    userOutput,
  })
  if (options.output === undefined || options.output.type === 'result') return emit
  const clearFunction = clearFunctionOf(context, options, processContext, userOutput)
  const backend = context.keyedState
  return (key, window, value) => {
    backend.setCurrentKey(key)
    processContext.namespace = window.start
    emit(key, window, value)
    clearFunction(window, window.start)
  }
}
