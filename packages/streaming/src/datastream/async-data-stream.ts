import {
  type AsyncFunction,
  type AsyncKeyedProcessFunction,
  type AsyncMapFunction,
  type AsyncRetryStrategy,
  asyncKeyedProcessOperator,
  asyncWaitOperator,
  type Duration,
  durationMs,
  type KeySelector,
  lifecycleOnly,
  type OperatorFactory,
} from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'
import type { DataStream } from './data-stream.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'

/** Records in flight in one subtask unless said otherwise, as in Flink. */
const DEFAULT_CAPACITY = 100

/** How asynchronous work is done for the records of a stream. */
export interface AsyncOptions<R> {
  /** Records in flight at a time in each subtask; 100 if absent. When it is reached, no more records are taken. */
  readonly capacity?: number
  /** Results leave in the order of their records (true, the default), or as they come. Watermarks are never passed. */
  readonly ordered?: boolean
  /** For all tries of one record together; without limit if absent. */
  readonly timeout?: Duration
  /** What is tried again; nothing if absent. */
  readonly retry?: AsyncRetryStrategy<R>
}

/** How asynchronous work with keyed state is done. */
export type AsyncProcessOptions = Pick<AsyncOptions<unknown>, 'capacity' | 'timeout'>

/** {@link AsyncOptions} of `mapAsync`. */
export interface AsyncMapOptions<T, R> extends AsyncOptions<R> {
  /** The result of a record whose time is up. Absent: the job fails. */
  readonly onTimeout?: (value: T) => R
}

/** The operator of an asynchronous function. `call`: the user's, for messages. */
export function asyncOperator<T, R>(
  call: string,
  asyncFunction: AsyncFunction<T, R>,
  options: AsyncOptions<R>,
): OperatorFactory {
  requireFunction(call, 'asyncInvoke', asyncFunction, { objectOnly: true, mayBeAsync: true })
  const { ordered = true, retry } = options
  return asyncWaitOperator(asyncFunction, {
    ...limitsOf(call, options),
    ordered,
    retry: retry as AsyncRetryStrategy | undefined,
  })
}

/** The operator of `asyncProcess`. */
export function asyncProcessOperator<K, T, R>(
  keySelector: KeySelector<T, K>,
  processFunction: AsyncKeyedProcessFunction<K, T, R>,
  options: AsyncProcessOptions,
): OperatorFactory {
  requireFunction('asyncProcess', 'processElement', processFunction, { objectOnly: true, mayBeAsync: true })
  return asyncKeyedProcessOperator(keySelector, processFunction, limitsOf('asyncProcess', options))
}

function limitsOf(
  call: string,
  { capacity = DEFAULT_CAPACITY, timeout }: AsyncProcessOptions,
): { readonly capacity: number; readonly timeoutMs: number | undefined } {
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw InvalidArgument({
      call,
      value: `the capacity ${String(capacity)}`,
      expected: 'a whole number of records from 1',
    })
  }
  return { capacity, timeoutMs: timeout === undefined ? undefined : durationMs(timeout, call, 1) }
}

/** The operator of `mapAsync`. */
export function asyncMapOperator<T, R>(
  mapper: AsyncMapFunction<T, R>,
  options: AsyncMapOptions<T, R>,
): OperatorFactory {
  requireFunction('mapAsync', 'map', mapper, { mayBeAsync: true })
  const { onTimeout } = options
  const asyncFunction: AsyncFunction<T, R> = {
    ...lifecycleOnly(mapper),
    asyncInvoke: async (value, _future, context) => [
      await (typeof mapper === 'function' ? mapper(value, context) : mapper.map(value, context)),
    ],
    ...(onTimeout === undefined ? {} : { timeout: (value, future) => future.complete([onTimeout(value)]) }),
  }
  return asyncOperator('mapAsync', asyncFunction, options)
}

/**
 * Asynchronous work for the records of a stream, under Flink's names. `stream.mapAsync` and `stream.flatMapAsync` do
 * the same with an options object.
 * @example AsyncDataStream.unorderedWait(orders, new CustomerLookup(), '5 s', 200)
 */
export const AsyncDataStream = {
  /** Results in the order of their records. `timeout` is for all tries of one record together. */
  orderedWait<T, R>(
    stream: DataStream<T>,
    asyncFunction: AsyncFunction<T, R>,
    timeout: Duration,
    capacity: number = DEFAULT_CAPACITY,
  ): SingleOutputStreamOperator<R> {
    return stream.flatMapAsync(asyncFunction, { timeout, capacity, ordered: true })
  },

  /** Results as they come, but never past a watermark. */
  unorderedWait<T, R>(
    stream: DataStream<T>,
    asyncFunction: AsyncFunction<T, R>,
    timeout: Duration,
    capacity: number = DEFAULT_CAPACITY,
  ): SingleOutputStreamOperator<R> {
    return stream.flatMapAsync(asyncFunction, { timeout, capacity, ordered: false })
  },

  /** {@link AsyncDataStream.orderedWait}, with further tries. */
  orderedWaitWithRetry<T, R>(
    stream: DataStream<T>,
    asyncFunction: AsyncFunction<T, R>,
    timeout: Duration,
    capacity: number,
    retry: AsyncRetryStrategy<NoInfer<R>>,
  ): SingleOutputStreamOperator<R> {
    return stream.flatMapAsync(asyncFunction, { timeout, capacity, retry, ordered: true })
  },

  /** {@link AsyncDataStream.unorderedWait}, with further tries. */
  unorderedWaitWithRetry<T, R>(
    stream: DataStream<T>,
    asyncFunction: AsyncFunction<T, R>,
    timeout: Duration,
    capacity: number,
    retry: AsyncRetryStrategy<NoInfer<R>>,
  ): SingleOutputStreamOperator<R> {
    return stream.flatMapAsync(asyncFunction, { timeout, capacity, retry, ordered: false })
  },
} as const
