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
import type { MergingWindowAssigner } from './assigners/window-assigner.ts'
import { LateRecords } from './late-records.ts'
import { lifecyclesOf } from './lifecycles.ts'
import { type Merge, type MergingWindow, mergesOf } from './merging-windows.ts'
import { TimeWindow } from './time-window.ts'
import { TriggerCalls } from './trigger-calls.ts'
import { isFire, isPurge, type TriggerResult } from './triggers/trigger.ts'
import { aggregationCode, EmittedAccumulators } from './window-aggregation.ts'
import { clearFunctionOf, emitContentsOf } from './window-contents-emission.ts'
import { WindowLayout } from './window-layout.ts'
import { WindowNames } from './window-names.ts'
import type { WindowOptions } from './window-options.ts'
import { WindowProcessContext } from './window-process-context.ts'

type Windows = MergingWindow[]

/**
 * Windows that merge: sessions. State: the windows of each key with their contents in one entry, so that merging moves
 * nothing; timers of the trigger and of the end of each window's life.
 */
export function createMergingWindowOperator<K, T>(
  context: OperatorContext,
  options: WindowOptions<K, T, TimeWindow> & { readonly assigner: MergingWindowAssigner<T> },
): StreamOperator {
  const { assigner, evictor, aggregation } = options
  const isEventTime = assigner.isEventTime
  const latenessMs = isEventTime ? (options.allowedLatenessMs ?? 0) : 0
  const backend = context.keyedState
  const sessions = backend
    .namespacedState<Windows>({ kind: 'internal', name: 'window-sessions' })
    .table(undefined)
  const names = new WindowNames<TimeWindow>(context, undefined)
  const late = new LateRecords(context, options.lateTag)
  const layout = new WindowLayout(context, evictor === undefined ? 'sessions' : 'sessions with evictor')
  const emitted = new EmittedAccumulators()
  const code = aggregationCode(
    evictor === undefined ? aggregation : { type: 'list' },
    evictor === undefined ? 'value' : '{ value, timestamp: time }',
  )
  const failedFunction = failureAtRecord(context, code.functionName)
  const merge = context.generate<(left: unknown, right: unknown) => unknown>(
    ['f'],
    `return (left, right) => ${code.merge}`,
    [code.function],
  )

  const timers = new InternalTimerService(context, 'window-timers', {
    eventTime: (timestamp, namespace) => onTimer(true, timestamp, namespace as string),
    processingTime: (timestamp, namespace) => onTimer(false, timestamp, namespace as string),
  })
  const userOutput = userOutputOf(context)
  const processContext = new WindowProcessContext<TimeWindow>(context, userOutput, {
    merging: true,
    currentWatermark: () => timers.currentWatermark(),
  })
  const trigger = new TriggerCalls<T, TimeWindow>(
    context,
    options.trigger ?? assigner.getDefaultTrigger(),
    timers,
  )
  const emitContents = emitContentsOf(context, options, { processContext, userOutput, emitted })
  const clearFunction = clearFunctionOf(context, options, processContext, userOutput)

  const cleanupTime = (window: TimeWindow): number =>
    Math.min(window.maxTimestamp() + latenessMs, MAX_WATERMARK)
  const nameOf = (window: MergingWindow): string => `${window.start},${window.end}`
  const findMerges = mergesOf(assigner)

  const deleteCleanup = (window: TimeWindow, namespace: string): void => {
    if (isEventTime) timers.deleteEventTime(namespace, cleanupTime(window))
    else timers.deleteProcessingTime(namespace, cleanupTime(window))
  }

  /** Takes the place of the windows that are merged. */
  const mergeInto = (windows: Windows, { merged, result }: Merge): MergingWindow => {
    const [first] = merged
    if (
      merged.length === 1 &&
      first !== undefined &&
      first.start === result.start &&
      first.end === result.end
    ) {
      return first
    }
    trigger.at(`${result.start},${result.end}`)
    trigger.onMerge(result, merged.map(nameOf))
    let value: unknown
    for (const window of merged) {
      const name = nameOf(window)
      trigger.at(name)
      const old = new TimeWindow(window.start, window.end)
      trigger.clear(old)
      deleteCleanup(old, name)
      windows.splice(windows.indexOf(window), 1)
      if (window.value === undefined) continue
      emitted.own(window)
      value = value === undefined ? window.value : merge(value, window.value)
    }
    const joined: MergingWindow = { start: result.start, end: result.end, value }
    windows.push(joined)
    return joined
  }

  /** The window of a key that `added` belongs to from now on. */
  const addWindow = (windows: Windows, added: TimeWindow, value: unknown): MergingWindow => {
    let target: MergingWindow | undefined
    let merges: readonly Merge[]
    try {
      merges = findMerges(windows, added)
    } catch (error) {
      throw failedFunction(error, value)
    }
    for (const each of merges) {
      let joined: MergingWindow
      try {
        joined = mergeInto(windows, each)
      } catch (error) {
        throw failedFunction(error, value)
      }
      if (each.withNew) target = joined
    }
    if (target !== undefined) return target
    target = { start: added.start, end: added.end, value: undefined }
    windows.push(target)
    return target
  }

  /** Does what the trigger said. */
  const act = (result: TriggerResult, key: unknown, session: MergingWindow, window: TimeWindow): void => {
    if (session.value === undefined) return
    const empty = isFire(result) && !emitContents(key, window, session)
    if (empty || isPurge(result)) session.value = undefined
  }

  const onTimer = (eventTime: boolean, timestamp: number, namespace: string): void => {
    const key = backend.currentKey()
    const window = names.window(namespace)
    const windows = sessions.find(key)?.value
    const session = windows?.find(each => each.start === window.start && each.end === window.end)
    // A trigger may leave timers of windows that were merged.
    if (windows === undefined || session === undefined) return
    trigger.at(namespace)
    const result = eventTime
      ? trigger.onEventTime(timestamp, window)
      : trigger.onProcessingTime(timestamp, window)
    if (result !== 'CONTINUE') act(result, key, session, window)
    if (eventTime !== isEventTime || timestamp !== cleanupTime(window)) return
    trigger.clear(window)
    clearFunction(window, namespace)
    windows.splice(windows.indexOf(session), 1)
    if (windows.length === 0) sessions.remove(key)
  }

  /** Adds a record to its window; false if that is late. */
  const addToWindow = (key: unknown, value: unknown, time: number, added: TimeWindow): boolean => {
    const entry = sessions.find(key) ?? sessions.insert(key, [])
    const windows = entry.value
    const session = addWindow(windows, added, value)
    const window = session.start === added.start && session.end === added.end ? added : windowOf(session)
    const cleanup = cleanupTime(window)
    if (isEventTime && cleanup <= timers.currentWatermark()) {
      windows.splice(windows.indexOf(session), 1)
      if (windows.length === 0) sessions.remove(key)
      return false
    }
    addTo(session, value, time)
    const namespace = nameOf(session)
    trigger.at(namespace)
    const result = trigger.onElement(value as T, time, window)
    if (result !== 'CONTINUE') act(result, key, session, window)
    if (cleanup >= MAX_WATERMARK) return true
    if (isEventTime) timers.registerEventTime(namespace, cleanup)
    else timers.registerProcessingTime(namespace, cleanup)
    return true
  }

  const addTo = context.generate<(session: MergingWindow, value: unknown, time: number) => void>(
    ['f', 'emitted', 'failed', 'rejectPromise'],
    `let first = true
return (session, value, time) => {
  let entry = session.value === undefined ? undefined : session
  ${evictor === undefined ? 'emitted.own(entry)' : ''}
  let next
  try { next = ${code.add} } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(next); first = false }
  session.value = next
}`,
    [code.function, emitted, failedFunction, rejectPromise(context, code.functionName)],
  )

  const processElement = context.generate<Push>(
    ['keyOf', 'backend', 'register', 'assign', 'addToWindow', 'timers', 'late', 'failedKey', 'missing'],
    `return value => {
  const time = register[0]
  ${isEventTime ? 'if (time !== time) throw missing(value)' : ''}
  let key
  try { key = keyOf(value); backend.setCurrentKey(key) } catch (error) { throw failedKey(error, value) }
  const windows = assign(value, time)
  let skipped = true
  for (let i = 0; i < windows.length; i++) {
    if (addToWindow(key, value, time, windows[i])) skipped = false
  }
  ${isEventTime ? `if (skipped && time + ${latenessMs} <= timers.currentWatermark()) late.add(value)` : ''}
}`,
    [
      options.keySelector,
      backend,
      context.timestamp,
      names.checkedAssign(assigner),
      addToWindow,
      timers,
      late,
      failureAtRecord(context, 'the key selector'),
      (value: unknown) =>
        MissingTimestamp({ operator: context.operatorName, record: `record ${describeValue(value)}` }),
    ],
  )

  return {
    processElement,
    ...lifecyclesOf(context, options, {
      check: () => layout.check(),
      open: () => timers.open(),
      snapshotState: () => layout.snapshot(),
      close: () => timers.close(),
    }),
    advanceWatermark: watermark => timers.advanceWatermark(watermark),
    finish: () => late.finish(),
  }
}

const windowOf = (window: MergingWindow): TimeWindow => new TimeWindow(window.start, window.end)
