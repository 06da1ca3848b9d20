import type {
  AggregatingState,
  AggregatingStateDescriptor,
  BroadcastState,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  ReadOnlyBroadcastState,
  ReducingState,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'
import type { Collector, OutputTag } from './collector.ts'
import type { OnTimerContext, ProcessContext, TimerService } from './functions.ts'
import type { RichFunction } from './rich-function.ts'

/** The state that belongs to a descriptor. */
export type StateOf<D> =
  D extends AggregatingStateDescriptor<infer In, infer _Acc, infer Out>
    ? AggregatingState<In, Out>
    : D extends ReducingStateDescriptor<infer T>
      ? ReducingState<T>
      : D extends MapStateDescriptor<infer K, infer V>
        ? MapState<K, V>
        : D extends ListStateDescriptor<infer T>
          ? ListState<T>
          : D extends ValueStateDescriptor<infer T, infer Empty>
            ? ValueState<T, Empty>
            : never

/** Surroundings of a record of the side that is not broadcast. */
export interface ReadOnlyContext {
  /** Event time of the record; undefined if it has none. */
  timestamp(): number | undefined
  currentWatermark(): number
  currentProcessingTime(): number
  /** Emits to a side output. */
  output<O>(tag: OutputTag<O>, value: O): void
  /**
   * The broadcast state, to read: only the broadcast side may change it, or the subtasks would differ. Its values must
   * not be changed in place either.
   * @throws operators.unknown-broadcast-state unless the stream was broadcast with that descriptor
   */
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): ReadOnlyBroadcastState<K, V>
}

/** {@link ReadOnlyContext} behind keyBy. */
export interface KeyedReadOnlyContext<Key> extends ReadOnlyContext {
  readonly currentKey: Key
  readonly timerService: TimerService
}

/** {@link KeyedReadOnlyContext} of a timer. */
export interface KeyedReadOnlyOnTimerContext<Key>
  extends KeyedReadOnlyContext<Key>,
    Pick<OnTimerContext<Key>, 'timeDomain'> {}

/** Surroundings of a broadcast record. Every subtask gets each of them: all must do the same with the state. */
export interface BroadcastContext extends Omit<ProcessContext, 'timerService'> {
  currentWatermark(): number
  currentProcessingTime(): number
  /** The broadcast state, to change. @throws operators.unknown-broadcast-state */
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>
}

/** {@link BroadcastContext} beside a keyed stream. */
export interface KeyedBroadcastContext<Key> extends BroadcastContext {
  /**
   * Calls `action` for each key of this subtask that has something in the state of `descriptor`, with that state.
   * @example context.applyToKeyedState(lastSeen, (key, state) => state.clear())
   */
  applyToKeyedState<D extends StateDescriptor<unknown>>(
    descriptor: D,
    action: (key: Key, state: StateOf<D>) => void,
  ): void
}

/**
 * Records of a stream together with rules that are broadcast to all subtasks.
 * @example class ApplyRules implements BroadcastProcessFunction<Event, Rule, Alert> {
 *   processElement(event: Event, context: ReadOnlyContext, out: Collector<Alert>) {
 *     for (const [id, rule] of context.getBroadcastState(rules).immutableEntries()) if (rule.matches(event)) out({ id, event })
 *   }
 *   processBroadcastElement(rule: Rule, context: BroadcastContext) {
 *     context.getBroadcastState(rules).put(rule.id, rule)
 *   }
 * }
 */
export interface BroadcastProcessFunction<A, B, R> extends RichFunction {
  processElement(value: A, context: ReadOnlyContext, out: Collector<R>): void
  processBroadcastElement(value: B, context: BroadcastContext, out: Collector<R>): void
}

/** {@link BroadcastProcessFunction} of a keyed stream: with keyed state and timers. */
export interface KeyedBroadcastProcessFunction<Key, A, B, R> extends RichFunction {
  processElement(value: A, context: KeyedReadOnlyContext<Key>, out: Collector<R>): void
  processBroadcastElement(value: B, context: KeyedBroadcastContext<Key>, out: Collector<R>): void
  onTimer?(timestamp: number, context: KeyedReadOnlyOnTimerContext<Key>, out: Collector<R>): void
}
