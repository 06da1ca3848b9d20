import { totalmem } from 'node:os'
import { constrainedMemory } from 'node:process'
import { type Configuration, durationType, memorySizeType, type OptionType, option } from '@flink-ts/common'
import {
  MAX_OVERDRAFT_RECORDS,
  MAX_OVERDRAFT_SIZE,
  NETWORK_MEMORY_FRACTION,
  NETWORK_MEMORY_MAX,
  NETWORK_MEMORY_MIN,
  RING_SIZE,
} from '@flink-ts/network'
import { type StateSettings, stateSettingsOf } from '@flink-ts/state'
import { NetworkMemoryBounds, SlotMemoryTooSmall } from './errors.ts'
import type { OverdraftLimits } from './stream-task/overdraft.ts'

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

/** Memory of all slots of a TaskManager together. */
export const TASK_HEAP_SIZE = option(
  'taskmanager.memory.task.heap.size',
  memorySizeType as OptionType<number | undefined>,
  {
    defaultValue: undefined,
    description:
      'Memory of the tasks of a TaskManager, JavaScript heap and buffers, shared evenly by its slots. A slot that uses ' +
      '90 % of its part is ended: its tasks fail, other slots go on. Default: half of the memory of the machine or of ' +
      'the container, but at most 4 GB for each slot. With several TaskManagers on a host, set it.',
  },
)

const MAX_DEFAULT_SLOT_BYTES = 4 * 1024 ** 3

/** How long {@link TaskExecutor.drain} waits for tasks. */
export const DRAIN_TIMEOUT = option('taskmanager.drain-timeout', durationType, {
  defaultValue: 30_000,
  description:
    'How long a TaskManager that is stopped (bin/taskmanager.sh stop, SIGUSR2) lets its tasks go on, without taking new ' +
    'ones; those that are left are restarted elsewhere from their latest checkpoint.',
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
  readonly drainTimeoutMs: number
  readonly registration: BackoffSettings
  /** Of all channels together, and of one at best. */
  readonly networkMemory: { readonly limitBytes: number; readonly channelBytes: number }
  readonly state: StateSettings
  readonly slotMemoryBytes: number
  readonly overdraftLimits: OverdraftLimits
}

/** Pauses between attempts: the first, doubled up to the longest. */
export interface BackoffSettings {
  readonly initialMs: number
  readonly maxMs: number
}

/**
 * Throws `common.invalid-option-value`, `taskmanager.slot-memory-too-small` and `taskmanager.network-memory-bounds`.
 * @param slots of the TaskManager
 * @param storeFolder of this TaskManager alone, for state that is kept in files
 */
export function taskExecutorSettingsOf(
  configuration: Configuration,
  slots: number,
  storeFolder?: string,
): TaskExecutorSettings {
  return {
    cancellationTimeoutMs: configuration.get(TASK_CANCELLATION_TIMEOUT),
    slotTimeoutMs: configuration.get(SLOT_TIMEOUT),
    drainTimeoutMs: configuration.get(DRAIN_TIMEOUT),
    registration: {
      initialMs: configuration.get(REGISTRATION_INITIAL_PAUSE),
      maxMs: configuration.get(REGISTRATION_MAX_PAUSE),
    },
    networkMemory: {
      limitBytes: networkMemoryBytes(configuration),
      channelBytes: configuration.get(RING_SIZE),
    },
    state: { ...stateSettingsOf(configuration), localDirectory: storeFolder },
    slotMemoryBytes: slotMemoryBytes(configuration.get(TASK_HEAP_SIZE), slots),
    overdraftLimits: {
      maxBytes: configuration.get(MAX_OVERDRAFT_SIZE),
      maxRecords: configuration.get(MAX_OVERDRAFT_RECORDS),
    },
  }
}

/** A slot thread without any task needs about a third of it. */
const MIN_SLOT_BYTES = 32 * 1024 ** 2

function slotMemoryBytes(taskHeapBytes: number | undefined, slots: number): number {
  if (taskHeapBytes === undefined) return Math.min(machineMemoryBytes() / 2 / slots, MAX_DEFAULT_SLOT_BYTES)
  const slotBytes = taskHeapBytes / slots
  if (slotBytes < MIN_SLOT_BYTES)
    throw SlotMemoryTooSmall({ taskHeapBytes, slots, requiredBytes: MIN_SLOT_BYTES * slots })
  return slotBytes
}

function networkMemoryBytes(configuration: Configuration): number {
  const minBytes = configuration.get(NETWORK_MEMORY_MIN)
  const maxBytes = configuration.get(NETWORK_MEMORY_MAX) ?? Number.MAX_SAFE_INTEGER
  if (minBytes > maxBytes) throw NetworkMemoryBounds({ minBytes, maxBytes })
  const partBytes = Math.floor(configuration.get(NETWORK_MEMORY_FRACTION) * machineMemoryBytes())
  return Math.min(maxBytes, Math.max(minBytes, partBytes))
}

/** Of the container if it has a limit: 0 and absurdly large values stand for none. */
function machineMemoryBytes(): number {
  const limit = constrainedMemory()
  return limit > 0 && limit < totalmem() ? limit : totalmem()
}
