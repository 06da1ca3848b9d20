import { userOutputOf } from '../builtin/user-output.ts'
import {
  MAX_WATERMARK,
  type OperatorContext,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import { MissingTimestamp } from '../errors.ts'
import { describeValue, failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'
import { LateRecords } from './late-records.ts'
import { lifecyclesOf } from './lifecycles.ts'
import type { Window } from './time-window.ts'
import { TriggerCalls } from './trigger-calls.ts'
import { isFire, isPurge, type TriggerResult } from './triggers/trigger.ts'
import { aggregationCode, EmittedAccumulators } from './window-aggregation.ts'
import { clearFunctionOf, emitContentsOf } from './window-contents-emission.ts'
import { WindowLayout } from './window-layout.ts'
import { WindowNames } from './window-names.ts'
import type { WindowOptions } from './window-options.ts'
import { WindowProcessContext } from './window-process-context.ts'

/**
 * Windows of any kind that do not merge: each record is added to its windows, the trigger decides when they are emitted.
 * State: contents by window and key; timers of the trigger and of the end of each window's life.
 */
export function createWindowOperator<K, T, W extends Window>(
  context: OperatorContext,
  options: WindowOptions<K, T, W>,
): StreamOperator {
  const { assigner, evictor, aggregation } = options
  const isEventTime = assigner.isEventTime
  const latenessMs = isEventTime ? (options.allowedLatenessMs ?? 0) : 0
  const backend = context.keyedState
  const contents = backend.namespacedState<unknown>({ kind: 'aggregating', name: 'window-contents' })
  const names = new WindowNames<W>(context, assigner.windowSerializer)
  const late = new LateRecords(context, options.lateTag)
  const layout = new WindowLayout(context, evictor === undefined ? 'windows' : 'windows with evictor')
  const emitted = new EmittedAccumulators()
  const code = aggregationCode(
    evictor === undefined ? aggregation : { type: 'list' },
    evictor === undefined ? 'value' : '{ value, timestamp: time }',
  )

  const timers = new InternalTimerService(context, 'window-timers', {
    eventTime: (timestamp, namespace) => onTimer(true, timestamp, namespace as string | number),
    processingTime: (timestamp, namespace) => onTimer(false, timestamp, namespace as string | number),
  })
  const userOutput = userOutputOf(context)
  const processContext = new WindowProcessContext<W>(context, userOutput, {
    merging: false,
    currentWatermark: () => timers.currentWatermark(),
  })
  const trigger = new TriggerCalls<T, W>(context, options.trigger ?? assigner.getDefaultTrigger(), timers)
  const emitContents = emitContentsOf(context, options, { processContext, userOutput, emitted })
  const clearFunction = clearFunctionOf(context, options, processContext, userOutput)

  const cleanupTime = (window: W): number => Math.min(window.maxTimestamp() + latenessMs, MAX_WATERMARK)

  /** Does what the trigger said. */
  const act = (result: TriggerResult, key: unknown, window: W, namespace: string | number): void => {
    const table = contents.existing(namespace)
    const entry = table?.find(key)
    if (table === undefined || entry === undefined) return
    let empty = false
    if (isFire(result)) {
      processContext.namespace = namespace
      empty = !emitContents(key, window, entry, !isPurge(result))
    }
    if (!empty && !isPurge(result)) return
    table.remove(key)
    if (table.size === 0) contents.drop(namespace)
  }

  const clearWindow = (key: unknown, window: W, namespace: string | number): void => {
    act('PURGE', key, window, namespace)
    trigger.clear(window)
    clearFunction(window, namespace)
  }

  const onTimer = (eventTime: boolean, timestamp: number, namespace: string | number): void => {
    const key = backend.currentKey()
    const window = names.window(namespace)
    trigger.at(namespace)
    const result = eventTime
      ? trigger.onEventTime(timestamp, window)
      : trigger.onProcessingTime(timestamp, window)
    if (result !== 'CONTINUE') act(result, key, window, namespace)
    if (eventTime === isEventTime && timestamp === cleanupTime(window)) clearWindow(key, window, namespace)
  }

  const processElement = context.generate<Push>(
    [
      ...[
        'f',
        'keyOf',
        'backend',
        'register',
        'assign',
        'names',
        'contents',
        'trigger',
        'act',
        'timers',
        'late',
      ],
      ...['emitted', 'failed', 'failedKey', 'rejectPromise', 'missing'],
    ],
    `let first = true
let lastWindow, lastNamespace
return value => {
  const time = register[0]
  ${isEventTime ? 'if (time !== time) throw missing(value)' : ''}
  let key
  try { key = keyOf(value); backend.setCurrentKey(key) } catch (error) { throw failedKey(error, value) }
  const windows = assign(value, time)
  let skipped = true
  for (let i = 0; i < windows.length; i++) {
    const window = windows[i]
    const cleanup = Math.min(window.maxTimestamp() + ${latenessMs}, ${MAX_WATERMARK})
    ${isEventTime ? 'if (cleanup <= timers.currentWatermark()) continue' : ''}
    skipped = false
    if (window !== lastWindow) { lastNamespace = names.namespace(window); lastWindow = window }
    const namespace = lastNamespace
    const table = contents.table(namespace)
    let entry, next
    try { entry = table.find(key) } catch (error) { throw failedKey(error, value) }
    ${evictor === undefined ? 'emitted.own(entry)' : ''}
    try { next = ${code.add} } catch (error) { throw failed(error, value) }
    if (first) { rejectPromise(next); first = false }
    if (entry === undefined) table.insert(key, next)
    else entry.value = next
    trigger.at(namespace)
    const result = trigger.onElement(value, time, window)
    if (result !== 'CONTINUE') act(result, key, window, namespace)
    if (cleanup < ${MAX_WATERMARK}) timers.${isEventTime ? 'registerEventTime' : 'registerProcessingTime'}(namespace, cleanup)
  }
  ${isEventTime ? `if (skipped && time + ${latenessMs} <= timers.currentWatermark()) late.add(value)` : ''}
}`,
    [
      code.function,
      options.keySelector,
      backend,
      context.timestamp,
      names.checkedAssign(assigner),
      names,
      contents,
      trigger,
      act,
      timers,
      late,
      emitted,
      failureAtRecord(context, code.functionName),
      failureAtRecord(context, 'the key selector'),
      rejectPromise(context, code.functionName),
      (value: unknown) =>
        MissingTimestamp({ operator: context.operatorName, record: `record ${describeValue(value)}` }),
    ],
  )

  return {
    processElement,
    ...lifecyclesOf(context, options, {
      check: () => layout.check(),
      open: () => timers.open(),
      snapshotState: () => {
        layout.snapshot()
        timers.snapshot()
      },
      close: () => timers.close(),
    }),
    advanceWatermark: watermark => timers.advanceWatermark(watermark),
    finish: () => late.finish(),
  }
}
