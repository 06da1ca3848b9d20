import type {
  AggregatingState,
  AggregatingStateDescriptor,
  BroadcastState,
  ListState,
  ListStateDescriptor,
  MapState,
  MapStateDescriptor,
  OperatorListState,
  ReducingState,
  ReducingStateDescriptor,
  StateDescriptor,
  ValueState,
  ValueStateDescriptor,
} from '@flink-ts/state'
import type { OperatorContext, StreamOperator } from '../contract/stream-operator.ts'
import {
  BroadcastVariableUnknown,
  CachedFileUnknown,
  FunctionShared,
  KeyedStateOutsideKeyBy,
} from '../errors.ts'
import { type Accumulator, accumulatorsOf, Counter, Histogram } from './accumulators.ts'
import { type MetricGroup, metricGroupOf } from './metric-group.ts'

/** Files and folders that the program has registered with `registerCachedFile`, copied to where the function runs. */
export interface DistributedCache {
  /** Local path. It must not be written to: other subtasks read it. @throws operators.cached-file-unknown */
  getFile(name: string): string
}

/** What a function learns in `open` about where it runs, and the way to its state. */
export interface RuntimeContext {
  readonly operatorName: string
  readonly jobId: string
  readonly jobName: string
  /** From 0. */
  readonly subtaskIndex: number
  readonly parallelism: number
  readonly maxParallelism: number
  /** From 0. */
  readonly attemptNumber: number
  readonly globalJobParameters: Readonly<Record<string, string>>
  /**
   * State with one value for each key, bound to the key of the record or timer being processed.
   * @throws operators.keyed-state-outside-key-by unless the function runs behind keyBy
   */
  getState<T, Empty>(descriptor: ValueStateDescriptor<T, Empty>): ValueState<T, Empty>
  /** A list for each key; see {@link RuntimeContext.getState}. */
  getListState<T>(descriptor: ListStateDescriptor<T>): ListState<T>
  /** A map for each key; see {@link RuntimeContext.getState}. */
  getMapState<K, V>(descriptor: MapStateDescriptor<K, V>): MapState<K, V>
  /** One value for each key, made of all that are added; see {@link RuntimeContext.getState}. */
  getReducingState<T>(descriptor: ReducingStateDescriptor<T>): ReducingState<T>
  /** One accumulator for each key; see {@link RuntimeContext.getState}. */
  getAggregatingState<In, Acc, Out>(
    descriptor: AggregatingStateDescriptor<In, Acc, Out>,
  ): AggregatingState<In, Out>
  /**
   * Has an accumulator counted into the result of the job under `name`; gives it back.
   * @throws operators.accumulator-exists if the operator has one of that name
   */
  addAccumulator<A extends Accumulator<never, unknown>>(name: string, accumulator: A): A
  /** The accumulator that was added under `name`. */
  getAccumulator(name: string): Accumulator<never, unknown> | undefined
  /** The counter of that name, made if absent. */
  getIntCounter(name: string): Counter
  /** The same as {@link RuntimeContext.getIntCounter}: numbers are of one kind in JavaScript. */
  getLongCounter(name: string): Counter
  /** The same as {@link RuntimeContext.getIntCounter}: numbers are of one kind in JavaScript. */
  getDoubleCounter(name: string): Counter
  /** The histogram of that name, made if absent. */
  getHistogram(name: string): Histogram
  /** Files that the program has registered. */
  getDistributedCache(): DistributedCache
  /**
   * All records of the stream that was given to `withBroadcastSet` under this name. The same array for all who ask in
   * this subtask: must not be changed.
   * @throws operators.broadcast-variable-unknown
   */
  getBroadcastVariable<T>(name: string): readonly T[]
  hasBroadcastVariable(name: string): boolean
  /** Where the function registers metrics of its own. */
  getMetricGroup(): MetricGroup
}

