import { defineError } from '@flink-ts/common'

/** A state is used as one kind and was declared or stored as another. */
export const StateKindMismatch = defineError<{ name: string; existing: string; requested: string }>({
  code: 'state.kind-mismatch',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State '${d.name}' is of kind '${d.existing}' but is now declared as '${d.requested}'. ` +
    'Give the new state another name, or declare it as before.',
})

/** An operator list is used in one mode and was declared or stored in another. */
export const ListModeMismatch = defineError<{ name: string; existing: string; requested: string }>({
  code: 'state.list-mode-mismatch',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator list '${d.name}' is redistributed by '${d.existing}' but is now declared with '${d.requested}'. ` +
    'Give the new list another name, or declare it as before.',
})

/** A descriptor that cannot be used. */
export const InvalidDescriptor = defineError<{ name: string; reason: string }>({
  code: 'state.invalid-descriptor',
  domain: 'user',
  retry: 'no',
  message: d => `The descriptor of state '${d.name}' is not valid: ${d.reason}.`,
})

/** One state is asked for by descriptors that contradict each other. */
export const ConflictingDeclaration = defineError<{ name: string }>({
  code: 'state.conflicting-declaration',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State '${d.name}' is declared twice in one operator, with different times to live. Use one descriptor for both, or ` +
    'give one of the states another name.',
})

/** Stored values cannot become what the descriptor declares. */
export const IncompatibleType = defineError<{
  name: string
  field: string
  stored: string
  declared: string
}>({
  code: 'state.incompatible-type',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State '${d.name}' was stored with ${d.field} of type ${d.stored}, but is declared with ${d.declared}. Declare what ` +
    'is stored, give new fields a default, or turn stored values into new ones by `migrate` of the descriptor. Nothing ' +
    'was changed.',
})

/** The user's migration of stored values failed. */
export const MigrationFailed = defineError<{ name: string; key: string; reason: string }>({
  code: 'state.migration-failed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The function \`migrate\` of state '${d.name}' failed for the value of key ${d.key}: ${d.reason}. It is called with ` +
    'each stored value that does not fit the declared type, and must give one that does.',
})

/** There is no such state backend. */
export const StateBackendNotLoaded = defineError<{ name: string; reason: string }>({
  code: 'state.backend-not-loaded',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State backend '${d.name}' can't be used: ${d.reason}. Set state.backend.type to hashmap, or to a module that every ` +
    'TaskManager can import.',
})

/** A backend that cannot let values expire. */
export const TimeToLiveUnsupported = defineError<{ name: string; backend: string }>({
  code: 'state.time-to-live-unsupported',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State '${d.name}' has a time to live, which the state backend '${d.backend}' does not offer. Use the hashmap backend, ` +
    'or no time to live.',
})

/** A time to live that makes no sense. */
export const InvalidTimeToLive = defineError<{ what: string; value: string; expected: string }>({
  code: 'state.invalid-time-to-live',
  domain: 'user',
  retry: 'no',
  message: d => `${d.value} is no valid ${d.what} of a StateTtlConfig: give ${d.expected}.`,
})

/** Lists hold no undefined and no null. */
export const InvalidElement = defineError<{ name: string; value: string }>({
  code: 'state.invalid-element',
  domain: 'user',
  retry: 'no',
  message: d => `List state '${d.name}' can't hold ${d.value}: leave such elements out.`,
})

/** The backend does not offer this kind of state, or not for this use. */
export const UnsupportedStateKind = defineError<{ name: string; kind: string; known: readonly string[] }>({
  code: 'state.unsupported-kind',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State '${d.name}' is of kind '${d.kind}', which can't be used in this way. Known: ${d.known.join(', ')}.`,
})

