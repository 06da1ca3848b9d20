import {
  type BroadcastProcessFunction,
  broadcastProcessOperator,
  type KeyedBroadcastProcessFunction,
  type KeySelector,
  keyedBroadcastProcessOperator,
} from '@flink-ts/operators'
import type { MapStateDescriptor } from '@flink-ts/state'
import type { AddTwoInputOperator } from './connected-streams.ts'
import type { DataStream } from './data-stream.ts'
import { requireFunction } from './require-function.ts'
import type { SingleOutputStreamOperator } from './single-output-stream-operator.ts'

/** What broadcast state is declared with. Descriptors of any types. */
export type BroadcastDescriptors = readonly MapStateDescriptor<unknown, unknown>[]

/** A stream that all subtasks get, with the state that is kept of it: connect a stream to it. */
export class BroadcastStream<T> {
  /** To all subtasks. */
  readonly stream: DataStream<T>
  readonly descriptors: BroadcastDescriptors

  /** Made by `broadcast(descriptor, ...)`. */
  constructor(stream: DataStream<T>, descriptors: BroadcastDescriptors) {
    this.stream = stream
    this.descriptors = descriptors
  }
}

/**
 * A stream and a broadcast stream in one operator. Nothing is promised about the order of broadcast records and others,
 * nor about that of broadcast records of different subtasks of their source.
 */
export class BroadcastConnectedStream<A, B> {
  protected readonly add: AddTwoInputOperator
  protected readonly descriptors: BroadcastDescriptors

  /** Made by `connect`. */
  constructor(add: AddTwoInputOperator, descriptors: BroadcastDescriptors) {
    this.add = add
    this.descriptors = descriptors
  }

  /** Records of both sides; only the broadcast side may change the broadcast state. */
  process<R>(userFunction: BroadcastProcessFunction<A, B, R>): SingleOutputStreamOperator<R> {
    requireFunction('connect(...).process', 'processElement', userFunction, true)
    requireFunction('connect(...).process', 'processBroadcastElement', userFunction, true)
    const factory = broadcastProcessOperator(this.descriptors, userFunction)
    return this.add<R>('connect(...).process', 'Broadcast Process', factory)
  }
}

/** A keyed stream and a broadcast stream in one operator. */
export class KeyedBroadcastConnectedStream<A, B, K> extends BroadcastConnectedStream<A, B> {
  readonly #keySelector: KeySelector<A, K>

  constructor(add: AddTwoInputOperator, descriptors: BroadcastDescriptors, keySelector: KeySelector<A, K>) {
    super(add, descriptors)
    this.#keySelector = keySelector
  }

  /** Records of both sides with keyed state and timers; only the broadcast side may change the broadcast state. */
  override process<R>(
    userFunction: KeyedBroadcastProcessFunction<K, A, B, R> | BroadcastProcessFunction<A, B, R>,
  ): SingleOutputStreamOperator<R> {
    requireFunction('connect(...).process', 'processElement', userFunction, true)
    requireFunction('connect(...).process', 'processBroadcastElement', userFunction, true)
    const factory = keyedBroadcastProcessOperator(
      this.descriptors,
      this.#keySelector,
      userFunction as KeyedBroadcastProcessFunction<K, A, B, R>,
    )
    return this.add<R>('connect(...).process', 'Keyed Broadcast Process', factory, [
      this.#keySelector,
      undefined,
    ])
  }
}
