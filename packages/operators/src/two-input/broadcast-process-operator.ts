import type { MapStateDescriptor, ReadOnlyBroadcastState, StateDescriptor } from '@flink-ts/state'
import { KeyedContext, timerCall } from '../builtin/keyed-process-context.ts'
import { processContextOf } from '../builtin/process-context.ts'
import { type UserOutput, userOutputOf } from '../builtin/user-output.ts'
import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type {
  BroadcastContext,
  BroadcastProcessFunction,
  KeyedBroadcastContext,
  KeyedBroadcastProcessFunction,
  KeyedReadOnlyOnTimerContext,
  ReadOnlyContext,
  StateOf,
} from '../functions/broadcast-functions.ts'
import type { KeySelector } from '../functions/functions.ts'
import { lifecycleOf } from '../functions/rich-function.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'
import { BroadcastStates } from './broadcast-states.ts'

type Descriptors = readonly MapStateDescriptor<unknown, unknown>[]

/** Operator of `connect(broadcastStream).process(...)` without keys. The broadcast records are its second input. */
export function broadcastProcessOperator<A, B, R>(
  descriptors: Descriptors,
  userFunction: BroadcastProcessFunction<A, B, R>,
): OperatorFactory {
  return {
    kind: 'broadcast-process',
    create(context: OperatorContext): StreamOperator {
      const output = userOutputOf(context)
      const states = new BroadcastStates(context, descriptors)
      return {
        processElement: processor(
          context,
          userFunction,
          'processElement',
          readContext(context, output, states),
          output,
        ),
        processElement2: processor(
          context,
          userFunction,
          'processBroadcastElement',
          broadcastContext(context, output, states),
          output,
        ),
        ...lifecycleOf(userFunction, context, false),
      }
    },
  }
}

/** Operator of `keyBy(...).connect(broadcastStream).process(...)`: with keyed state and timers. */
export function keyedBroadcastProcessOperator<K, A, B, R>(
  descriptors: Descriptors,
  keySelector: KeySelector<A, K>,
  userFunction: KeyedBroadcastProcessFunction<K, A, B, R>,
): OperatorFactory {
  return {
    kind: 'keyed-broadcast-process',
    create(context: OperatorContext): StreamOperator {
      const output = userOutputOf(context)
      const states = new BroadcastStates(context, descriptors)
      const timers = new InternalTimerService(context, 'user-timers', {
        eventTime: timestamp => fireEventTime(timestamp),
        processingTime: timestamp => fireProcessingTime(timestamp),
      })
      const keyedContext = new KeyedReadContext<K>(context, timers, output, states)
      const fireEventTime = timerCall(context, userFunction, keyedContext, output, 'event-time')
      const fireProcessingTime = timerCall(context, userFunction, keyedContext, output, 'processing-time')
      const forBroadcast: KeyedBroadcastContext<K> = {
        ...broadcastContext(context, output, states),
        applyToKeyedState: (descriptor, action) => applyToKeyedState(context, descriptor, action),
      }
      return {
        processElement: processor(context, userFunction, 'processElement', keyedContext, output, keySelector),
        processElement2: processor(context, userFunction, 'processBroadcastElement', forBroadcast, output),
        ...lifecycleOf(userFunction, context, true, {
          open: () => timers.open(),
          snapshotState: () => timers.snapshot(),
          close: () => timers.close(),
        }),
        advanceWatermark: watermark => timers.advanceWatermark(watermark),
      }
    },
  }
}

function processor(
  context: OperatorContext,
  userFunction: unknown,
  method: 'processElement' | 'processBroadcastElement',
  userContext: unknown,
  output: UserOutput,
  keySelector?: KeySelector<never, unknown>,
): Push {
  return context.generate<Push>(
    ['f', 'context', 'out', 'state', 'failed', 'rejectPromise', 'keyOf', 'backend', 'failedKey'],
    `let first = true
return value => {
  ${keySelector === undefined ? '' : 'try { backend.setCurrentKey(keyOf(value)) } catch (error) { throw failedKey(error, value) }'}
  let result
  try { result = f.${method}(value, context, out) } catch (error) {
    throw state.failed ? state.error : failed(error, value)
  }
  if (state.failed) throw state.error
  if (first) { rejectPromise(result); first = false }
}`,
    [
      userFunction,
      userContext,
      output.out,
      output.state,
      failureAtRecord(context, method),
      rejectPromise(context, method),
      keySelector,
      keySelector === undefined ? undefined : context.keyedState,
      failureAtRecord(context, 'the key selector'),
    ],
  )
}

function readContext(context: OperatorContext, output: UserOutput, states: BroadcastStates): ReadOnlyContext {
  return {
    ...timesOf(context, output),
    getBroadcastState: descriptor => states.readable(descriptor),
  }
}

function broadcastContext(
  context: OperatorContext,
  output: UserOutput,
  states: BroadcastStates,
): BroadcastContext {
  return {
    ...timesOf(context, output),
    getBroadcastState: descriptor => states.writable(descriptor),
  }
}

function timesOf(context: OperatorContext, output: UserOutput) {
  const { timestamp, output: toSide, timerService } = processContextOf(context, output)
  return {
    timestamp,
    output: toSide,
    currentWatermark: () => timerService.currentWatermark(),
    currentProcessingTime: () => timerService.currentProcessingTime(),
  }
}

/** One object for each operator instance. */
class KeyedReadContext<K> extends KeyedContext<K> implements KeyedReadOnlyOnTimerContext<K> {
  readonly #states: BroadcastStates

  constructor(
    context: OperatorContext,
    timers: InternalTimerService,
    output: UserOutput,
    states: BroadcastStates,
  ) {
    super(context, timers, output)
    this.#states = states
  }

  currentWatermark(): number {
    return this.timerService.currentWatermark()
  }

  currentProcessingTime(): number {
    return this.timerService.currentProcessingTime()
  }

  getBroadcastState<Key, V>(descriptor: MapStateDescriptor<Key, V>): ReadOnlyBroadcastState<Key, V> {
    return this.#states.readable(descriptor)
  }
}

function applyToKeyedState<K, D extends StateDescriptor<unknown>>(
  context: OperatorContext,
  descriptor: D,
  action: (key: K, state: StateOf<D>) => void,
): void {
  const { keyedState } = context
  const state = keyedState.state<StateOf<D>>(descriptor)
  // The action may clear what it gets.
  const keys = [...keyedState.keys(descriptor)]
  for (const key of keys) {
    keyedState.setCurrentKey(key)
    action(key as K, state)
  }
}
