import { defineError } from '@flink-ts/common'

/** A slot is asked for that another allocation has. */
export const SlotOccupied = defineError<{ slot: string; requested: string; occupiedBy: string }>({
  code: 'taskmanager.slot-occupied',
  domain: 'internal',
  retry: 'backoff',
  message: d =>
    `Slot ${d.slot} cannot be given to allocation ${d.requested}: allocation ${d.occupiedBy} has it. ` +
    'Ask for a slot that the latest slot report shows as free.',
})

/** A slot number that this TaskManager does not have. */
export const UnknownSlot = defineError<{ slot: string; slots: number }>({
  code: 'taskmanager.unknown-slot',
  domain: 'internal',
  retry: 'no',
  message: d => `Slot ${d.slot} does not exist: this TaskManager has ${d.slots} slots.`,
})

/** Tasks are submitted for an allocation that is not (or no longer) here. */
export const SlotNotAllocated = defineError<{ allocation: string; job: string }>({
  code: 'taskmanager.slot-not-allocated',
  domain: 'internal',
  retry: 'backoff',
  message: d =>
    `Allocation ${d.allocation} of job ${d.job} is not on this TaskManager (any more). ` +
    'Request a new slot and deploy there.',
})

/** Earlier tasks of an allocation have not ended, and new ones are submitted. */
export const SlotBusy = defineError<{ allocation: string; running: string }>({
  code: 'taskmanager.slot-busy',
  domain: 'internal',
  retry: 'backoff',
  message: d =>
    `Allocation ${d.allocation} still runs ${d.running}: cancel it and wait for its end before the next deployment.`,
})

/** A task did not stop in time after its cancellation; its thread was ended. */
export const CancellationTimedOut = defineError<{ task: string; timeoutMs: number }>({
  code: 'taskmanager.cancellation-timed-out',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.task} did not stop within ${d.timeoutMs} ms after its cancellation, so its slot thread was terminated. ` +
    'Look for an endless loop or a promise that never settles in user code; ' +
    'task.cancellation.timeout sets the time allowed.',
})

/** A life-cycle call, a timer or work outside of any call of an operator failed. The user's stack comes first. */
export const OperatorFailed = defineError<{ task: string; operator: string; step: string; error: string }>({
  code: 'taskmanager.operator-failed',
  domain: 'user',
  retry: 'backoff',
  message: d => `${d.error} (in ${d.step} of operator '${d.operator}' of ${d.task})`,
})

/** Code of a job threw where nothing of ours was on the stack: in a callback, or in a promise that nobody handles. */
export const UncaughtError = defineError<{ job: string; slot: string; origin: string; error: string }>({
  code: 'taskmanager.uncaught-error',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `${d.error} (${d.origin}, in slot ${d.slot} of job ${d.job}: the thread had to be ended. Catch errors in callbacks, ` +
    'and await or catch every promise)',
})

/** The thread of a slot ended although nobody asked it to. */
export const SlotThreadDied = defineError<{ slot: string; exitCode: number }>({
  code: 'taskmanager.slot-thread-died',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `The thread of slot ${d.slot} ended by itself (exit code ${d.exitCode}). If a cause below names memory, give each ` +
    'slot more or let operators keep less; otherwise look for process.exit in user code.',
})

/** A slot was taken away from its job. */
export const SlotFreed = defineError<{ allocation: string; reason: string }>({
  code: 'taskmanager.slot-freed',
  domain: 'internal',
  retry: 'backoff',
  message: d => `The slot of allocation ${d.allocation} was freed: ${d.reason}.`,
})

/** The task cannot take part in a checkpoint now. */
export const CheckpointNotPossible = defineError<{ checkpointId: number; task: string; reason: string }>({
  code: 'taskmanager.checkpoint-not-possible',
  domain: 'internal',
  retry: 'backoff',
  message: d => `${d.task} cannot take part in checkpoint ${d.checkpointId}: ${d.reason}.`,
})

/** Taking the snapshot of a task failed. */
export const SnapshotFailed = defineError<{ checkpointId: number; task: string; reason: string }>({
  code: 'taskmanager.snapshot-failed',
  domain: 'external',
  retry: 'backoff',
  message: d => `${d.task} could not take its snapshot for checkpoint ${d.checkpointId}: ${d.reason}`,
})

/** A checkpoint has records for an input that the job no longer has. */
export const RecordsWithoutInput = defineError<{ operator: string; input: number }>({
  code: 'taskmanager.records-without-input',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The checkpoint was unaligned: it holds records that were on their way to input ${d.input} of operator ` +
    `'${d.operator}', and in this job nothing comes to it there through a channel (any more). Restore the job as it was, ` +
    'take a savepoint, and restore the changed job from that: savepoints hold no records on their way.',
})