/** The way of a function to state of its operator, which belongs to no key. */
export interface FunctionInitializationContext {
  /** Whether this attempt goes on from a snapshot. */
  readonly isRestored: boolean
  /** Of the checkpoint it goes on from. */
  readonly restoredCheckpointId: number | undefined
  /** Elements are split evenly over the subtasks at a restore. */
  getListState<T>(descriptor: ListStateDescriptor<T>): OperatorListState<T>
  /** At a restore every subtask gets all elements of all subtasks. */
  getUnionListState<T>(descriptor: ListStateDescriptor<T>): OperatorListState<T>
  /** The same map in all subtasks, as long as all change it in the same way. */
  getBroadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>
}

/** Life cycle that every function given as an object or class instance may have. */
export interface RichFunction {
  /** Before `open`: where a function gets state that belongs to no key (Flink's CheckpointedFunction). */
  initializeState?(context: FunctionInitializationContext): void | Promise<void>
  /** Before the first record of each attempt; may return a promise, which is awaited. */
  open?(context: RuntimeContext): void | Promise<void>
  /** At each checkpoint: last chance to bring state that belongs to no key up to date. */
  snapshotState?(checkpointId: number): void | Promise<void>
  /** The checkpoint is complete: it will be the one to go back to. May be skipped for a later one. */
  notifyCheckpointComplete?(checkpointId: number): void | Promise<void>
  /** The checkpoint was given up. */
  notifyCheckpointAborted?(checkpointId: number): void | Promise<void>
  /** Once after the last record, also after a failure. */
  close?(): void | Promise<void>
}

function cacheOf({ cachedFiles = {}, operatorName: operator }: OperatorContext): DistributedCache {
  return {
    getFile(name) {
      const path = Object.hasOwn(cachedFiles, name) ? cachedFiles[name] : undefined
      if (path === undefined) throw CachedFileUnknown({ operator, name, known: Object.keys(cachedFiles) })
      return path
    },
  }
}

/** The runtime context of a function that runs in `context`'s operator. */
function runtimeContextOf(context: OperatorContext, keyed: boolean): RuntimeContext {
  const state = (descriptor: StateDescriptor<unknown>): unknown => {
    if (!keyed) throw KeyedStateOutsideKeyBy({ operator: context.operatorName, state: descriptor.name })
    return context.keyedState.state(descriptor)
  }
  const getter = state as <D, S>(descriptor: D) => S
  const accumulators = accumulatorsOf(context)
  const getOrAdd = <A extends Accumulator<never, unknown>>(name: string, make: () => A): A => {
    const known = accumulators.get(name)
    if (known !== undefined) return known as A
    const made = make()
    accumulators.add(name, made)
    return made
  }
  const counter = (name: string): Counter => getOrAdd(name, () => new Counter())
  return {
    operatorName: context.operatorName,
    jobId: context.jobId,
    jobName: context.jobName,
    subtaskIndex: context.subtaskIndex,
    parallelism: context.parallelism,
    maxParallelism: context.maxParallelism,
    attemptNumber: context.attemptNumber,
    globalJobParameters: context.globalJobParameters,
    getState: getter,
    getListState: getter,
    getMapState: getter,
    getReducingState: getter,
    getAggregatingState: getter,
    addAccumulator: (name, accumulator) => {
      accumulators.add(name, accumulator)
      return accumulator
    },
    getAccumulator: name => accumulators.get(name),
    getIntCounter: counter,
    getLongCounter: counter,
    getDoubleCounter: counter,
    getHistogram: name => getOrAdd(name, () => new Histogram()),
    getDistributedCache: () => cacheOf(context),
    getBroadcastVariable: <T>(name: string) => {
      const sets = context.broadcastSets
      const set = sets?.get(name)
      if (set !== undefined) return set as readonly T[]
      const { operatorName: operator } = context
      throw BroadcastVariableUnknown({ operator, name, known: [...(sets?.keys() ?? [])] })
    },
    hasBroadcastVariable: name => context.broadcastSets?.has(name) === true,
    getMetricGroup: () => metricGroupOf(context),
  }
}

