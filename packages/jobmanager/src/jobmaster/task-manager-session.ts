import type { AllocationId, ExecutionAttemptId, Logger, ResourceId } from '@flink-ts/common'
import type { JobMasterGateway, OperatorEvent, SlotOffer } from '@flink-ts/gateways'
import type { RpcSession } from '@flink-ts/rpc'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import { TaskManagerNotRegistered } from '../errors.ts'
import type { ExecutionGraph } from '../execution-graph/execution-graph.ts'
import type { SchedulerEvent } from '../scheduler/scheduler-protocol.ts'
import type { TaskManagerRegistry } from './task-manager-registry.ts'

/** What a session with a TaskManager needs of its JobMaster. */
export interface TaskManagerSessionPort {
  readonly logger: Logger
  readonly taskManagers: TaskManagerRegistry
  readonly executionGraph: ExecutionGraph
  /** The job has ended: TaskManagers leave because they have nothing more to do. */
  isOver(): boolean
  schedule(event: SchedulerEvent): void
  coordinate(event: CoordinatorEvent): void
  /** For the coordinator of an operator, from the current attempt of a subtask. */
  operatorEvent(event: OperatorEvent): void
  /** The TaskManager will end. Never rejects. */
  draining(taskManager: ResourceId): Promise<void>
  offer(taskManager: ResourceId, offers: readonly SlotOffer[]): readonly AllocationId[]
}

/**
 * Answers the calls of one TaskManager and turns them into events. A session that was replaced by a newer one of the
 * same TaskManager says nothing about the present: its messages are ignored. JobMaster main thread.
 */
export function serveTaskManager(session: RpcSession, port: TaskManagerSessionPort): JobMasterGateway {
  const { logger, taskManagers, executionGraph } = port
  let taskManager: ResourceId | undefined
  const current = (method: string): ResourceId | undefined => {
    if (taskManager === undefined) throw TaskManagerNotRegistered({ peer: session.peer.name, method })
    return taskManagers.has(taskManager, session) ? taskManager : undefined
  }
  const hasTask = (attemptId: ExecutionAttemptId, method: string): boolean => {
    const from = current(method)
    return from !== undefined && executionGraph.byAttempt(attemptId)?.location?.taskManager === from
  }
  const lost = (resourceId: ResourceId, reason: string): void => {
    taskManagers.remove(resourceId)
    if (port.isOver()) logger.debug({ taskManager: resourceId, reason }, 'TaskManager left')
    else logger.warn({ taskManager: resourceId, reason }, 'TaskManager lost')
    port.schedule({ type: 'task-manager-lost', taskManager: resourceId, reason })
  }
  session.onLost(cause => {
    if (taskManager !== undefined && taskManagers.has(taskManager, session)) lost(taskManager, cause.message)
  })
  return {
    registerTaskManager: async registration => {
      const { resourceId, dataAddress } = registration
      if (taskManagers.has(resourceId, session)) return
      const replaced = taskManagers.session(resourceId)
      if (replaced !== undefined) lost(resourceId, 'it registered again')
      taskManagers.add(registration, session)
      replaced?.close('replaced by a newer registration')
      taskManager = resourceId
      logger.debug({ taskManager, dataAddress }, 'TaskManager registered')
      port.schedule({ type: 'task-manager-registered', taskManager, dataAddress })
    },
    offerSlots: async offers => {
      const from = current('offerSlots')
      return from === undefined ? [] : port.offer(from, offers)
    },
    failSlot: async (allocationId, cause) => {
      const from = current('failSlot')
      if (from === undefined) return
      logger.warn({ allocationId, taskManager: from, error: cause }, 'Slot lost')
      port.schedule({ type: 'slot-lost', taskManager: from, allocationId, cause })
    },
    notifyDraining: async () => {
      const from = current('notifyDraining')
      if (from !== undefined) await port.draining(from)
    },
    updateTaskExecutionState: async update => {
      const from = current('updateTaskExecutionState')
      if (from === undefined) return
      const { attemptId, status, error } = update
      if (status === 'FAILED') logger.warn({ attemptId, error }, 'Task failed')
      else logger.debug({ attemptId, status }, 'Task changed state')
      port.schedule({ type: 'task-updated', taskManager: from, update })
    },
    acknowledgeCheckpoint: async acknowledgement => {
      // Late ones too: what they brought has to be removed.
      current('acknowledgeCheckpoint')
      port.coordinate({ type: 'acknowledged', acknowledgement })
    },
    declineCheckpoint: async decline => {
      if (!hasTask(decline.attemptId, 'declineCheckpoint')) return
      const { attemptId, checkpointId, reason } = decline
      logger.warn({ attemptId, checkpointId, error: reason }, 'Checkpoint declined')
      port.coordinate({ type: 'declined', decline })
    },
    notifyEndOfData: async attemptId => {
      if (hasTask(attemptId, 'notifyEndOfData')) port.coordinate({ type: 'end-of-data', attemptId })
    },
    sendOperatorEvent: async (attemptId, operatorId, event) => {
      if (!hasTask(attemptId, 'sendOperatorEvent')) return
      const { subtaskIndex } = executionGraph.byAttempt(attemptId)!
      port.operatorEvent({ operatorId, subtaskIndex, attemptId, event })
    },
    reportTaskMetrics: async metrics => {
      for (const [id, counters] of Object.entries(metrics)) {
        const attemptId = id as ExecutionAttemptId
        const execution = executionGraph.byAttempt(attemptId)
        if (execution !== undefined && hasTask(attemptId, 'reportTaskMetrics')) {
          executionGraph.setMetrics(execution.key, counters)
          if (counters.checkpoint !== undefined)
            port.coordinate({ type: 'task-waits', attemptId, ...counters.checkpoint })
        }
      }
    },
  }
}
