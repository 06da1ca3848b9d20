import { floatCells } from '@flink-ts/serialization'
import { userOutputOf } from '../builtin/user-output.ts'
import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import { MissingTimestamp } from '../errors.ts'
import type { KeySelector } from '../functions/functions.ts'
import type { JoinContext, ProcessJoinFunction } from '../functions/join-functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import {
  describeValue,
  failureAtRecord,
  rejectPromise,
  userFunctionFailure,
} from '../functions/user-function-failure.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'
import { LATE_RECORDS_DROPPED } from '../windowing/late-records.ts'
import { type BufferedRecords, firstAfter, JoinBuffer } from './join-buffer.ts'

/** What an interval join is made of. */
export interface IntervalJoinOptions<A, B, K> {
  readonly keySelectors: readonly [KeySelector<A, K>, KeySelector<B, K>]
  /** `right - left` is at least this, inclusive. Milliseconds. */
  readonly lowerMs: number
  /** `right - left` is at most this, inclusive. Milliseconds. */
  readonly upperMs: number
  readonly join: ProcessJoinFunction<A, B, unknown>
  /** Side outputs of late records; undefined: they are dropped and counted. */
  readonly lateTags: readonly [string | undefined, string | undefined]
}

/**
 * Joins each record with those of the other side whose time is in its interval, as soon as both are there. A record is
 * late if its time is before the watermark. A left record is kept until the watermark reaches its time plus the upper
 * bound, a right one until its time minus the lower bound, but neither less than its own time. The result has the
 * later of the two times. The order among the partners of one record is that of their times.
 */
export function intervalJoinOperator<A, B, K>(options: IntervalJoinOptions<A, B, K>): OperatorFactory {
  return { kind: 'interval-join', create: context => createIntervalJoin(context, options) }
}

type Side = 'left' | 'right'

function createIntervalJoin<A, B, K>(
  context: OperatorContext,
  options: IntervalJoinOptions<A, B, K>,
): StreamOperator {
  const { lowerMs, upperMs, join: userFunction, keySelectors } = options
  const { keyedState, timestamp: register } = context
  const buffer = (name: string): JoinBuffer =>
    new JoinBuffer(keyedState.namespacedState<BufferedRecords>({ kind: 'internal', name }).table(undefined))
  const left = buffer('left-buffer')
  const right = buffer('right-buffer')
  /** How much longer than its own time a record is kept. */
  const keptMs: Record<Side, number> = { left: Math.max(upperMs, 0), right: Math.max(-lowerMs, 0) }
  const timers = new InternalTimerService(context, 'clean-up', {
    eventTime: (time, namespace) => {
      const own = namespace === 'left' ? left : right
      own.removeUpTo(keyedState.currentKey(), time - keptMs[namespace as Side])
    },
    processingTime: () => undefined,
  })
  const emit = pairEmitter(context, userFunction)
  let late = 0

  const arrive = (
    side: Side,
    own: JoinBuffer,
    other: JoinBuffer,
    bounds: readonly [number, number],
    lateTag: string | undefined,
  ): ((value: unknown, key: unknown) => void) => {
    const lateOutput = lateTag === undefined ? undefined : context.sideOutput(lateTag)
    return (value, key) => {
      const time = register[0] as number
      if (Number.isNaN(time)) {
        throw MissingTimestamp({
          operator: context.operatorName,
          record: `record ${describeValue(value)} of the ${side} input`,
        })
      }
      if (time < timers.currentWatermark()) {
        if (lateOutput === undefined) late++
        else lateOutput(value)
        return
      }
      own.add(key, time, value)
      timers.registerEventTime(side, time + keptMs[side])
      const partners = other.of(key)
      if (partners === undefined) return
      const { times, values } = partners
      const end = firstAfter(partners, time + bounds[1])
      const start = firstAfter(partners, time + bounds[0] - 1)
      for (let i = start; i < end; i++) {
        if (side === 'left') emit(value, values[i], time, times[i] as number)
        else emit(values[i], value, times[i] as number, time)
      }
      register[0] = time
    }
  }
  const processor = (
    keySelector: KeySelector<never, K>,
    accept: (value: unknown, key: unknown) => void,
  ): Push =>
    context.generate<Push>(
      ['keyOf', 'backend', 'accept', 'failedKey'],
      `return value => {
  let key
  try { key = keyOf(value); backend.setCurrentKey(key) } catch (error) { throw failedKey(error, value) }
  accept(value, key)
}`,
      [keySelector, keyedState, accept, failureAtRecord(context, 'the key selector')],
    )
  return {
    processElement: processor(
      keySelectors[0],
      arrive('left', left, right, [lowerMs, upperMs], options.lateTags[0]),
    ),
    processElement2: processor(
      keySelectors[1],
      arrive('right', right, left, [-upperMs, -lowerMs], options.lateTags[1]),
    ),
    ...lifecycleOf(userFunction, context, true, { open: () => timers.open(), close: () => timers.close() }),
    advanceWatermark: watermark => timers.advanceWatermark(watermark),
    finish: () => {
      if (late > 0) context.setAccumulator(LATE_RECORDS_DROPPED, late)
    },
  }
}

type EmitPair = (left: unknown, right: unknown, leftTime: number, rightTime: number) => void

/** Calls the user's function for a pair, with the later time in the register. */
function pairEmitter<A, B>(
  context: OperatorContext,
  userFunction: ProcessJoinFunction<A, B, unknown>,
): EmitPair {
  const output = userOutputOf(context)
  const times = floatCells([0, 0])
  const joinContext: JoinContext = {
    get leftTimestamp() {
      return times[0] as number
    },
    get rightTimestamp() {
      return times[1] as number
    },
    timestamp: () => Math.max(times[0] as number, times[1] as number),
    output: (tag, value) => output.sideOutput(tag.id)(value),
  }
  const plain = typeof userFunction === 'function'
  return context.generate<EmitPair>(
    ['f', 'push', 'out', 'state', 'register', 'times', 'context', 'failed', 'rejectPromise'],
    `let first = true
return (left, right, leftTime, rightTime) => {
  register[0] = leftTime > rightTime ? leftTime : rightTime
  times[0] = leftTime
  times[1] = rightTime
  let result
  try { result = ${plain ? 'f(left, right)' : 'f.processElement(left, right, context, out)'} } catch (error) {
    throw state.failed ? state.error : failed(error, left, right)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(result); first = false }
  ${plain ? 'push(result)' : ''}
}`,
    [
      userFunction,
      context.out,
      output.out,
      output.state,
      context.timestamp,
      times,
      joinContext,
      (error: unknown, left: unknown, right: unknown) =>
        userFunctionFailure(
          context,
          'the join function',
          error,
          `the pair ${describeValue(left)} and ${describeValue(right)}`,
        ),
      rejectPromise(context, 'The join function'),
    ],
  )
}
