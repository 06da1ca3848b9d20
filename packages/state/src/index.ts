// Owns: state descriptors, key groups, the heap backend, snapshot formats and checkpoint storage.
// Called by: operators and taskmanager (backends), jobmanager (handles, key groups, storage).
// Calls: serialization (values, keys), filesystem (storage).
// Thread: backends belong to one slot thread; handles are plain data.
export type {
  Key,
  KeyedStateBackend,
  KeyGroupedParticipant,
  NamespaceBoundState,
  NamespacedState,
  OperatorListState,
  OperatorStateBackend,
  StateEntry,
  StateTable,
  TimerEntry,
} from './api/keyed-state-backend.ts'
export type { KeyedBackendOptions, StateBackend } from './api/state-backend.ts'
export {
  AggregatingStateDescriptor,
  ListStateDescriptor,
  MapStateDescriptor,
  ReducingStateDescriptor,
  type StateDescriptor,
  type StateOptions,
  ValueStateDescriptor,
} from './api/state-descriptor.ts'
export { NO_EVENT_TIME, type StateTime } from './api/state-time.ts'
export {
  StateTtlConfig,
  type StateTtlOptions,
  type TtlTime,
  type TtlUpdateType,
  type TtlVisibility,
} from './api/state-ttl-config.ts'
export type { FieldType, StateType } from './api/state-type.ts'
export type {
  AggregatingState,
  Aggregation,
  AppendingState,
  BroadcastState,
  ListState,
  MapState,
  ReadOnlyBroadcastState,
  ReducingState,
  Reduction,
  State,
  ValueState,
} from './api/user-states.ts'
export { createHashMapKeyedStateBackend } from './backends/hashmap/create-hash-map-keyed-state-backend.ts'
export type { HashMapBackendOptions } from './backends/hashmap/hash-map-keyed-state-backend.ts'
export { loadStateBackend, stateBackendProblem } from './backends/load-state-backend.ts'
export { createOperatorStateBackend } from './backends/operator/create-operator-state-backend.ts'
export { makePlainUserState, type StatePlace } from './backends/plain/plain-user-state.ts'
export {
  CheckpointAlreadyCompleted,
  CheckpointDirectoryUnusable,
  CheckpointNotFound,
  CheckpointStorageFailed,
  ConflictingDeclaration,
  CorruptSnapshot,
  DuplicateInsert,
  DuplicateParticipant,
  IncompatibleType,
  InvalidDescriptor,
  InvalidElement,
  InvalidTimeToLive,
  KeyNotInRange,
  ListModeMismatch,
  MaxParallelismChanged,
  MigrationFailed,
  NewerFormat,
  NoCurrentKey,
  NotACheckpoint,
  SnapshotInProgress,
  StateKindMismatch,
  UnsupportedStateKind,
} from './errors.ts'
export {
  type DescribedState,
  describeSnapshot,
  operatorSizeBytes,
} from './inspection/describe-snapshot.ts'
export { diffSnapshots, type StateDifference } from './inspection/diff-snapshots.ts'
export { type CheckpointReferences, findGarbage } from './inspection/find-garbage.ts'
export {
  type InspectedElement,
  type InspectedEntry,
  type InspectedStorage,
  readKeyedEntries,
  readOperatorElements,
} from './inspection/read-entries.ts'
export { toJson } from './inspection/to-json.ts'
export { assignKeyedState, assignOperatorState } from './keygroup/assign-operator-state.ts'
export { redistributeOperatorState } from './keygroup/redistribute-operator-state.ts'
export { LocalCopies } from './local/local-copies.ts'
export { LocallyCopiedStorage } from './local/locally-copied-storage.ts'
export { ROCKSDB_LOCAL_DIRECTORY } from './rocksdb-options.ts'
export {
  type CapturedBatch,
  type ChannelName,
  channelStateSizeBytes,
  readChannelState,
  type StoredChannel,
  writeChannelState,
} from './snapshot/channel-state-format.ts'
export { METADATA_VERSION } from './snapshot/checkpoint-metadata.ts'
export type {
  KeyedSnapshotHeader,
  SnapshotCompression,
  StoredEntry,
  StoredState,
} from './snapshot/keyed-format.ts'
export { KeyedSnapshotFile } from './snapshot/keyed-snapshot-file.ts'
export { LinkedHandles } from './snapshot/linked-handles.ts'
export { type KeyGroupChunk, readKeyGroups, type StateReader } from './snapshot/read-key-groups.ts'
export {
  type ChannelStateHandle,
  type CheckpointMetadata,
  type KeyedStateHandle,
  locationSizeBytes,
  type OperatorState,
  type OperatorStateHandle,
  type OperatorSubtaskState,
  type StateLocation,
  type TaskStateSnapshot,
} from './snapshot/state-handle.ts'
export {
  CHECKPOINT_INLINE_THRESHOLD,
  jobStateSettingsOf,
  STATE_BACKEND,
  type StateSettings,
  stateSettingsOf,
} from './state-options.ts'
export type { BlobOutput, CheckpointStorage, CheckpointStreamFactory } from './storage/checkpoint-storage.ts'
export { FileCheckpointStorage } from './storage/file-checkpoint-storage.ts'
export { FileSavepointStorage } from './storage/file-savepoint-storage.ts'
export type { FoundSnapshot, SavepointStorage } from './storage/savepoint-storage.ts'