function initializationContextOf(context: OperatorContext): FunctionInitializationContext {
  const { operatorState } = context
  return {
    isRestored: context.restoredCheckpointId !== undefined,
    restoredCheckpointId: context.restoredCheckpointId,
    getListState: descriptor => operatorState.listState(`function/${descriptor.name}`, 'split'),
    getUnionListState: descriptor => operatorState.listState(`function/${descriptor.name}`, 'union'),
    getBroadcastState: descriptor => operatorState.broadcastState(descriptor),
  }
}

type Lifecycle = Pick<
  StreamOperator,
  'open' | 'snapshotState' | 'notifyCheckpointComplete' | 'notifyCheckpointAborted' | 'close'
>

/** Which operator of this thread's job a function belongs to. Flink has copies; here the objects of main itself run. */
const owners = new WeakMap<RichFunction, Pick<OperatorContext, 'operatorId' | 'operatorName'>>()

function claim(rich: RichFunction, { operatorId, operatorName }: OperatorContext): void {
  const owner = owners.get(rich)
  if (owner !== undefined && owner.operatorId !== operatorId) {
    throw FunctionShared({ first: owner.operatorName, second: operatorName })
  }
  owners.set(rich, { operatorId, operatorName })
}

/**
 * The life cycle of an operator that is that of a user's function; empty for plain functions.
 * @param own of the operator itself: `open` after the function's, the others before it
 * @throws operators.function-shared if another operator has this function, and it is opened
 */
export function lifecycleOf(
  userFunction: unknown,
  context: OperatorContext,
  keyed: boolean,
  own: { readonly open?: () => void; readonly snapshotState?: () => void; readonly close?: () => void } = {},
): Lifecycle {
  const rich: RichFunction =
    typeof userFunction === 'object' && userFunction !== null ? (userFunction as RichFunction) : {}
  const opensRich = rich.initializeState ?? rich.open
  if (opensRich !== undefined) claim(rich, context)
  const opens = opensRich ?? own.open
  const { snapshotState, notifyCheckpointComplete, notifyCheckpointAborted } = rich
  return {
    ...(opens === undefined
      ? {}
      : {
          open: async () => {
            await rich.initializeState?.(initializationContextOf(context))
            const runtimeContext = runtimeContextOf(context, keyed)
            ;(rich as { setRuntimeContext?(given: RuntimeContext): void }).setRuntimeContext?.(runtimeContext)
            await rich.open?.(runtimeContext)
            own.open?.()
          },
        }),
    ...((snapshotState ?? own.snapshotState) === undefined
      ? {}
      : {
          snapshotState: id => {
            own.snapshotState?.()
            return snapshotState?.call(rich, id)
          },
        }),
    ...(notifyCheckpointComplete === undefined
      ? {}
      : { notifyCheckpointComplete: id => notifyCheckpointComplete.call(rich, id) }),
    ...(notifyCheckpointAborted === undefined
      ? {}
      : { notifyCheckpointAborted: id => notifyCheckpointAborted.call(rich, id) }),
    ...((rich.close ?? own.close) === undefined
      ? {}
      : {
          close: async () => {
            own.close?.()
            await rich.close?.()
          },
        }),
  }
}

const LIFE_CYCLE = [
  'initializeState',
  'open',
  'snapshotState',
  'notifyCheckpointComplete',
  'notifyCheckpointAborted',
  'close',
] as const

/** The life cycle of a user's function alone, for functions that are made around it. */
export function lifecycleOnly(userFunction: unknown): RichFunction {
  if (typeof userFunction !== 'object' || userFunction === null) return {}
  const rich = userFunction as Record<string, unknown>
  const methods = LIFE_CYCLE.filter(name => typeof rich[name] === 'function')
  return Object.fromEntries(methods.map(name => [name, (rich[name] as CallableFunction).bind(rich)]))
}
