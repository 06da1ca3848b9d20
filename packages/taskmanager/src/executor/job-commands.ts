import type { ExecutionAttemptId } from '@flink-ts/common'
import type { TaskExecutorGateway } from '@flink-ts/gateways'
import type { AllocatedSlot } from '../slots/allocated-slot.ts'
import type { SlotCommand } from '../thread/slot-messages.ts'
import type { JobLocalState } from './local-state.ts'

/** Calls of a JobMaster that concern tasks only: passed on to the slots that run them. */
export type JobCommands = Omit<TaskExecutorGateway, 'requestSlot' | 'inspect' | 'freeSlot' | 'submitTasks'>

/**
 * @param slots those of the job
 * @param copies what this TaskManager keeps of the job's state
 */
export function jobCommands(
  slots: () => Iterable<AllocatedSlot>,
  copies: Pick<JobLocalState, 'complete' | 'aborted'>,
): JobCommands {
  const toTasks = (
    attemptIds: readonly ExecutionAttemptId[],
    command: (own: readonly ExecutionAttemptId[]) => SlotCommand,
  ): void => {
    const wanted = new Set(attemptIds)
    for (const slot of slots()) {
      const own = slot.liveTasks.filter(id => wanted.has(id))
      if (own.length > 0) slot.post(command(own))
    }
  }
  return {
    cancelTask: async attemptId => {
      for (const slot of slots()) slot.cancel(attemptId)
    },
    triggerCheckpoint: async (attemptIds, trigger) =>
      toTasks(attemptIds, own => ({ type: 'trigger', attemptIds: own, trigger })),
    drainSources: async attemptIds => toTasks(attemptIds, own => ({ type: 'drain', attemptIds: own })),
    notifyCheckpointComplete: async (attemptIds, checkpointId) => {
      copies.complete(checkpointId)
      toTasks(attemptIds, own => ({ type: 'complete', attemptIds: own, checkpointId }))
    },
    notifyCheckpointAborted: async (attemptIds, checkpointId) => {
      copies.aborted(checkpointId)
      toTasks(attemptIds, own => ({ type: 'aborted', attemptIds: own, checkpointId }))
    },
    sendOperatorEvent: async (attemptId, operatorId, event) =>
      // A copy of its own: posting part of a buffer would copy the whole.
      toTasks([attemptId], () => ({
        type: 'operator-event',
        attemptId,
        operatorId,
        event: new Uint8Array(event),
      })),
  }
}
