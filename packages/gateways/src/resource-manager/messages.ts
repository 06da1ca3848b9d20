import type { AllocationId, InstanceId, JobId, ResourceId, SlotId } from '@flink-ts/common'

/** One slot of a TaskManager and who has it. */
export interface SlotStatus {
  readonly slotId: SlotId
  readonly allocation: { readonly allocationId: AllocationId; readonly jobId: JobId } | undefined
}

export interface TaskExecutorRegistration {
  readonly resourceId: ResourceId
  /** `host:port` of the record exchange. */
  readonly dataAddress: string
  readonly host: string
  readonly slots: readonly SlotStatus[]
  readonly hardware: { readonly cpuCores: number; readonly physicalMemoryBytes: number; readonly pid: number }
  readonly memory: TaskManagerMemory
}

/** What a TaskManager may use, all slots together. */
export interface TaskManagerMemory {
  /** JavaScript heap and buffers of tasks. */
  readonly taskBytes: number
  /** Of the record exchange. */
  readonly networkBytes: number
}

export interface JobMasterRegistration {
  readonly jobId: JobId
  readonly jobMasterAddress: string
  readonly jobMasterEndpoint: string
}

/** Number of slots that a job needs in all; replaces its earlier requirement. 0: none any more. */
export interface ResourceRequirements {
  readonly jobId: JobId
  readonly slots: number
}

export interface TaskManagerOverview {
  readonly instanceId: InstanceId
  readonly resourceId: ResourceId
  readonly dataAddress: string
  readonly host: string
  readonly totalSlots: number
  readonly freeSlots: number
  /** Milliseconds since the epoch. */
  readonly lastHeartbeat: number
  readonly hardware: TaskExecutorRegistration['hardware']
  readonly memory: TaskManagerMemory
  /** Jobs that have slots there, one entry for each slot. */
  readonly allocatedSlots: readonly JobId[]
}

export interface ResourceOverview {
  readonly taskManagers: readonly TaskManagerOverview[]
  readonly totalSlots: number
  readonly freeSlots: number
}
