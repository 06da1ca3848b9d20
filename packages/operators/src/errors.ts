import { defineError } from '@flink-ts/common'

/** A cached file that the program has not registered. */
export const CachedFileUnknown = defineError<{ operator: string; name: string; known: readonly string[] }>({
  code: 'operators.cached-file-unknown',
  domain: 'user',
  retry: 'no',
  message: d =>
    `'${d.operator}' asks for the cached file '${d.name}' (there are: ${d.known.join(', ') || 'none'}): register it with ` +
    `env.registerCachedFile(path, '${d.name}') before execute.`,
})

/** A broadcast variable that the operator does not have. */
export const BroadcastVariableUnknown = defineError<{
  operator: string
  name: string
  known: readonly string[]
}>({
  code: 'operators.broadcast-variable-unknown',
  domain: 'user',
  retry: 'no',
  message: d =>
    `'${d.operator}' has no broadcast variable '${d.name}' (it has: ${d.known.join(', ') || 'none'}): give it one by ` +
    `.withBroadcastSet(stream, '${d.name}').`,
})

/** User code threw while a record, timer or window was processed. Its own error is the cause, its stack comes first. */
export const UserFunctionFailed = defineError<{
  operator: string
  function: string
  subtask: number
  input: string
  error: string
}>({
  code: 'operators.user-function-failed',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `${d.error} (thrown by ${d.function} of operator '${d.operator}', subtask ${d.subtask}, at ${d.input})`,
})

/** A record that the declared schema of its stream does not allow. */
export const SchemaRefused = defineError<{
  operator: string
  subtask: number
  field: string
  value: string
  problem: string
  more: number
  record: string
  place: string | undefined
}>({
  code: 'operators.schema-refused',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' (subtask ${d.subtask}) gave a record that its schema` +
    `${d.place === undefined ? '' : ` (returns at ${d.place})`} refuses: ${d.field} is ${d.value}: ${d.problem}` +
    `${d.more === 0 ? '' : ` (and ${d.more} more)`}. The record: ${d.record}. Correct what makes it, filter such records ` +
    'out before, or declare what they are.',
})

/** A function writes to a record that others have too. Found in development, where records are frozen. */
export const RecordChanged = defineError<{
  operator: string
  function: string
  subtask: number
  field: string
  input: string
}>({
  code: 'operators.record-changed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' (subtask ${d.subtask}): ${d.function} changes the field '${d.field}' of a record that it was ` +
    `handed or that was emitted before, at ${d.input}. Others have the same object: emit a new one, such as ` +
    '{ ...record, field: value }. (Found because pipeline.check-records is on, as it is where jobs run in the ' +
    'process of their program.)',
})

/** A synchronous function returned a promise. */
export const AsyncFunctionNotSupported = defineError<{ operator: string; function: string }>({
  code: 'operators.async-function-not-supported',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.function} of operator '${d.operator}' returns a promise, but records are processed synchronously: make the ` +
    'function synchronous, and do asynchronous work with the async I/O operator or before the job (env.capture).',
})

/** A flatMap function returned something that is no list of results. */
export const InvalidFlatMapResult = defineError<{ operator: string; result: string }>({
  code: 'operators.invalid-flat-map-result',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The flatMap function of operator '${d.operator}' returned ${d.result}: return an array or another iterable of ` +
    'results (not a string), or nothing and call out(value).',
})

/** A timestamp assigner gave something that is no time. */
export const InvalidTimestamp = defineError<{ operator: string; timestamp: string; record: string }>({
  code: 'operators.invalid-timestamp',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The timestamp assigner of operator '${d.operator}' returned ${d.timestamp} for ${d.record}: return milliseconds ` +
    'since the epoch as a number (date.getTime(), not the Date).',
})

/** A record without event time came to an operator that needs it. */
export const MissingTimestamp = defineError<{ operator: string; record: string }>({
  code: 'operators.missing-timestamp',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' works in event time, but ${d.record} has no timestamp: give the source a watermark ` +
    'strategy with withTimestampAssigner, or call assignTimestampsAndWatermarks before it.',
})

/** A timer was asked for at something that is no time. */
export const InvalidTimerTime = defineError<{ operator: string; timestamp: string }>({
  code: 'operators.invalid-timer-time',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' registers a timer at ${d.timestamp}: give milliseconds since the epoch.`,
})

/** Timers outside keyBy. */
export const TimerOutsideKeyBy = defineError<{ operator: string }>({
  code: 'operators.timer-outside-key-by',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' registers a timer, but its stream has no keys: call keyBy before process.`,
})

