import { defineGateway } from '@flink-ts/rpc'
import type {
  CoordinatorCommand,
  CoordinatorReport,
  CoordinatorsDeployment,
  CoordinatorsRun,
  JobHostRegistration,
} from './messages.ts'

/** What a JobManager may say to a job host. Calls about runs that have ended are ignored. */
export interface JobHostGateway {
  /** Accepts a run; `started` or `failed` follows. An earlier run of the same job is ended. */
  startCoordinators(deployment: CoordinatorsDeployment): Promise<void>
  tellCoordinators(run: CoordinatorsRun, command: CoordinatorCommand): Promise<void>
  /** Ends a run; resolves when its thread is gone. Idempotent. */
  stopCoordinators(run: CoordinatorsRun): Promise<void>
}

export const jobHostGateway = defineGateway<JobHostGateway>('job-host', [
  'startCoordinators',
  'tellCoordinators',
  'stopCoordinators',
])

/** What a job host may say to the JobManager that started it. */
export interface JobHostsGateway {
  /** First call. Rejects with `jobmanager.unknown-job-host`. */
  registerJobHost(registration: JobHostRegistration): Promise<void>
  reportOfCoordinators(run: CoordinatorsRun, report: CoordinatorReport): Promise<void>
}

export const jobHostsGateway = defineGateway<JobHostsGateway>('job-hosts', [
  'registerJobHost',
  'reportOfCoordinators',
])
