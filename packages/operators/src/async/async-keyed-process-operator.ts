import { canonicalKey } from '@flink-ts/serialization'
import type { StateDescriptor, StateTable } from '@flink-ts/state'
import {
  MAX_WATERMARK,
  MIN_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import { AsyncStateInOpen, AsyncTimeout } from '../errors.ts'
import type { AsyncKeyedProcessFunction } from '../functions/async-process-function.ts'
import type { KeySelector } from '../functions/functions.ts'
import { lifecycleOf, lifecycleOnly, type RichFunction } from '../functions/rich-function.ts'
import { describeValue, failureAtRecord, userFunctionFailure } from '../functions/user-function-failure.ts'
import { InternalTimerService } from '../timers/internal-timer-service.ts'
import { KeyedCall, type StoredCall, type TimerChanges } from './keyed-call.ts'
import { UnorderedResultQueue } from './result-queue.ts'

/** How asynchronous work with keyed state is done. */
export interface AsyncKeyedProcessOptions {
  /** Records and timers in flight at a time, of different keys. */
  readonly capacity: number
  /** Undefined: without limit. */
  readonly timeoutMs: number | undefined
}

/**
 * Operator of `asyncProcess`. Calls of one key run one after the other, in order; those of different keys at the same
 * time, at most `capacity`. State, timers and results of a call take effect together when it is over; calls in flight
 * are stored with their keys in each snapshot and made again after a restore, at any parallelism. No result passes a
 * watermark; timers fire, and are over, before the watermark goes on.
 */
export function asyncKeyedProcessOperator<K, T, R>(
  keySelector: KeySelector<T, K>,
  userFunction: AsyncKeyedProcessFunction<K, T, R>,
  options: AsyncKeyedProcessOptions,
): OperatorFactory {
  const untyped = userFunction as AsyncKeyedProcessFunction<unknown, unknown, unknown>
  return {
    kind: 'async-keyed-process',
    create: context =>
      new AsyncKeyedProcess(context, untyped, options).operator(keySelector as KeySelector<never, K>),
  }
}

type Call = KeyedCall<unknown>

/** One instance of the operator. Owner: the slot thread. */
class AsyncKeyedProcess {
  readonly #context: OperatorContext
  readonly #function: AsyncKeyedProcessFunction<unknown, unknown, unknown>
  readonly #options: AsyncKeyedProcessOptions
  readonly #timers: InternalTimerService
  readonly #stored: StateTable<readonly StoredCall[]>
  /** In order of completion between two watermarks. */
  readonly #queue = new UnorderedResultQueue<Call>()
  /** By canonical key: calls in order; the first one is begun. */
  readonly #byKey = new Map<unknown, Call[]>()
  /** First calls of their keys that wait for room. */
  readonly #ready: Call[] = []
  /** Timers that were deleted after they were polled. */
  readonly #deleted = new Set<Call>()
  #running = 0
  /** Worked off. */
  #watermark = MIN_WATERMARK
  /** Time of the event-time timer that was polled last: earlier ones are calls already. */
  #lastPolled = MIN_WATERMARK
  #available = true
  #closed = false

  constructor(
    context: OperatorContext,
    userFunction: AsyncKeyedProcessFunction<unknown, unknown, unknown>,
    options: AsyncKeyedProcessOptions,
  ) {
    this.#context = context
    this.#function = userFunction
    this.#options = options
    this.#stored = context.keyedState
      .namespacedState<readonly StoredCall[]>({ kind: 'internal', name: 'calls-in-flight' })
      .table(undefined)
    const fire =
      (domain: 'event-time' | 'processing-time') =>
      (time: number): void =>
        this.#accept(context.keyedState.currentKey(), { kind: 'timer', domain, time })
    this.#timers = new InternalTimerService(context, 'user-timers', {
      eventTime: fire('event-time'),
      processingTime: fire('processing-time'),
    })
  }

  operator(keySelector: KeySelector<never, unknown>): StreamOperator {
    const context = this.#context
    const processElement = context.generate<Push>(
      ['accept', 'keyOf', 'backend', 'failedKey', 'register'],
      `return value => {
  let key
  try { key = keyOf(value); backend.setCurrentKey(key) } catch (error) { throw failedKey(error, value) }
  accept(key, { kind: 'record', value, timestamp: register[0] })
}`,
      [
        (key: unknown, call: StoredCall) => this.#accept(key, call),
        keySelector,
        context.keyedState,
        failureAtRecord(context, 'the key selector'),
        context.timestamp,
      ],
    )
    return {
      ...lifecycleOf(this.#lifecycle(), context, true, {
        open: () => this.#restore(),
        // The timers that a watermark has turned into calls may register more of them before it is worked off.
        snapshotState: () => this.#timers.snapshot(this.#timers.currentWatermark() > this.#watermark),
        close: () => this.#abandonAll(),
      }),
      processElement,
      advanceWatermark: watermark => this.#advance(watermark),
      forwardWatermark: watermark => {
        if (this.#queue.size === 0) return watermark
        this.#queue.addWatermark(watermark)
        return undefined
      },
      prepareSnapshot: () => this.#store(),
    }
  }

  /** State for all keys together makes no sense here. */
  #lifecycle(): RichFunction {
    const { operatorName: operator } = this.#context
    const refuse = (descriptor: StateDescriptor<unknown>): never => {
      throw AsyncStateInOpen({ operator, state: descriptor.name })
    }
    const states = {
      ...{ getState: refuse, getListState: refuse, getMapState: refuse },
      ...{ getReducingState: refuse, getAggregatingState: refuse },
    }
    const userFunction = this.#function
    return {
      ...lifecycleOnly(userFunction),
      ...(userFunction.open === undefined
        ? {}
        : { open: context => userFunction.open?.({ ...context, ...states }) }),
    }
  }

  /** With timers, event time waits for the calls before it and for the timers that it fires. */
  #advance(watermark: number): boolean {
    const waits = this.#function.onTimer !== undefined || watermark === MAX_WATERMARK
    // Without `onTimer` nothing fires, but the functions ask what time it is.
    if (!waits) return this.#timers.advanceWatermark(watermark)
    if (watermark <= this.#watermark) return true
    if (this.#queue.size > 0) return false
    // Calls for timers are over later than timers of an ordinary function: they may have registered more.
    if (!this.#timers.advanceWatermark(watermark, true) || this.#queue.size > 0) return false
    this.#watermark = watermark
    return true
  }

  #accept(key: unknown, stored: StoredCall): void {
    if (stored.kind === 'timer') {
      if (this.#function.onTimer === undefined) return
      if (stored.domain === 'event-time') this.#lastPolled = Math.max(this.#lastPolled, stored.time)
    }
    const call: Call = new KeyedCall(this.#context, this.#timers, key, stored)
    this.#queue.add(call)
    const canonical = canonicalKey(key)
    const calls = this.#byKey.get(canonical)
    if (calls === undefined) {
      this.#byKey.set(canonical, [call])
      this.#ready.push(call)
    } else calls.push(call)
    this.#beginReady()
    if (this.#available && this.#queue.size >= this.#options.capacity) {
      this.#available = false
      this.#context.setAvailable(false)
    }
  }

  #beginReady(): void {
    while (this.#running < this.#options.capacity) {
      const call = this.#ready.shift()
      if (call === undefined) return
      this.#running++
      this.#begin(call)
    }
  }

  #begin(call: Call): void {
    const context = this.#context
    const settled = (error: unknown, failed: boolean): void =>
      context.execute(() => {
        if (this.#closed || call.results !== undefined || call.abandoned) return
        if (failed) throw this.#failure(call, error)
        this.#completed(call)
      })
    const { timeoutMs } = this.#options
    if (timeoutMs !== undefined) {
      call.alarm = context.scheduleProcessingTime(context.processingTime() + timeoutMs, () => {
        if (call.results !== undefined || this.#closed) return
        const record = inputOf(call.stored)
        const error = AsyncTimeout({ operator: context.operatorName, timeoutMs, record })
        call.abandon(error)
        throw error
      })
    }
    let promise: Promise<void> | void
    try {
      promise =
        call.stored.kind === 'record'
          ? this.#function.processElement(call.stored.value, call, call.out)
          : this.#function.onTimer?.(call.stored.time, call, call.out)
    } catch (error) {
      settled(error, true)
      return
    }
    Promise.resolve(promise).then(
      () => settled(undefined, false),
      (error: unknown) => settled(error, true),
    )
  }

  #completed(call: Call): void {
    const register = this.#context.timestamp
    const before = register[0] as number
    call.complete()
    // Not only when it is applied: a call behind a watermark would hold the place that one before it waits for.
    this.#running--
    this.#queue.completed(call)
    this.#queue.drain({
      record: done => this.#apply(done),
      watermark: watermark => this.#context.emitWatermark(watermark),
    })
    register[0] = before
    this.#beginReady()
    if (!this.#available && this.#queue.size < this.#options.capacity) {
      this.#available = true
      this.#context.setAvailable(true)
    }
    if (this.#queue.size === 0) this.#context.wake()
  }

  /** The next call of the key may begin: it sees what this one did. */
  #apply(call: Call): void {
    if (this.#deleted.delete(call)) return
    const canonical = canonicalKey(call.currentKey)
    const calls = this.#byKey.get(canonical) as Call[]
    call.apply(this.#timerChangesOf(call, calls))
    calls.shift()
    const [next] = calls
    if (next === undefined) this.#byKey.delete(canonical)
    else this.#ready.push(next)
  }

  /**
   * Timers that are polled wait as calls, and more of them than would be due one by one: a timer that registers or
   * deletes one of its key must find it there.
   * @param calls of the key; the first one is `call`
   */
  #timerChangesOf(call: Call, calls: Call[]): TimerChanges {
    const timers = this.#timers
    const fires = call.stored.kind === 'timer' && call.stored.domain === 'event-time'
    const timerAt = (time: number): number =>
      calls.findIndex((other, i) => i > 0 && eventTimerTime(other) === time)
    return {
      registerEventTimeTimer: time => {
        if (!fires || !(time <= this.#lastPolled)) {
          timers.registerEventTime(undefined, time)
          return
        }
        if (timerAt(time) >= 0) return
        const timer: StoredCall = { kind: 'timer', domain: 'event-time', time }
        const added: Call = new KeyedCall(this.#context, timers, call.currentKey, timer)
        const later = calls.findIndex((other, i) => i > 0 && !((eventTimerTime(other) ?? -Infinity) < time))
        calls.splice(later < 0 ? calls.length : later, 0, added)
        this.#queue.add(added)
      },
      deleteEventTimeTimer: time => {
        const at = timerAt(time)
        if (at < 0) {
          timers.deleteEventTime(undefined, time)
          return
        }
        const [removed] = calls.splice(at, 1) as [Call]
        removed.complete()
        this.#deleted.add(removed)
        this.#queue.completed(removed)
      },
      registerProcessingTimeTimer: time => timers.registerProcessingTime(undefined, time),
      deleteProcessingTimeTimer: time => timers.deleteProcessingTime(undefined, time),
    }
  }

  #store(): void {
    const keys = Array.from(this.#stored.entries(), entry => entry.key)
    for (const key of keys) this.#stored.remove(key)
    for (const calls of this.#byKey.values()) {
      const [first] = calls as [Call]
      this.#stored.insert(
        first.currentKey,
        calls.map(call => call.stored),
      )
    }
  }

  #restore(): void {
    const restored = Array.from(this.#stored.entries(), ({ key, value }) => ({ key, value }))
    for (const { key, value } of restored) {
      for (const call of value) this.#accept(key, call)
    }
    this.#timers.open()
  }

  #abandonAll(): void {
    this.#closed = true
    this.#timers.close()
    const reason = new Error('The task has ended')
    for (const call of this.#queue.entries()) call.abandon(reason)
  }

  #failure(call: Call, error: unknown): Error {
    const method = call.stored.kind === 'record' ? 'processElement' : 'onTimer'
    return userFunctionFailure(this.#context, method, error, inputOf(call.stored))
  }
}

function eventTimerTime({ stored }: Call): number | undefined {
  return stored.kind === 'timer' && stored.domain === 'event-time' ? stored.time : undefined
}

function inputOf(stored: StoredCall): string {
  return stored.kind === 'record'
    ? `record ${describeValue(stored.value)}`
    : `${stored.domain} timer ${stored.time}`
}