/** One object as the function of two operators: its fields, and the state it holds, would be those of the last. */
export const FunctionShared = defineError<{ first: string; second: string }>({
  code: 'operators.function-shared',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The operators '${d.first}' and '${d.second}' have the same object as their function, and it has a life cycle: give ` +
    'each an object of its own, made by new or by a function.',
})

/** Keyed state outside keyBy. */
export const KeyedStateOutsideKeyBy = defineError<{ operator: string; state: string }>({
  code: 'operators.keyed-state-outside-key-by',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' asks for the keyed state '${d.state}', but its stream has no keys: use it in ` +
    'keyBy(...).process(...).',
})

/** A duration that cannot be understood. */
export const InvalidDuration = defineError<{ what: string; value: string; minimumMs: number }>({
  code: 'operators.invalid-duration',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.what}: ${d.value} is no valid duration: give '10 s', whole milliseconds, or { minutes: 1 }, of at least ` +
    `${d.minimumMs} ms.`,
})

/** An argument of a source or sink makes no sense. */
export const InvalidArgument = defineError<{ what: string; value: string; expected: string }>({
  code: 'operators.invalid-argument',
  domain: 'user',
  retry: 'no',
  message: d => `${d.what} got ${d.value}: give ${d.expected}.`,
})

/** Standard output is gone. */
export const PrintFailed = defineError<{ error: string }>({
  code: 'operators.print-failed',
  domain: 'external',
  retry: 'no',
  message: d =>
    `Cannot write to standard output: ${d.error}. Direct the output to a file, or use another sink.`,
})

/** An asynchronous call took too long. */
export const AsyncTimeout = defineError<{ operator: string; timeoutMs: number; record: string }>({
  code: 'operators.async-timeout',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `The asynchronous function of operator '${d.operator}' gave no result for record ${d.record} within ` +
    `${d.timeoutMs} ms, retries included: raise the timeout, or give results for such records by a timeout function.`,
})

/** A trigger without support for merging in a window that merges. */
export const TriggerCannotMerge = defineError<{ trigger: string }>({
  code: 'operators.trigger-cannot-merge',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.trigger} does not support windows that merge (sessions): use another trigger, or give it canMerge() that ` +
    'returns true and onMerge(window, context).',
})

/** A trigger returned something else than a TriggerResult. */
export const InvalidTriggerResult = defineError<{ operator: string; method: string; result: string }>({
  code: 'operators.invalid-trigger-result',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.method} of the trigger of operator '${d.operator}' returned ${d.result}: return 'CONTINUE', 'FIRE', 'PURGE' ` +
    "or 'FIRE_AND_PURGE'.",
})

/** A window assigner gave windows that cannot be. */
export const InvalidWindow = defineError<{ operator: string; window: string; expected: string }>({
  code: 'operators.invalid-window',
  domain: 'user',
  retry: 'no',
  message: d => `The window assigner of operator '${d.operator}' returned ${d.window}: return ${d.expected}.`,
})

/** A gap of a session that is no time. */
export const InvalidSessionGap = defineError<{ gap: string; record: string }>({
  code: 'operators.invalid-session-gap',
  domain: 'user',
  retry: 'no',
  message: d => `The gap of a session is ${d.gap} for ${d.record}: return milliseconds, more than 0.`,
})

/** State of a window that may become part of another one. */
export const WindowStateWithMergingWindows = defineError<{ operator: string; state: string }>({
  code: 'operators.window-state-with-merging-windows',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' asks for the state '${d.state}' of a window, but its windows merge (sessions): use ` +
    'context.globalState, which is that of the key.',
})

/** State of windows was written by a windowed stream that kept them in another way. */
export const WindowLayoutChanged = defineError<{ operator: string; stored: string; requested: string }>({
  code: 'operators.window-layout-changed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The state of operator '${d.operator}' holds windows of the kind ${d.stored}, the program now has ${d.requested}: ` +
    'keep the window, its trigger, evictor, allowed lateness and kind of function as they were, or give the operator ' +
    'a new uid, which begins with empty windows.',
})

/** Two metrics of one name in one group. */
export const MetricExists = defineError<{ operator: string; name: string }>({
  code: 'operators.metric-exists',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' registers the metric '${d.name}' twice: give each its own name or group, and register ` +
    'it once, in open.',
})

/** Two accumulators of one name in one operator. */
export const AccumulatorExists = defineError<{ operator: string; name: string }>({
  code: 'operators.accumulator-exists',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' adds the accumulator '${d.name}' twice: give each its own name, or get the existing one ` +
    'with getAccumulator.',
})