/** Keyed state is used where there is no key. */
export const NoCurrentKey = defineError<{ name: string }>({
  code: 'state.no-current-key',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State '${d.name}' was used without a current key. Use keyed state only while a record or a timer is processed, ` +
    'not in open() or close().',
})

/** A value is inserted for a key that has one. */
export const DuplicateInsert = defineError<{ name: string; key: string }>({
  code: 'state.duplicate-insert',
  domain: 'internal',
  retry: 'no',
  message: d =>
    `State '${d.name}' has an entry of key ${d.key} already: find it instead of inserting another one.`,
})

/** Two timer queues of one operator have the same name. */
export const DuplicateParticipant = defineError<{ name: string }>({
  code: 'state.duplicate-participant',
  domain: 'internal',
  retry: 'no',
  message: d =>
    `There is a timer queue '${d.name}' already: each queue of an operator needs a name of its own.`,
})

/** A key arrived at a subtask that is not responsible for it. */
export const KeyNotInRange = defineError<{ key: string; keyGroup: number; start: number; end: number }>({
  code: 'state.key-not-in-range',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Key ${d.key} belongs to key group ${d.keyGroup}, but this subtask owns ${d.start} to ${d.end}. A key selector must ` +
    'give the same key each time it is called with the same record, and keys must not be changed afterwards.',
})

/** A snapshot was requested while another one is being written. */
export const SnapshotInProgress = defineError<{ checkpointId: number; running: number }>({
  code: 'state.snapshot-in-progress',
  domain: 'internal',
  retry: 'backoff',
  message: d =>
    `Snapshot ${d.checkpointId} can't begin while ${d.running} is being written: wait for it or cancel it.`,
})

/** Stored state has another maximum parallelism than the job. */
export const MaxParallelismChanged = defineError<{ what: string; stored: number; requested: number }>({
  code: 'state.max-parallelism-changed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The keyed state of ${d.what} was stored with maximum parallelism ${d.stored}, but the job now has ${d.requested}. ` +
    `It can't be changed for existing state: set it to ${d.stored} for that operator (setMaxParallelism).`,
})

/** A state file does not contain what it should. */
export const CorruptSnapshot = defineError<{ where: string; reason: string }>({
  code: 'state.corrupt-snapshot',
  domain: 'external',
  retry: 'no',
  message: d => `State in ${d.where} can't be read: ${d.reason}. Restore from another checkpoint.`,
})

/** Stored state of a later version of this software. */
export const NewerFormat = defineError<{ where: string; version: number; newest: number }>({
  code: 'state.newer-format',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.where} has format version ${d.version}; this version reads up to ${d.newest}. ` +
    'Restore it with the version of flink-ts that wrote it, or a later one.',
})

/** There is no checkpoint at the given place. */
export const CheckpointNotFound = defineError<{ pointer: string; hint: string }>({
  code: 'state.checkpoint-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `There is no complete checkpoint at ${d.pointer}: it has no file _metadata. ${d.hint}`,
})

/** The file is not one of ours. */
export const NotACheckpoint = defineError<{ pointer: string; reason: string }>({
  code: 'state.not-a-checkpoint',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.pointer} is no checkpoint of flink-ts: ${d.reason}. Give the folder of a checkpoint or its _metadata file ` +
    '(checkpoints of Apache Flink itself are not readable).',
})

/** Another coordinator has completed the same checkpoint. */
export const CheckpointAlreadyCompleted = defineError<{ pointer: string; checkpointId: number }>({
  code: 'state.checkpoint-already-completed',
  domain: 'internal',
  retry: 'no',
  message: d =>
    `Checkpoint ${d.checkpointId} at ${d.pointer} was completed before, by another coordinator or an earlier run. ` +
    'Nothing was changed; the one that is there counts.',
})

/** Reading or writing the state of a running job failed; by the next try the storage may be whole again. */
export const CheckpointStorageFailed = defineError<{ reason: string }>({
  code: 'state.checkpoint-storage-failed',
  domain: 'external',
  retry: 'backoff',
  message: d => `The checkpoint storage failed. ${d.reason}`,
})

/** Nothing can be written to the folder that a savepoint is to go to. */
export const SavepointDirectoryUnusable = defineError<{ directory: string; reason: string }>({
  code: 'state.savepoint-directory-unusable',
  domain: 'user',
  retry: 'no',
  message: d =>
    `No savepoint can be written to ${d.directory}. ${d.reason} The job goes on: give another folder, or mend this one.`,
})

/** The folder for the checkpoints of a job cannot be used, found out before the job starts. */
export const CheckpointDirectoryUnusable = defineError<{ directory: string; reason: string }>({
  code: 'state.checkpoint-directory-unusable',
  domain: 'user',
  retry: 'no',
  message: d =>
    `No checkpoints can be written to ${d.directory}. ${d.reason} The job was not started: mend the folder, or set ` +
    'another one by execution.checkpointing.dir.',
})
