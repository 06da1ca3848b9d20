import type { SerializedError } from '@flink-ts/common'
import type { TaskExecutionStateUpdate } from '@flink-ts/gateways'
import type { SlotReport } from '../thread/slot-messages.ts'
import type { AllocatedSlot } from './allocated-slot.ts'
import type { LargeResults } from './slot-tasks.ts'

/** What a slot tells its TaskExecutor. */
export interface SlotListener {
  /** Includes the reports of tasks, as long as these have not ended. */
  report(slot: AllocatedSlot, report: SlotReport): void
  /** The last state of a task; nothing of it follows. */
  taskEnded(slot: AllocatedSlot, update: TaskExecutionStateUpdate, large: LargeResults | undefined): void
  /** The thread ended although nobody asked it to; its tasks were reported before. */
  threadDied(slot: AllocatedSlot, cause: SerializedError): void
}