/** A broadcast state that the stream was not broadcast with. */
export const UnknownBroadcastState = defineError<{ operator: string; state: string; known: string }>({
  code: 'operators.unknown-broadcast-state',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' asks for the broadcast state '${d.state}', but the stream was broadcast with ` +
    `${d.known === '' ? 'none' : d.known}: give its descriptor to broadcast(...) as well.`,
})

/** An enumerator gave a split to a reader that has not started or has failed. */
export const ReaderNotRegistered = defineError<{
  source: string
  subtaskIndex: number
  registered: readonly number[]
}>({
  code: 'operators.reader-not-registered',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `The enumerator of source '${d.source}' assigns a split to reader ${d.subtaskIndex}, but only the readers ` +
    `[${d.registered.join(', ')}] are registered: assign splits to readers in context.registeredReaders() only, and ` +
    'forget readers when addSplitsBack names them.',
})

/** An enumerator gave a split to a reader after it had said that there are no more. */
export const SplitAfterNoMore = defineError<{ source: string; subtaskIndex: number }>({
  code: 'operators.split-after-no-more',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `The enumerator of source '${d.source}' assigns a split to reader ${d.subtaskIndex} after signalNoMoreSplits for ` +
    'it: the reader may have ended. Signal only when no split can come any more.',
})

/** A source that can say nothing about its splits. */
export const SourceWithoutSplits = defineError<{ source: string; problem: string }>({
  code: 'operators.source-without-splits',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The source '${d.source}' ${d.problem}: give it createEnumerator and restoreEnumerator, or enumerateSplits if all ` +
    'its splits are known at the start.',
})

/** A watermark generator gave something that is no time. */
export const InvalidWatermark = defineError<{ operator: string; watermark: string }>({
  code: 'operators.invalid-watermark',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The watermark generator of operator '${d.operator}' emitted ${d.watermark}: give milliseconds since the epoch.`,
})

/** A socket source has lost its server for good. */
export const SocketFailed = defineError<{ address: string; reason: string }>({
  code: 'operators.socket-failed',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The socket source cannot read from ${d.address}: ${d.reason}. Start the server first, or give the source more ` +
    'retries (maxRetries).',
})

/** Requests of an async sink failed for good. */
export const AsyncSinkFailed = defineError<{ attempts: number; reason: string }>({
  code: 'operators.async-sink-failed',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `Requests of an async sink failed ${d.attempts} times in a row: ${d.reason}. See to the service, or give the sink ` +
    'more retries (maxRetries, maxRetryDelay).',
})

/** A context of an asynchronous call is used when the call is over. */
export const AsyncCallOver = defineError<{ operator: string }>({
  code: 'operators.async-call-over',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' uses the context or the collector of a call whose promise has settled: await all work ` +
    'before processElement or onTimer ends.',
})

/** State for the whole operator in an asynchronous function. */
export const AsyncStateInOpen = defineError<{ operator: string; state: string }>({
  code: 'operators.async-state-in-open',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' asks for the keyed state '${d.state}' in open, but its calls of different keys run at the ` +
    'same time: take the state from the context of processElement or onTimer.',
})

/** More records come back in a loop than its head can keep. */
export const FeedbackOverflow = defineError<{ operator: string; records: number; maxFeedback: number }>({
  code: 'operators.feedback-overflow',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.records} records wait to enter the loop of operator '${d.operator}' again, and more come: let fewer records out ` +
    `of its body than go in, or raise maxFeedback (${d.maxFeedback}).`,
})

/** A record comes back when its loop has ended. */
export const FeedbackAfterEnd = defineError<{ operator: string; maxWaitMs: number }>({
  code: 'operators.feedback-after-end',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `A record came back to operator '${d.operator}' after nothing had for ${d.maxWaitMs} ms at the end of the input: ` +
    'raise maxWait of iterate to more than the body of the loop takes.',
})

/** The two ends of a loop are not in the same slot. */
export const IterationApart = defineError<{ operator: string }>({
  code: 'operators.iteration-apart',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' finds no beginning of its loop in its slot: keep all operators of a loop in one slot ` +
    'sharing group.',
})

/** `getRuntimeContext` before the operator opens the function. */
export const RuntimeContextTooEarly = defineError<{ function: string }>({
  code: 'operators.runtime-context-too-early',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.function} asks for its runtime context before it is opened: do that in open(context), not in the constructor.`,
})
