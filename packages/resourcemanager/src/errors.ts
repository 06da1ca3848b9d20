import { defineError } from '@flink-ts/common'

/** No TaskManager of that id is registered. */
export const TaskManagerNotFound = defineError<{ resourceId: string }>({
  code: 'resourcemanager.task-manager-not-found',
  domain: 'user',
  retry: 'no',
  message: d => `There is no TaskManager ${d.resourceId}; /taskmanagers lists those that are registered.`,
})

/** A session called a method before it registered. A fault of the caller. */
export const NotRegistered = defineError<{ peer: string; method: string }>({
  code: 'resourcemanager.not-registered',
  domain: 'internal',
  retry: 'no',
  message: d => `${d.peer} called ${d.method} before it registered at the ResourceManager; register first.`,
})

/** A session spoke for a job that it did not register. A fault of the caller. */
export const ForeignJob = defineError<{ peer: string; jobId: string }>({
  code: 'resourcemanager.foreign-job',
  domain: 'internal',
  retry: 'no',
  message: d => `${d.peer} declared slots for job ${d.jobId}, which this session has not registered.`,
})
