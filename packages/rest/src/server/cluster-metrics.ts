import { setImmediate } from 'node:timers/promises'
import type { Clock, Logger } from '@flink-ts/common'
import type { DispatcherGateway, JobDetails, ProcessMonitor, TaskManagerOverview } from '@flink-ts/gateways'
import { jobMetrics } from '../routes/job-metrics.ts'
import type { Labels } from '../routes/prometheus-text.ts'
import { operatorMetrics, taskMetrics } from '../routes/task-metrics.ts'

/** Takes one metric: scope `taskmanager_job_task`, name `numRecordsIn`, value a number or a text of one. */
export type MetricSink = (scope: string, name: string, labels: Labels, value: number | string) => void

export interface ClusterMetricsDependencies {
  readonly dispatcher: DispatcherGateway
  /** Of this process. */
  readonly monitor: ProcessMonitor
  readonly clock: Clock
  readonly logger: Logger
}

/** About two milliseconds of work: then the thread does what else there is. */
const SAMPLES_AT_ONCE = 500

/**
 * Collects the metrics of the whole cluster, by scopes and labels of Flink's reporters, with pauses for other work of
 * the thread.
 * @param host label of the JobManager
 */
export async function collectClusterMetrics(
  host: string,
  dependencies: ClusterMetricsDependencies,
  sink: MetricSink,
): Promise<void> {
  const { dispatcher, monitor, logger } = dependencies
  const { taskManagers, totalSlots, freeSlots } = await dispatcher.requestResourceOverview()
  const jobs = (await dispatcher.listJobs()).filter(job => job.endTime < 0)
  addAll(
    sink,
    'jobmanager',
    { host },
    {
      ...(await monitor.requestMetrics()),
      numRegisteredTaskManagers: taskManagers.length,
      numRunningJobs: jobs.length,
      taskSlotsTotal: totalSlots,
      taskSlotsAvailable: freeSlots,
    },
  )
  await Promise.all(taskManagers.map(taskManager => addTaskManager(taskManager, dependencies, sink)))
  const hosts = new Map(taskManagers.map(({ resourceId, host: at }) => [resourceId as string, at]))
  for (const { jobId } of jobs) {
    try {
      await addJob(host, await dispatcher.requestJobDetails(jobId), hosts, dependencies, sink)
    } catch (error) {
      // It is over and forgotten meanwhile.
      logger.debug({ jobId, error }, 'Metrics of a job are left out')
    }
  }
}

async function addTaskManager(
  { resourceId, host }: TaskManagerOverview,
  { dispatcher, logger }: ClusterMetricsDependencies,
  sink: MetricSink,
): Promise<void> {
  try {
    const metrics = await dispatcher.inspectTaskManager(resourceId, { type: 'metrics' })
    addAll(sink, 'taskmanager', { host, tm_id: resourceId }, metrics as Record<string, number>)
  } catch (error) {
    logger.debug({ resourceId, error }, 'Metrics of a TaskManager are left out')
  }
}

async function addJob(
  host: string,
  job: JobDetails,
  hosts: ReadonlyMap<string, string>,
  { dispatcher, clock }: ClusterMetricsDependencies,
  sink: MetricSink,
): Promise<void> {
  const ofJob = { job_id: job.jobId, job_name: job.name }
  const checkpoints = await dispatcher.requestCheckpoints(job.jobId)
  addAll(sink, 'jobmanager_job', { host, ...ofJob }, jobMetrics(job, checkpoints, clock.now()))
  // A job may have thousands of tasks, and a vertex, too.
  let samples = 0
  for (const { id, name, subtasks } of job.vertices) {
    for (const subtask of subtasks) {
      const tmId = subtask.taskManagerId
      if (tmId === undefined) continue
      const labels = {
        ...{ host: hosts.get(tmId) ?? '', tm_id: tmId, ...ofJob },
        ...{ task_id: id, task_name: name },
        ...{ task_attempt_num: subtask.attempt, subtask_index: subtask.index },
      }
      samples += addAll(sink, 'taskmanager_job_task', labels, taskMetrics(subtask))
      for (const operator of subtask.metrics.operators ?? []) {
        const own = { ...labels, operator_name: operator.name }
        samples += addAll(sink, 'taskmanager_job_task_operator', own, operatorMetrics(operator))
      }
      if (samples < SAMPLES_AT_ONCE) continue
      samples = 0
      await setImmediate()
    }
  }
  await setImmediate()
}

function addAll(
  sink: MetricSink,
  scope: string,
  labels: Labels,
  metrics: Readonly<Record<string, number | string>>,
): number {
  const entries = Object.entries(metrics)
  for (const [name, value] of entries) sink(scope, name, labels, value)
  return entries.length
}
