import { userOutputOf } from '../builtin/user-output.ts'
import {
  MAX_WATERMARK,
  type OperatorContext,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import { MissingTimestamp } from '../errors.ts'
import { describeValue, failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import type { MergingWindowAssigner } from './assigners/window-assigner.ts'
import { LateRecords } from './late-records.ts'
import { lifecyclesOf } from './lifecycles.ts'
import { isPlain, type MergingLifeOptions, PlainLife, TriggeredLife } from './merging-window-life.ts'
import { type Merge, type MergingWindow, mergesOf } from './merging-windows.ts'
import { TimeWindow } from './time-window.ts'
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

  const userOutput = userOutputOf(context)
  const processContext = new WindowProcessContext<TimeWindow>(context, userOutput, {
    merging: true,
    currentWatermark: () => life.timers.currentWatermark(),
  })
  const emitContents = emitContentsOf(context, options, { processContext, userOutput, emitted })
  const clearFunction = clearFunctionOf(context, options, processContext, userOutput)

  const cleanupTime = (window: TimeWindow): number =>
    Math.min(window.maxTimestamp() + latenessMs, MAX_WATERMARK)
  const findMerges = mergesOf(assigner)

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
    const timer = life.merge(result, merged)
    let value: unknown
    for (const window of merged) {
      windows.splice(windows.indexOf(window), 1)
      if (window.value === undefined) continue
      emitted.own(window)
      value = value === undefined ? window.value : merge(value, window.value)
    }
    const joined: MergingWindow = { start: result.start, end: result.end, value }
    if (timer !== undefined) joined.timer = timer
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
  const act = (result: TriggerResult, session: MergingWindow, window: TimeWindow): void => {
    if (session.value === undefined) return
    const purge = isPurge(result)
    const empty = isFire(result) && !emitContents(backend.currentKey(), window, session, !purge)
    if (empty || purge) session.value = undefined
  }

  const remove = (key: unknown, windows: Windows, session: MergingWindow): void => {
    windows.splice(windows.indexOf(session), 1)
    if (windows.length === 0) sessions.remove(key)
  }

  const lifeOptions: MergingLifeOptions<T> = {
    trigger: options.trigger ?? assigner.getDefaultTrigger(),
    ...{ isEventTime, cleanupTime, names },
    actions: {
      windows: () => sessions.find(backend.currentKey())?.value,
      act,
      end: (windows, session, window) => {
        clearFunction(window, '')
        remove(backend.currentKey(), windows, session)
      },
    },
  }
  const plain = isPlain(lifeOptions)
  const life = plain ? new PlainLife<T>(context, lifeOptions) : new TriggeredLife<T>(context, lifeOptions)
  const { timers } = life
  const kind = plain ? 'sessions' : 'sessions with trigger'
  const layout = new WindowLayout(context, evictor === undefined ? kind : `${kind} and evictor`)

  /** Adds a record to its window; false if that is late. */
  const addToWindow = (key: unknown, value: unknown, time: number, added: TimeWindow): boolean => {
    const entry = sessions.find(key) ?? sessions.insert(key, [])
    const windows = entry.value
    const session = addWindow(windows, added, value)
    const window = session.start === added.start && session.end === added.end ? added : windowOf(session)
    if (isEventTime && cleanupTime(window) <= timers.currentWatermark()) {
      remove(key, windows, session)
      return false
    }
    addTo(session, value, time)
    const result = life.added(value as T, time, session, window)
    if (result !== 'CONTINUE') act(result, session, window)
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

const windowOf = (window: MergingWindow): TimeWindow => new TimeWindow(window.start, window.end)
