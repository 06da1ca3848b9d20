import { defineError } from '@flink-ts/common'

/** The slots that a job needs did not come in time. */
export const NoResourceAvailable = defineError<{ needed: number; available: number; timeoutMs: number }>({
  code: 'jobmanager.no-resource-available',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The job needs ${d.needed} slots but got only ${d.available} within ${d.timeoutMs} ms (slot.request.timeout). ` +
    'Start more TaskManagers (bin/taskmanager.sh start), raise taskmanager.numberOfTaskSlots, or lower the ' +
    "job's parallelism.",
})

/** A TaskManager with tasks or slots of the job is gone. */
export const TaskManagerLost = defineError<{ taskManager: string; dataAddress: string; reason: string }>({
  code: 'jobmanager.task-manager-lost',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `TaskManager ${d.taskManager} (${d.dataAddress}) is gone: ${d.reason.replace(/\.$/, '')}. Its log may say why.`,
})

/** A TaskManager did not accept tasks. */
export const DeploymentRefused = defineError<{ taskManager: string; reason: string }>({
  code: 'jobmanager.deployment-refused',
  domain: 'internal',
  retry: 'backoff',
  message: d => `TaskManager ${d.taskManager} did not accept tasks: ${d.reason}`,
})

/** A task reported FAILED without saying why. */
export const TaskFailedWithoutCause = defineError<{ task: string }>({
  code: 'jobmanager.task-failed-without-cause',
  domain: 'internal',
  retry: 'backoff',
  message: d => `${d.task} failed and gave no cause; the log of its TaskManager may have one.`,
})

/** Checkpoints are on but there is nowhere to put them. */
export const CheckpointDirectoryMissing = defineError<{ jobName: string }>({
  code: 'jobmanager.checkpoint-directory-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Job '${d.jobName}' takes checkpoints, but no directory is set: set execution.checkpointing.dir in the ` +
    'configuration or give a checkpoint directory in the job.',
})

/** More checkpoints in a row failed than the job tolerates. */
export const CheckpointFailuresExceeded = defineError<{ failures: number; tolerable: number; last: string }>({
  code: 'jobmanager.checkpoint-failures-exceeded',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `${d.failures} checkpoints failed in a row, ${d.tolerable} are tolerated ` +
    `(execution.checkpointing.tolerable-failed-checkpoints). The last one: ${d.last}`,
})

/** A checkpoint was not complete in time. */
export const CheckpointExpired = defineError<{
  checkpointId: number
  timeoutMs: number
  missing: readonly string[]
}>({
  code: 'jobmanager.checkpoint-expired',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `Checkpoint ${d.checkpointId} was not complete after ${d.timeoutMs} ms (execution.checkpointing.timeout); ` +
    `not acknowledged by ${d.missing.join('; ')}.`,
})

/** The snapshot to start from has state of operators that the job does not have. */
export const StateNotRestored = defineError<{ path: string; operators: readonly string[] }>({
  code: 'jobmanager.state-not-restored',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.path} has state that no operator of the job takes over: operator ${d.operators.join('; operator ')}. Give ` +
    'the operators the uid they had, or start with --allowNonRestoredState to drop that state.',
})

/** The number of key groups differs from that of the snapshot. */
export const MaxParallelismChanged = defineError<{ operator: string; restored: number; job: number }>({
  code: 'jobmanager.max-parallelism-changed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The keyed state of ${d.operator} was written with max parallelism ${d.restored}, the job has ${d.job}. ` +
    `Call setMaxParallelism(${d.restored}) for it.`,
})

/** The snapshot to start from cannot be read. */
export const RestoreFailed = defineError<{ path: string; reason: string }>({
  code: 'jobmanager.restore-failed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The job cannot start from ${d.path}: ${d.reason}. Give the folder of a completed checkpoint or savepoint.`,
})

/** A session called a method before it registered its TaskManager. A fault of the caller. */
export const TaskManagerNotRegistered = defineError<{ peer: string; method: string }>({
  code: 'jobmanager.task-manager-not-registered',
  domain: 'internal',
  retry: 'no',
  message: d => `${d.peer} called ${d.method} before registerTaskManager.`,
})

