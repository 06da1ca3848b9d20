import type { AllocationId, InstanceId, JobId, ResourceId, SlotId } from '@flink-ts/common'
import { defineGateway } from '@flink-ts/rpc'
import type { ProcessInspection } from '../process/process-monitor.ts'
import type { TaskInspection } from '../process/task-inspection.ts'
import type {
  JobMasterRegistration,
  ResourceOverview,
  ResourceRequirements,
  TaskExecutorRegistration,
} from './messages.ts'

/** Name of the endpoint. */
export const RESOURCE_MANAGER_ENDPOINT = 'resource-manager'

/** What may be said to the ResourceManager, by TaskExecutors, JobMasters and the Dispatcher. */
export interface ResourceManagerGateway {
  /** First call of a TaskExecutor's session. A second registration of the same resource replaces the first. */
  registerTaskExecutor(registration: TaskExecutorRegistration): Promise<{ readonly instanceId: InstanceId }>
  /** A slot became free. Ignored unless it still has that allocation here. */
  notifySlotAvailable(instanceId: InstanceId, slotId: SlotId, allocationId: AllocationId): Promise<void>
  /**
   * A TaskManager takes no more work: its free slots are no more, and those that become free neither. Its jobs keep what
   * they have. Idempotent; ignored for another registration of the session. To be repeated after every registration.
   */
  withdrawFreeSlots(instanceId: InstanceId): Promise<void>
  /** First call of a JobMaster's session. */
  registerJobMaster(registration: JobMasterRegistration): Promise<void>
  declareRequiredResources(requirements: ResourceRequirements): Promise<void>
  requestResourceOverview(): Promise<ResourceOverview>
  /** See `inspectProcess` and `TaskInspection`. Errors: `resourcemanager.task-manager-not-found`, those of the TaskManager. */
  inspectTaskManager(resourceId: ResourceId, inspection: ProcessInspection | TaskInspection): Promise<unknown>
}

export const resourceManagerGateway = defineGateway<ResourceManagerGateway>('resource-manager', [
  'registerTaskExecutor',
  'notifySlotAvailable',
  'withdrawFreeSlots',
  'registerJobMaster',
  'declareRequiredResources',
  'requestResourceOverview',
  'inspectTaskManager',
])

/** What the ResourceManager may say to a JobMaster. */
export interface JobMasterResourceGateway {
  /** The requirement cannot be met now: so many slots exist or are free. Repeated when the numbers change. */
  notifyNotEnoughResources(info: {
    readonly jobId: JobId
    readonly required: number
    readonly available: number
  }): Promise<void>
}

export const jobMasterResourceGateway = defineGateway<JobMasterResourceGateway>('job-master-resource', [
  'notifyNotEnoughResources',
])
