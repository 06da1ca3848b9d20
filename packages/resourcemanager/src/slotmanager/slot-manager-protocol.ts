import type { AllocationId, InstanceId, JobId, SlotId } from '@flink-ts/common'
import type { SlotRequest, SlotStatus } from '@flink-ts/gateways'

/** Facts that the SlotManager learns. */
export type SlotManagerEvent =
  | {
      readonly type: 'task-manager-registered'
      readonly instanceId: InstanceId
      readonly slots: readonly SlotStatus[]
    }
  | { readonly type: 'task-manager-lost'; readonly instanceId: InstanceId }
  /** It takes no more work: its slots are gone as soon as they are free. */
  | { readonly type: 'task-manager-draining'; readonly instanceId: InstanceId }
  | {
      readonly type: 'job-registered'
      readonly jobId: JobId
      readonly jobMasterAddress: string
      readonly jobMasterEndpoint: string
    }
  | { readonly type: 'job-lost'; readonly jobId: JobId }
  | { readonly type: 'requirement-declared'; readonly jobId: JobId; readonly slots: number }
  | {
      readonly type: 'slot-request-accepted'
      readonly instanceId: InstanceId
      readonly slotId: SlotId
      readonly allocationId: AllocationId
    }
  | {
      readonly type: 'slot-request-refused'
      readonly instanceId: InstanceId
      readonly slotId: SlotId
      readonly allocationId: AllocationId
    }
  /** The pause after a refusal is over. */
  | { readonly type: 'slot-retry-due'; readonly instanceId: InstanceId; readonly slotId: SlotId }
  | {
      readonly type: 'slot-available'
      readonly instanceId: InstanceId
      readonly slotId: SlotId
      readonly allocationId: AllocationId
    }

/** What is to be done; the endpoint does it. */
export type SlotManagerAction =
  | { readonly type: 'request-slot'; readonly instanceId: InstanceId; readonly request: SlotRequest }
  /** Ask for `slot-retry-due` later. */
  | { readonly type: 'retry-slot-later'; readonly instanceId: InstanceId; readonly slotId: SlotId }
  | {
      readonly type: 'notify-not-enough'
      readonly jobId: JobId
      readonly required: number
      readonly available: number
    }

/**
 * One slot. `free`: can be given away. `pending`: asked for, the TaskManager has not answered. `allocated`: has a job.
 * `refused`: the TaskManager did not give it; left alone for a while.
 */
export type SlotState =
  | { readonly type: 'free' }
  | { readonly type: 'refused' }
  | { readonly type: 'pending' | 'allocated'; readonly allocationId: AllocationId; readonly jobId: JobId }
