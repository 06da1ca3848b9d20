import type {
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReducingState,
  ReducingStateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'
import type { OperatorContext } from '../contract/stream-operator.ts'
import { AsyncCallOver } from '../errors.ts'
import type { AsyncOnTimerContext } from '../functions/async-process-function.ts'
import { type Collector, collectorOf, type OutputTag } from '../functions/collector.ts'
import type { TimerService } from '../functions/functions.ts'
import type { InternalTimerService } from '../timers/internal-timer-service.ts'
import type { PendingResult } from './result-queue.ts'
import { StateTransaction } from './state-transaction.ts'

/** A record or timer of one key, as stored while it is in flight. */
export type StoredCall =
  | { readonly kind: 'record'; readonly value: unknown; readonly timestamp: number }
  | {
      readonly kind: 'timer'
      readonly domain: 'event-time' | 'processing-time'
      /** When the timer was due. */
      readonly time: number
    }

/** Where the changes of timers of a call go when it is over. */
export type TimerChanges = Pick<
  TimerService,
  | 'registerEventTimeTimer'
  | 'deleteEventTimeTimer'
  | 'registerProcessingTimeTimer'
  | 'deleteProcessingTimeTimer'
>

/**
 * One record or timer in flight: what the user's function sees, and what it did so far. Nothing of that takes effect
 * before {@link KeyedCall.apply}. Owner: the operator's slot thread.
 */
export class KeyedCall<K> implements PendingResult, AsyncOnTimerContext<K> {
  readonly currentKey: K
  readonly stored: StoredCall
  readonly timeDomain: 'event-time' | 'processing-time'
  readonly out: Collector<unknown>
  results: readonly unknown[] | undefined = undefined
  /** Of the time limit. */
  alarm: { cancel(): void } | undefined
  readonly #context: OperatorContext
  readonly #timers: InternalTimerService
  // Made when they are asked for: most calls use few of them.
  #abort: AbortController | undefined
  #abandoned: { readonly reason: unknown } | undefined
  #states: StateTransaction | undefined
  #timerService: TimerService | undefined
  readonly #emitted: { readonly tag: string | undefined; readonly value: unknown }[] = []
  readonly #timerChanges: ((timers: TimerChanges) => void)[] = []
  #over = false

  constructor(context: OperatorContext, timers: InternalTimerService, key: K, stored: StoredCall) {
    this.#context = context
    this.#timers = timers
    this.currentKey = key
    this.stored = stored
    this.timeDomain = stored.kind === 'timer' ? stored.domain : 'event-time'
    this.out = collectorOf((value: unknown) => this.#emit(undefined, value))
  }

  get timerService(): TimerService {
    if (this.#timerService !== undefined) return this.#timerService
    const change =
      (method: keyof TimerChanges) =>
      (time: number): void => {
        this.#requireOpen()
        this.#timerChanges.push(changes => changes[method](time))
      }
    this.#timerService = {
      currentWatermark: () => this.#timers.currentWatermark(),
      currentProcessingTime: () => this.#context.processingTime(),
      registerEventTimeTimer: change('registerEventTimeTimer'),
      deleteEventTimeTimer: change('deleteEventTimeTimer'),
      registerProcessingTimeTimer: change('registerProcessingTimeTimer'),
      deleteProcessingTimeTimer: change('deleteProcessingTimeTimer'),
    }
    return this.#timerService
  }

  get value(): unknown {
    return this.stored.kind === 'record' ? this.stored.value : undefined
  }

  /** Event time of what is emitted; NaN for none: what a processing-time timer emits has none, as in Flink. */
  get timestampOfResults(): number {
    const { stored } = this
    if (stored.kind === 'record') return stored.timestamp
    return stored.domain === 'event-time' ? stored.time : Number.NaN
  }

  timestamp(): number | undefined {
    const { stored } = this
    if (stored.kind === 'timer') return stored.time
    return Number.isNaN(stored.timestamp) ? undefined : stored.timestamp
  }

  get signal(): AbortSignal {
    this.#abort ??= new AbortController()
    if (this.#abandoned !== undefined) this.#abort.abort(this.#abandoned.reason)
    return this.#abort.signal
  }

  /** Whether the call does not count any more. */
  get abandoned(): boolean {
    return this.#abandoned !== undefined
  }

  getState<T, Empty>(descriptor: ValueStateDescriptor<T, Empty>): ValueState<T, Empty> {
    return this.#transaction().value(descriptor)
  }

  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T> {
    return this.#transaction().list(descriptor)
  }

  getMapState<K2, V>(descriptor: MapStateDescriptor<K2, V>): MapState<K2, V> {
    return this.#transaction().map(descriptor)
  }

  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T> {
    return this.#transaction().reducing(descriptor)
  }

  output<O>(tag: OutputTag<O>, value: O): void {
    this.#emit(tag.id, value)
  }

  /** The user's function is done: nothing changes any more. */
  complete(): void {
    this.#over = true
    this.alarm?.cancel()
    this.results = this.#emitted
  }

  /** The call does not count any more. */
  abandon(reason: unknown): void {
    this.#over = true
    this.alarm?.cancel()
    this.#abandoned = { reason }
    this.#abort?.abort(reason)
  }

  /** Changes state and timers, then emits. */
  apply(timers: TimerChanges): void {
    const context = this.#context
    context.keyedState.setCurrentKey(this.currentKey)
    this.#states?.commit()
    context.keyedState.setCurrentKey(this.currentKey)
    for (const change of this.#timerChanges) change(timers)
    for (const { tag, value } of this.#emitted) {
      context.timestamp[0] = this.timestampOfResults
      if (tag === undefined) context.out(value)
      else context.sideOutput(tag)(value)
    }
  }

  #transaction(): StateTransaction {
    this.#states ??= new StateTransaction(this.#context.keyedState, this.currentKey, () =>
      this.#requireOpen(),
    )
    return this.#states
  }

  #emit(tag: string | undefined, value: unknown): void {
    this.#requireOpen()
    this.#emitted.push({ tag, value })
  }

  #requireOpen(): void {
    if (this.#over) throw AsyncCallOver({ operator: this.#context.operatorName })
  }
}
