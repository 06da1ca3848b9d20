import { floatCells } from '@flink-ts/serialization'
import { MIN_WATERMARK, type OperatorContext, type StreamOperator } from '../contract/stream-operator.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { type AlignedOptions, emitAlignedWindow, missingTimestamp } from './aligned-window-operator.ts'
import { alignedStart } from './assigners/aligned-window.ts'
import { SlidingEventTimeWindows } from './assigners/sliding-windows.ts'
import { CURRENT_TABLE_NAMES, currentTableCode, GROUP_FROM, type TableWriter } from './current-table-code.ts'
import { LateRecords } from './late-records.ts'
import { lifecyclesOf } from './lifecycles.ts'
import { numberCodeOf } from './number-accumulators.ts'
import { PaneContents, paneLength } from './pane-contents.ts'
import { aggregationCode } from './window-aggregation.ts'
import { WindowLayout } from './window-layout.ts'

/** Panes may be so much shorter than the slide that there is nothing to gain. */
const MOST_PANES_PER_SLIDE = 4

type PaneOptions<K, T> = AlignedOptions<K, T> & { readonly assigner: SlidingEventTimeWindows }

/** Whether windows overlap and their function can join what it made of parts of them. */
export function paysInPanes<K, T>(options: AlignedOptions<K, T>): options is PaneOptions<K, T> {
  const { assigner, aggregation } = options
  if (!(assigner instanceof SlidingEventTimeWindows) || assigner.slideMs >= assigner.sizeMs) return false
  if (aggregation.type !== 'aggregate' || typeof aggregation.aggregate.merge !== 'function') return false
  return paneLength(assigner) * MOST_PANES_PER_SLIDE >= assigner.slideMs
}

/**
 * Sliding windows in event time by panes, with results as if each record were added to each of its windows, provided
 * that the order of records does not matter to the aggregate function.
 */
export function createPaneWindowOperator<K, T>(
  context: OperatorContext,
  options: PaneOptions<K, T>,
  groupFrom = GROUP_FROM,
): StreamOperator {
  const { assigner, aggregation } = options
  const { sizeMs, slideMs, offsetMs } = assigner
  const code = aggregationCode(aggregation)
  const numbers = numberCodeOf(aggregation)
  const contents = new PaneContents(
    context,
    { sizeMs, slideMs, offsetMs },
    code.function as never,
    numbers?.fields,
  )
  /** Of the pane looked up last: [0] start, [1] end, [2] watermark. An impossible pane at first. */
  const current = floatCells([1, 0, MIN_WATERMARK])
  const late = new LateRecords(context, options.lateTag)
  const layout = new WindowLayout(context, `panes of ${sizeMs} ms every ${slideMs} ms, offset ${offsetMs} ms`)
  const missing = missingTimestamp(context)
  const writer = context.generate<TableWriter>(
    CURRENT_TABLE_NAMES,
    currentTableCode(code, groupFrom, numbers),
    [
      code.function,
      options.keySelector,
      context.timestamp,
      current,
      (time: number, value: unknown) => {
        if (Number.isNaN(time)) throw missing(value)
        const start = alignedStart(time, offsetMs, contents.paneMs)
        const table = contents.table(start, current[2] as number)
        if (table === undefined) {
          late.add(value)
          return undefined
        }
        current[0] = start
        current[1] = start + contents.paneMs
        return table
      },
      failureAtRecord(context, code.functionName),
      failureAtRecord(context, 'the key selector'),
      rejectPromise(context, code.functionName),
    ],
  )
  const emit = emitAlignedWindow(context, options, code, () => current[2] as number)

  return {
    processElement: writer.push,
    ...lifecyclesOf(context, options, {
      check: () => {
        layout.check()
        contents.restore()
      },
      snapshotState: () => {
        layout.snapshot()
        contents.snapshot()
      },
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
      contents.prepareSnapshot()
    },
    finish: () => late.finish(),
  }
}
