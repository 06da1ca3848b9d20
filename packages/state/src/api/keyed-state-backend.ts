import type { KeyedStateHandle, OperatorStateHandle } from '../snapshot/state-handle.ts'
import type { CheckpointStreamFactory } from '../storage/checkpoint-storage.ts'
import type { MapStateDescriptor, StateDescriptor } from './state-descriptor.ts'
import type { StateTime } from './state-time.ts'
import type { BroadcastState } from './user-states.ts'

/** What a key may be (DESIGN 4): compared by canonical value; -0 equals 0, NaN equals NaN. */
export type Key = unknown

/**
 * The entry of one key in one table. `value` may be replaced or changed in place until the current record is done:
 * the table has saved the old value for a running snapshot before it handed the entry out.
 */
export interface StateEntry<V> {
  readonly key: Key
  value: V
}

/**
 * Values of one shape by integer key (an int32, but not the least one), in columns of numbers: no object for any of them, a quarter of the memory, and one
 * wait for memory at a record instead of three. Owner: a {@link StateTable}.
 */
export interface NumberColumns {
  readonly size: number
  /** Has the numbers of the key that was found or inserted last, one for each field, from the index on that came back. */
  readonly data: Float64Array
  /** Index of the numbers of `key`; -1 if it has none here. Counts as a touch (copy-on-write). */
  find(key: number): number
  /** The same for a key that has none: they are to be written at once. */
  insert(key: number): number
  remove(key: number): boolean
}

/** Keyed values of one state in one namespace (a window, or the only one). Segmented: no table grows beyond 64k slots. */
export interface StateTable<V> {
  readonly size: number
  /** The entry of `key`, or undefined. Handing it out counts as a touch (copy-on-write). */
  find(key: Key): StateEntry<V> | undefined
  /**
   * As `find` for the first `count` keys, into `entries`: for tables so large that the processor waits for memory at
   * each lookup, but not for one after the other. Keys may be the same.
   */
  findMany(keys: readonly Key[], count: number, entries: (StateEntry<V> | undefined)[]): void
  /** Adds the entry of a key that has none. */
  insert(key: Key, value: V): StateEntry<V>
  remove(key: Key): boolean
  /** All entries; the table must not change meanwhile. */
  entries(): Iterable<StateEntry<V>>
  /**
   * Where values of integer keys may be instead, if {@link NamespacedState.useNumbers} was called. `find`, `remove` and
   * `entries` see them, but give out values that are copies; `insert`, `findMany` and `size` know nothing of them.
   */
  readonly numbers?: NumberColumns | undefined
}

/** The tables of one state over all namespaces. Namespaces are numbers (window starts), strings, or undefined (only one). */
export interface NamespacedState<V> {
  /** The table of a namespace, made if absent. Keep it only as long as the namespace lives. */
  table(namespace: string | number | undefined): StateTable<V>
  /** The table of a namespace, or undefined if there is none. */
  existing(namespace: string | number | undefined): StateTable<V> | undefined
  namespaces(): Iterable<string | number | undefined>
  /** Drops a namespace with all its keys. */
  drop(namespace: string | number | undefined): void
  /**
   * Values are plain objects with these fields and no others, all numbers; without fields, numbers. Tables that are made
   * from now on have {@link StateTable.numbers}, if the backend can do it.
   */
  useNumbers?(fields: readonly string[]): void
}

/** One timer: a key, a namespace and a time in milliseconds. */
export interface TimerEntry {
  readonly key: Key
  readonly namespace: string | number | undefined
  readonly timestamp: number
}

/** Something that has entries by key group and joins the backend's snapshots: timer queues. */
export interface KeyGroupedParticipant {
  /** Entries as of now: the backend goes through them before `snapshot` returns, and encodes them in slices later. */
  snapshotEntries(): Iterable<TimerEntry>
  /** Called before `open` with the restored entries of this subtask's key groups. */
  restoreEntries(entries: Iterable<TimerEntry>): void
}