/** A job has checkpoints switched on and no place for them. */
export const CheckpointDirectoryMissing = defineError<{ job: string }>({
  code: 'taskmanager.checkpoint-directory-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Job ${d.job} takes checkpoints but has no directory for them: set execution.checkpointing.dir.`,
})

/** A deployment names a vertex, operator or partner that does not fit the job graph or the slots here. */
export const InvalidDeployment = defineError<{ task: string; problem: string }>({
  code: 'taskmanager.invalid-deployment',
  domain: 'internal',
  retry: 'no',
  message: d => `The deployment of ${d.task} cannot be carried out: ${d.problem}.`,
})

/** A file that a program has registered could not be copied. */
export const CachedFileUnavailable = defineError<{ job: string; name: string; uri: string }>({
  code: 'taskmanager.cached-file-unavailable',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The cached file '${d.name}' (${d.uri}) of job ${d.job} could not be fetched from the JobManager. See the cause.`,
})

/** A cached file that cannot be what a client of this version sends. */
export const CachedFileInvalid = defineError<{ name: string; reason: string }>({
  code: 'taskmanager.cached-file-invalid',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The cached file '${d.name}' cannot be stored: ${d.reason}. Submit the job with a client of this version.`,
})

/** The code of a job could not be fetched or unpacked. */
export const BundleUnavailable = defineError<{ job: string; blobKey: string }>({
  code: 'taskmanager.bundle-unavailable',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The bundle ${d.blobKey} of job ${d.job} could not be fetched from the JobManager. See the cause.`,
})

/** A large result of a task did not get to the JobManager. */
export const ResultNotStored = defineError<{ task: string; names: readonly string[] }>({
  code: 'taskmanager.result-not-stored',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The results of ${d.task} (${d.names.join(', ')}) could not be stored at the JobManager. See the cause; check the ` +
    'space in its io.tmp.dirs, or write large results to a sink.',
})

/** The accumulators of a task cannot travel to the JobManager. */
export const ResultUndeliverable = defineError<{ task: string; names: readonly string[]; reason: string }>({
  code: 'taskmanager.result-undeliverable',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The results of ${d.task} (${d.names.join(', ')}) cannot be told to the JobManager: ${d.reason} Keep accumulators ` +
    'small and of plain data, and write large results to a sink.',
})

/** The connection on which a channel lived was lost. */
export const ChannelLost = defineError<{ channel: string }>({
  code: 'taskmanager.channel-lost',
  domain: 'external',
  retry: 'backoff',
  message: d => `The data connection of channel ${d.channel} was lost. See the cause.`,
})

/** Keyed state is used by an operator that has no key. */
export const KeyedStateWithoutKey = defineError<{ operator: string }>({
  code: 'taskmanager.keyed-state-without-key',
  domain: 'user',
  retry: 'no',
  message: d => `Operator '${d.operator}' uses keyed state, but its input has no key: put keyBy before it.`,
})

/** An operator emitted more at once than its channels and the overdraft hold. */
export const OverdraftExceeded = defineError<{
  task: string
  operator: string
  waitingBytes: number
  maxBytes: number
}>({
  code: 'taskmanager.overdraft-exceeded',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' of ${d.task} emitted so much from a single record or timer that ${d.waitingBytes} bytes ` +
    `would wait for room in the channels, and ${d.maxBytes} are allowed. Emit less for each record (one window or ` +
    'timer at a time, smaller records), or raise taskmanager.network.max-overdraft-size.',
})

