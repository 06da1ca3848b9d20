import { type Configuration, durationType, option } from '@flink-ts/common'
import { RING_SIZE } from '@flink-ts/network'
import { CHECKPOINT_INLINE_THRESHOLD } from '@flink-ts/state'

/** How long a task may take to stop. */
export const TASK_CANCELLATION_TIMEOUT = option('task.cancellation.timeout', durationType, {
  defaultValue: 10_000,
  description:
    'How long a task may take to stop after its cancellation or failure. Then the thread of its slot is terminated, ' +
    'which ends the other tasks of the same job there too.',
})

/** How long an unaccepted slot waits for its job. */
export const SLOT_TIMEOUT = option('taskmanager.slot.timeout', durationType, {
  defaultValue: 10_000,
  description:
    'How long a slot that was given to a job waits for the JobMaster to take it, before it is free again.',
  deprecatedKeys: ['akka.ask.timeout'],
})

/** First pause between attempts to connect. */
export const REGISTRATION_INITIAL_PAUSE = option('cluster.registration.initial-timeout', durationType, {
  defaultValue: 20,
  description: 'Pause before the second attempt to reach the JobManager. It doubles with each further one.',
})

/** Longest pause between attempts to connect. */
export const REGISTRATION_MAX_PAUSE = option('cluster.registration.max-timeout', durationType, {
  defaultValue: 1000,
  description: 'Longest pause between attempts to reach the JobManager.',
})

/** What a TaskExecutor takes from the configuration. */
export interface TaskExecutorSettings {
  readonly cancellationTimeoutMs: number
  readonly slotTimeoutMs: number
  readonly registration: BackoffSettings
  readonly ringSizeBytes: number
  readonly inlineThresholdBytes: number
}

/** Pauses between attempts: the first, doubled up to the longest. */
export interface BackoffSettings {
  readonly initialMs: number
  readonly maxMs: number
}

/** Throws `common.invalid-option-value`. */
export function taskExecutorSettingsOf(configuration: Configuration): TaskExecutorSettings {
  return {
    cancellationTimeoutMs: configuration.get(TASK_CANCELLATION_TIMEOUT),
    slotTimeoutMs: configuration.get(SLOT_TIMEOUT),
    registration: {
      initialMs: configuration.get(REGISTRATION_INITIAL_PAUSE),
      maxMs: configuration.get(REGISTRATION_MAX_PAUSE),
    },
    ringSizeBytes: configuration.get(RING_SIZE),
    inlineThresholdBytes: configuration.get(CHECKPOINT_INLINE_THRESHOLD),
  }
}