/** User-facing state of the current key in a namespace that the operator chooses: state of a window. */
export interface NamespaceBoundState<S> {
  readonly state: S
  /** What `state` refers to from now on. */
  setNamespace(namespace: string | number): void
}

/** A figure of a backend; `read` may be called at any time, also after the end of the task. */
export interface BackendMetric {
  readonly name: string
  read(): number
}

/** Keyed state of one operator instance. Main thread: the slot thread's task. */
export interface KeyedStateBackend {
  /** Inclusive range of the key groups of this subtask. */
  readonly keyGroupRange: { readonly start: number; readonly end: number }
  readonly maxParallelism: number
  /** The key of the record or timer being processed: what user-facing states are bound to. */
  setCurrentKey(key: Key): void
  currentKey(): Key
  /** Called once, before any state is asked for: what times to live count by. */
  useTime(time: StateTime): void
  /**
   * State for operators' own use. The same name gives the same object. Restored values are there at once.
   * @throws state.unsupported-kind for `list` and `map`, whose tables hold values of the backend's own
   */
  namespacedState<V>(descriptor: StateDescriptor<V>): NamespacedState<V>
  /**
   * User-facing state bound to the current key: ValueState for a ValueStateDescriptor, and so on. Stored values that
   * do not fit the descriptor's type are migrated now, or refused: `state.incompatible-type`.
   */
  state<S>(descriptor: StateDescriptor<unknown>): S
  /** The same in namespaces, of a name that is not used without one. */
  boundState<S>(descriptor: StateDescriptor<unknown>): NamespaceBoundState<S>
  /**
   * The keys that have a value in a state without namespaces. States may be changed meanwhile: keys that are added may
   * come or not.
   */
  keys(descriptor: StateDescriptor<unknown>): Iterable<Key>
  /** Registers a timer queue, once for each name; restores it at once if the snapshot had one of that name. */
  registerParticipant(name: string, participant: KeyGroupedParticipant): void
  /**
   * Takes a snapshot as of now: the synchronous part is done on return, the rest is written in slices between
   * records (`yieldSlice` is awaited between slices). Rejects if writing fails. At most one runs at a time unless the
   * earlier one is finished or cancelled.
   */
  snapshot(
    checkpointId: number,
    streams: CheckpointStreamFactory,
    yieldSlice: () => Promise<void>,
  ): Promise<readonly KeyedStateHandle[]>
  /**
   * The coordinator has completed a checkpoint that this backend took a snapshot for, or a later one: following ones may
   * refer to its files. Absent: the backend does not care.
   */
  notifyCheckpointComplete?(checkpointId: number): void
  /** Gives up a running snapshot. */
  cancelSnapshot(checkpointId: number): void
  /** The task has ended: nothing else is called any more. Frees what garbage collection does not. Absent: nothing to do. */
  close?(): void
  /** Figures of its own, as metrics of the operator. Absent: none. */
  metrics?(): readonly BackendMetric[]
  /** Entries of each state now, over all namespaces: for messages. Absent: the backend cannot say without effort. */
  stateSizes?(): readonly { readonly name: string; readonly entries: number }[]
}

/** Operator (non-keyed) state: lists, redistributed over the subtasks at a restart. */
export interface OperatorStateBackend {
  /** Elements are split evenly over the subtasks (`split`), or every subtask gets all (`union`). */
  listState<T>(name: string, mode?: 'split' | 'union'): OperatorListState<T>
  /** The same map in all subtasks, as long as all change it in the same way. Each name gives one object. */
  broadcastState<K, V>(descriptor: MapStateDescriptor<K, V>): BroadcastState<K, V>
  snapshot(checkpointId: number, streams: CheckpointStreamFactory): Promise<readonly OperatorStateHandle[]>
}

/** A list of values of one operator instance; the whole list is written at each checkpoint. */
export interface OperatorListState<T> {
  get(): readonly T[]
  add(value: T): void
  update(values: readonly T[]): void
  clear(): void
}
