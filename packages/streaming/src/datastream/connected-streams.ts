import {
  type CoFlatMapFunction,
  type CoMapFunction,
  type CoProcessFunction,
  coFlatMapOperator,
  coMapOperator,
  coProcessOperator,
  type KeyedCoProcessFunction,
  type KeySelector,
  keyedCoProcessOperator,
  type OperatorFactory,
} from '@flink-ts/operators'
import type { KeyValue } from './key-value.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'

/** Adds an operator of two inputs to the graph: connected streams themselves know no graph. */
export type AddTwoInputOperator = <R>(
  call: string,
  defaultName: string,
  factory: OperatorFactory,
  keySelectors?: KeySelectors,
) => SingleOutputStreamOperator<R>

/** Key selectors of both inputs, as the graph needs them; the second one is absent if that input is broadcast. */
export type KeySelectors = readonly [(value: never) => unknown, ((value: never) => unknown) | undefined]

/**
 * Two streams that keep their types and meet in one operator. Nothing is promised about the order of records of
 * different inputs. Event time is the lower of the two.
 * @example rules.connect(events).map(rule => `rule ${rule.id}`, event => `event ${event.id}`)
 */
export class ConnectedStreams<A, B> {
  protected readonly add: AddTwoInputOperator
  protected readonly keySelectors: readonly [KeySelector<A, unknown>, KeySelector<B, unknown>] | undefined

  /** Made by `connect`. */
  constructor(
    add: AddTwoInputOperator,
    keySelectors?: readonly [KeySelector<A, unknown>, KeySelector<B, unknown>],
  ) {
    this.add = add
    this.keySelectors = keySelectors
  }

  /** Groups both streams by keys of the same type, so that they share the state of a key. */
  keyBy<K extends KeyValue>(
    firstKey: KeySelector<A, K>,
    secondKey: KeySelector<B, K>,
  ): KeyedConnectedStreams<A, B, K> {
    requireFunction('keyBy', 'keyBy', firstKey)
    requireFunction('keyBy', 'keyBy', secondKey)
    return new KeyedConnectedStreams<A, B, K>(this.add, [firstKey, secondKey])
  }

  /** One result for each record: a function for each stream, or an object with `map1` and `map2`. */
  map<R>(coMapper: CoMapFunction<A, B, R>): SingleOutputStreamOperator<R>
  map<R>(map1: (value: A) => R, map2: (value: B) => R): SingleOutputStreamOperator<R>
  map<R>(
    first: CoMapFunction<A, B, R> | ((value: A) => R),
    map2?: (value: B) => R,
  ): SingleOutputStreamOperator<R> {
    const coMapper = typeof first === 'function' ? { map1: first, map2: map2 as (value: B) => R } : first
    requireFunction('connect(...).map', 'map1', coMapper, true)
    requireFunction('connect(...).map', 'map2', coMapper, true)
    return this.transform('map', 'Co-Map', coMapOperator(coMapper, this.keySelectors))
  }

  /** Any number of results for each record: a function for each stream, or an object with `flatMap1` and `flatMap2`. */
  flatMap<R>(coFlatMapper: CoFlatMapFunction<A, B, R>): SingleOutputStreamOperator<R>
  flatMap<R>(
    flatMap1: CoFlatMapFunction<A, B, R>['flatMap1'],
    flatMap2: CoFlatMapFunction<A, B, R>['flatMap2'],
  ): SingleOutputStreamOperator<R>
  flatMap<R>(
    first: CoFlatMapFunction<A, B, R> | CoFlatMapFunction<A, B, R>['flatMap1'],
    flatMap2?: CoFlatMapFunction<A, B, R>['flatMap2'],
  ): SingleOutputStreamOperator<R> {
    const coFlatMapper =
      typeof first === 'function'
        ? { flatMap1: first, flatMap2: flatMap2 as CoFlatMapFunction<A, B, R>['flatMap2'] }
        : first
    requireFunction('connect(...).flatMap', 'flatMap1', coFlatMapper, true)
    requireFunction('connect(...).flatMap', 'flatMap2', coFlatMapper, true)
    return this.transform('flatMap', 'Co-Flat Map', coFlatMapOperator(coFlatMapper, this.keySelectors))
  }

  /** Sees each record with its time, and can emit to side outputs. */
  process<R>(coProcessFunction: CoProcessFunction<A, B, R>): SingleOutputStreamOperator<R> {
    requireFunction('connect(...).process', 'processElement1', coProcessFunction, true)
    requireFunction('connect(...).process', 'processElement2', coProcessFunction, true)
    return this.transform('process', 'Co-Process', coProcessOperator(coProcessFunction))
  }

  protected transform<R>(
    call: string,
    defaultName: string,
    factory: OperatorFactory,
  ): SingleOutputStreamOperator<R> {
    return this.add<R>(`connect(...).${call}`, defaultName, factory, this.keySelectors)
  }
}

/** Two streams grouped by keys of the same type. */
export class KeyedConnectedStreams<A, B, K> extends ConnectedStreams<A, B> {
  readonly #keySelectors: readonly [KeySelector<A, K>, KeySelector<B, K>]

  constructor(add: AddTwoInputOperator, keySelectors: readonly [KeySelector<A, K>, KeySelector<B, K>]) {
    super(add, keySelectors)
    this.#keySelectors = keySelectors
  }

  /** Records of both streams with the state and timers of their key. */
  override process<R>(
    coProcessFunction: KeyedCoProcessFunction<K, A, B, R> | CoProcessFunction<A, B, R>,
  ): SingleOutputStreamOperator<R> {
    requireFunction('connect(...).process', 'processElement1', coProcessFunction, true)
    requireFunction('connect(...).process', 'processElement2', coProcessFunction, true)
    const factory = keyedCoProcessOperator(
      this.#keySelectors,
      coProcessFunction as KeyedCoProcessFunction<K, A, B, R>,
    )
    return this.transform('process', 'Keyed Co-Process', factory)
  }
}
