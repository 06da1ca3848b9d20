import type { JobId, SerializedError } from '@flink-ts/common'
import type { CoordinatorCommand, CoordinatorReport, CoordinatorsDeployment } from '@flink-ts/gateways'

/** The run of a job's coordinators, seen from its JobMaster. */
export interface CoordinatorsHandle {
  /** In order. Ignored once the run is over. */
  tell(command: CoordinatorCommand): void
  /** Ends the run; resolves when its thread is gone, or cannot be reached. Never rejects. */
  stop(): Promise<void>
}

export interface CoordinatorsListener {
  /** In the order in which the coordinators said it; the last one may be `failed`. */
  report(report: CoordinatorReport): void
  /** The job host is gone, or could not be started. Nothing follows. */
  lost(error: SerializedError): void
}

/** Where the coordinators of jobs run. Owner: main thread of the JobManager. */
export interface JobHosts {
  /** A job will need a host: one is started, if there is none. Kept until {@link JobHosts.release}. */
  reserve(jobId: JobId): void
  /** The job is over. */
  release(jobId: JobId): void
  /** Starts a run for a job that has reserved. */
  start(deployment: CoordinatorsDeployment, listener: CoordinatorsListener): CoordinatorsHandle
}
