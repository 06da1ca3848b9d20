// Owns: state descriptors, key groups, the heap backend, snapshot formats and checkpoint storage.
// Called by: operators and taskmanager (backends), jobmanager (handles, key groups, storage).
// Calls: serialization (values, keys), filesystem (storage).
// Thread: backends belong to one slot thread; handles are plain data.
export type {
  Key,
  KeyedStateBackend,
  KeyGroupedParticipant,
  NamespacedState,
  OperatorListState,
  OperatorStateBackend,
  StateEntry,
  StateTable,
  TimerEntry,
} from './api/keyed-state-backend.ts'
export { type StateDescriptor, type ValueState, ValueStateDescriptor } from './api/state-descriptor.ts'
export {
  type CheckpointMetadata,
  type KeyedStateHandle,
  locationSizeBytes,
  type OperatorState,
  type OperatorStateHandle,
  type OperatorSubtaskState,
  type StateLocation,
  type TaskStateSnapshot,
} from './snapshot/state-handle.ts'
export type { BlobOutput, CheckpointStorage, CheckpointStreamFactory } from './storage/checkpoint-storage.ts'