/** An operator emitted more records at once than may wait for a task of the same slot. */
export const QueueExceeded = defineError<{
  task: string
  operator: string
  waiting: number
  maxRecords: number
}>({
  code: 'taskmanager.queue-exceeded',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Operator '${d.operator}' of ${d.task} emitted so many records from a single record or timer that ${d.waiting} ` +
    `would wait for the next task, and ${d.maxRecords} are allowed. Emit less for each record, or raise ` +
    'taskmanager.network.max-overdraft-records.',
})

/** A slot needs more memory than it has. */
export const SlotOutOfMemory = defineError<{
  job: string
  slot: string
  usedBytes: number | undefined
  limitBytes: number
  largestStates: readonly string[]
}>({
  code: 'taskmanager.slot-out-of-memory',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `Job ${d.job} used up the memory of slot ${d.slot}: ` +
    `${d.usedBytes === undefined ? 'more than V8 allows' : `${d.usedBytes} bytes are in use`} of a limit of ` +
    `${d.limitBytes} bytes. ` +
    (d.largestStates.length > 0
      ? `Largest states: ${d.largestStates.join(', ')}. `
      : 'There was no large keyed state when it was last asked for: look at what user code keeps itself. ') +
    'Raise taskmanager.memory.task.heap.size (the slots of a TaskManager share it evenly), ' +
    'have fewer slots (taskmanager.numberOfTaskSlots), or keep less state: a higher parallelism, shorter windows, ' +
    'fewer keys.',
})

/** The channels of a job do not fit into a TaskManager, whatever else runs there. */
export const NetworkMemoryTooSmall = defineError<{
  job: string
  channels: number
  neededBytes: number
  limitBytes: number
}>({
  code: 'taskmanager.network-memory-too-small',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Job ${d.job} needs ${d.neededBytes} bytes of network memory on this TaskManager, ${d.channels} channels of the ` +
    `last slot included, and it has ${d.limitBytes}. Set taskmanager.memory.network.min to ${d.neededBytes} or more ` +
    '(and taskmanager.memory.network.max, if set, not below it), or lower the parallelism, or have more TaskManagers.',
})

/** The channels of a job do not fit beside those of other jobs. */
export const NetworkMemoryTaken = defineError<{
  job: string
  channels: number
  neededBytes: number
  othersBytes: number
  limitBytes: number
}>({
  code: 'taskmanager.network-memory-taken',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `Job ${d.job} needs ${d.neededBytes} bytes of network memory on this TaskManager, ${d.channels} channels of the ` +
    `last slot included. It has ${d.limitBytes}, and other jobs use ${d.othersBytes} of them. Wait until these have ` +
    `ended, or set taskmanager.memory.network.min to ${d.neededBytes + d.othersBytes} or more ` +
    '(and taskmanager.memory.network.max, if set, not below it).',
})

/** The configured bounds of network memory contradict each other. */
export const NetworkMemoryBounds = defineError<{ minBytes: number; maxBytes: number }>({
  code: 'taskmanager.network-memory-bounds',
  domain: 'user',
  retry: 'no',
  message: d =>
    `taskmanager.memory.network.min is ${d.minBytes} bytes and taskmanager.memory.network.max ${d.maxBytes}: ` +
    'set min to at most max.',
})

/** The configured memory of tasks is too little for so many slots. */
export const SlotMemoryTooSmall = defineError<{
  taskHeapBytes: number
  slots: number
  requiredBytes: number
}>({
  code: 'taskmanager.slot-memory-too-small',
  domain: 'user',
  retry: 'no',
  message: d =>
    `taskmanager.memory.task.heap.size is ${d.taskHeapBytes} bytes for ${d.slots} slots: set it to at least ` +
    `${d.requiredBytes} bytes, or have fewer slots (taskmanager.numberOfTaskSlots).`,
})
