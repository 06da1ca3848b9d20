import { defineError } from '@flink-ts/common'

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