/** The JobManager process stops while the job runs. */
export const JobSuspended = defineError<{ jobId: string }>({
  code: 'jobmanager.job-suspended',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The JobManager stopped while job ${d.jobId} was running. Its last completed checkpoint is kept.`,
})

/** A message about a job came when the job was over. */
export const JobIsOver = defineError<{ jobId: string; status: string }>({
  code: 'jobmanager.job-is-over',
  domain: 'internal',
  retry: 'no',
  message: d => `Job ${d.jobId} is over (${d.status}) and takes no TaskManagers.`,
})

/** The process that runs coordinators is gone, or did not start. */
export const JobHostLost = defineError<{ reason: string }>({
  code: 'jobmanager.job-host-lost',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The job host, which runs split enumerators and global committers, is gone: ${d.reason.replace(/\.$/, '')}. The ` +
    'log of the JobManager may say why.',
})

/** Somebody registered as job host whom this JobManager did not start. */
export const UnknownJobHost = defineError<{ pid: number }>({
  code: 'jobmanager.unknown-job-host',
  domain: 'internal',
  retry: 'no',
  message: d =>
    `Process ${d.pid} registered as job host, but this JobManager did not start it or has given it up.`,
})

/** What a coordinator sent did not reach its subtask, although that still runs. */
export const OperatorEventNotDelivered = defineError<{ attemptId: string }>({
  code: 'jobmanager.operator-event-not-delivered',
  domain: 'internal',
  retry: 'backoff',
  message: d => `An event from a coordinator did not reach task ${d.attemptId}.`,
})

/** A snapshot lacks what the coordinator of an operator has to go on from. */
export const CoordinatorStateMissing = defineError<{ path: string; operators: readonly string[] }>({
  code: 'jobmanager.coordinator-state-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The snapshot ${d.path} has state of readers of ${d.operators.join(', ')}, but none of the part that hands out ` +
    'splits: the operator had none when the snapshot was taken. Give the source another uid to start it afresh ' +
    '(with allowNonRestoredState), or restore with the program that took the snapshot.',
})

/** A savepoint, or a checkpoint by hand, was not taken. */
export const SavepointFailed = defineError<{ reason: string }>({
  code: 'jobmanager.savepoint-failed',
  domain: 'external',
  retry: 'backoff',
  message: d => `No snapshot was taken: ${d.reason}. What was written of it is removed.`,
})

/** A savepoint, or a checkpoint by hand, of a job in BATCH mode. */
export const SnapshotOfBatch = defineError<{ jobId: string }>({
  code: 'jobmanager.snapshot-of-batch',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Job ${d.jobId} runs in BATCH mode, which takes no snapshots: wait for its end, cancel it, or run it with ` +
    'execution.runtime-mode: STREAMING.',
})

/** The savepoint to stop with is there, but the job failed before it had ended. */
export const StopFailed = defineError<{ pointer: string; reason: string }>({
  code: 'jobmanager.stop-failed',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `Savepoint ${d.pointer} is complete, but the job did not end with it: ${d.reason}. If the job runs again, it has ` +
    'gone on from that savepoint; stop it once more, or cancel it.',
})

/** Nobody said where savepoints go. */
export const SavepointDirectoryMissing = defineError<{ jobId: string }>({
  code: 'jobmanager.savepoint-directory-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `There is no directory for a savepoint of job ${d.jobId}: give one, or set execution.checkpointing.savepoint-dir.`,
})

/** The newest snapshot is the end of a job, and going on from it would most likely do nothing. */
export const LatestIsDrained = defineError<{ jobName: string; path: string; jobId: string }>({
  code: 'jobmanager.latest-is-drained',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The newest snapshot of a job named '${d.jobName}' is ${d.path}, with which job ${d.jobId} was drained: its input ` +
    'ended, its windows and timers have fired. What is older would repeat what was written since. Name one by its path ' +
    '(-s) to take it all the same, or start without.',
})

/** `latest` found nothing to start from. */
export const NoSnapshotFound = defineError<{ jobName: string; directories: readonly string[] }>({
  code: 'jobmanager.no-snapshot-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `There is no checkpoint or savepoint of a job named '${d.jobName}' in ${d.directories.join(', ')}. Give the path of ` +
    'one, set execution.checkpointing.dir and execution.checkpointing.savepoint-dir to where they are, or start without.',
})
