import {
  type Clock,
  deserializeError,
  type FlinkError,
  isFlinkError,
  type JobId,
  type Logger,
  newId,
  type Random,
  type ResourceId,
} from '@flink-ts/common'
import type {
  JobDetails,
  JobOverview,
  JobResult,
  JobSubmission,
  ResourceOverview,
  RestoredRecord,
  SavepointTrigger,
} from '@flink-ts/gateways'
import type {
  JobClient,
  JobExecutionResult,
  JobGraph,
  JobStatus,
  ReplayableProgram,
} from '@flink-ts/jobgraph'
import { GrpcRpcClient, PayloadTooLarge, type RpcClient, type SessionSettings } from '@flink-ts/rpc'
import { clientRetryPeriod, clientTimeout } from '../client-options.ts'
import { type ConnectionEvent, DispatcherConnection } from '../connection/dispatcher-connection.ts'
import { JobCancelled, JobFailed, JobLost, JobStateUnknown, ProgramTooLarge } from '../errors.ts'
import { presentable } from './presentable-error.ts'
import { withStoredLists } from './stored-results.ts'
import { withUploadedFiles } from './upload-cached-files.ts'

const FIRST_CONNECT_TIMEOUT_MS = 2000
const TRANSFER_TRIES = 4

/** Which cluster, and how patient to be with it. */
export interface ClusterClientOptions {
  /** `host:port` of the JobManager. */
  readonly address: string
  /** Version of the product: must be the cluster's. */
  readonly version: string
  /** Name of this client in the logs of the JobManager. */
  readonly clientName?: string
  /** For the first connection; 2 s if absent. */
  readonly connectTimeoutMs?: number
  /** `client.timeout`: for connections after the first. */
  readonly reconnectTimeoutMs?: number
  /** `client.retry-period`. */
  readonly retryPeriodMs?: number
  readonly sessionSettings?: Partial<SessionSettings>
  /** Told when the connection is lost, stays away and is back. */
  readonly onConnection?: (event: ConnectionEvent) => void
}

/** What a client needs. */
export interface ClusterClientDependencies {
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  /** Sessions of an in-process cluster; gRPC if absent. Not closed with the client. */
  readonly rpc?: RpcClient
  /** Put in between, where the address is more than a host and a port. */
  readonly through?: (rpc: RpcClient) => RpcClient
}

/**
 * A running cluster seen from outside. Survives the loss of the connection and of the JobManager, as long as one
 * answers at the address again within `client.timeout`. Opens no port. Errors of the Dispatcher (`dispatcher.*`) are
 * passed on; in addition `client.no-jobmanager`, `rpc.version-mismatch`, `client.closed`.
 */
export class ClusterClient {
  readonly address: string
  readonly #connection: DispatcherConnection
  readonly #rpc: RpcClient
  readonly #ownRpc: boolean
  readonly #logger: Logger
  readonly #random: Random

  private constructor(
    address: string,
    connection: DispatcherConnection,
    rpc: RpcClient,
    ownRpc: boolean,
    { logger, random }: ClusterClientDependencies,
  ) {
    this.address = address
    this.#connection = connection
    this.#rpc = rpc
    this.#ownRpc = ownRpc
    this.#logger = logger
    this.#random = random
  }

  /** Connects, trying for `connectTimeoutMs`. Rejects with `client.no-jobmanager` or `rpc.version-mismatch`. */
  static async connect(
    options: ClusterClientOptions,
    dependencies: ClusterClientDependencies,
  ): Promise<ClusterClient> {
    const direct = dependencies.rpc ?? (await startedRpc(options, dependencies))
    const rpc = dependencies.through?.(direct) ?? direct
    const connection = new DispatcherConnection(
      {
        address: options.address,
        clientName: options.clientName ?? 'client',
        connectTimeoutMs: options.connectTimeoutMs ?? FIRST_CONNECT_TIMEOUT_MS,
        reconnectTimeoutMs: options.reconnectTimeoutMs ?? clientTimeout.defaultValue,
        maxPauseMs: options.retryPeriodMs ?? clientRetryPeriod.defaultValue,
        ...(options.onConnection !== undefined && { onConnection: options.onConnection }),
      },
      { rpc, clock: dependencies.clock, logger: dependencies.logger },
    )
    const ownRpc = dependencies.rpc === undefined
    const client = new ClusterClient(options.address, connection, rpc, ownRpc, dependencies)
    try {
      await connection.open()
    } catch (error) {
      await client.close()
      throw error
    }
    return client
  }

  async #repeated<T>(what: string, transfer: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await transfer()
      } catch (error) {
        if (attempt === TRANSFER_TRIES || !isFlinkError(error) || error.retry === 'no') throw error
        this.#logger.warn({ what, attempt, cause: error }, 'A transfer failed; trying again')
        await this.#connection.pause(attempt)
        // Waits for the JobManager, as patiently as every other call does.
        await this.#connection.open()
      }
    }
  }

  /**
   * Submits a job whose bundle is in the cluster; uploads the files that its program has registered. Repeating it after
   * a lost answer makes no second job. Rejects with
   * `client.program-too-large` if what travels with it is more than a message holds, and
   * `client.cached-file-not-found`.
   */
  async submitJob(submission: JobSubmission): Promise<JobClient> {
    const put = (path: string): Promise<string> =>
      this.#repeated('Upload of a cached file', () => this.#rpc.blobs.put(this.address, path))
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#submit({ ...submission, graph: await withUploadedFiles(submission.graph, put) })
        return this.jobClient(submission.graph.jobId)
      } catch (error) {
        // The JobManager was started anew in between, or another job that had the same files is forgotten.
        const missing = isFlinkError(error) && error.code === 'dispatcher.cached-file-missing'
        if (!missing || attempt === TRANSFER_TRIES) throw error
      }
    }
  }

  /**
   * Submits a job with the bundle of its program, which is sent if the cluster does not have it; again if the cluster
   * dropped it in between. Rejects as {@link ClusterClient.submitJob} does.
   */
  async submitProgram(bundleFile: string, graph: JobGraph, program: ReplayableProgram): Promise<JobClient> {
    for (let attempt = 1; ; attempt++) {
      const put = (): Promise<string> => this.#rpc.blobs.put(this.address, bundleFile)
      const blobKey = await this.#repeated('Upload of a bundle', put)
      try {
        return await this.submitJob({ graph, program: { ...program, code: { type: 'bundle', blobKey } } })
      } catch (error) {
        // Evicted, since no job used it for a while, or the JobManager was started anew with an empty store.
        const missing = isFlinkError(error) && error.code === 'dispatcher.bundle-missing'
        if (!missing || attempt === TRANSFER_TRIES) throw error
      }
    }
  }

  async #submit(submission: JobSubmission): Promise<void> {
    await this.#connection.call('submitJob', async (gateway, retries) => {
      try {
        await gateway.submitJob(submission)
      } catch (error) {
        if (PayloadTooLarge.is(error)) throw programTooLarge(submission, error as FlinkError)
        const accepted = retries > 0 && isFlinkError(error) && error.code === 'dispatcher.duplicate-job'
        if (!accepted) throw error
      }
    })
  }

  /** A job that was submitted by anybody. Not checked to exist. */
  jobClient(jobId: JobId): JobClient {
    return {
      jobId,
      status: async (): Promise<JobStatus> => (await this.jobDetails(jobId)).status,
      cancel: () => this.cancelJob(jobId),
      triggerSavepoint: directory => this.triggerSavepoint(jobId, { directory, stop: 'no' }),
      stopWithSavepoint: (directory, { drain = false } = {}) =>
        this.triggerSavepoint(jobId, { directory, stop: drain ? 'drain' : 'suspend' }),
      result: () => this.#result(jobId),
    }
  }

  listJobs(): Promise<readonly JobOverview[]> {
    return this.#connection.call('listJobs', gateway => gateway.listJobs())
  }

  jobDetails(jobId: JobId): Promise<JobDetails> {
    return this.#connection.call('requestJobDetails', gateway => gateway.requestJobDetails(jobId))
  }

  /** The snapshot that the job was started from last; undefined: from none. */
  async restoredFrom(jobId: JobId): Promise<RestoredRecord | undefined> {
    const ask = this.#connection.call('requestCheckpoints', gateway => gateway.requestCheckpoints(jobId))
    return (await ask).latest.restored
  }

  cancelJob(jobId: JobId): Promise<void> {
    return this.#connection.call('cancelJob', gateway => gateway.cancelJob(jobId))
  }

  /**
   * Takes a savepoint and waits for it, whatever becomes of the connection meanwhile; with `stop`, until the job has
   * ended. Resolves with its URI.
   */
  triggerSavepoint(jobId: JobId, options: Omit<SavepointTrigger, 'triggerId'>): Promise<string> {
    // The same id at each try: the JobManager takes one savepoint, however often it is asked.
    const trigger = { ...options, triggerId: newId<string>(this.#random) }
    return this.#connection.call('triggerSavepoint', gateway => gateway.triggerSavepoint(jobId, trigger))
  }

  /** Starts a savepoint that nobody waits for, and answers its trigger id. What is refused at once rejects. */
  async startSavepoint(jobId: JobId, options: Omit<SavepointTrigger, 'triggerId'>): Promise<string> {
    const triggerId = newId<string>(this.#random)
    const status = await this.#connection.call('startSavepoint', gateway => {
      // What becomes of it is told by its status.
      gateway.triggerSavepoint(jobId, { ...options, triggerId }).catch(() => {})
      return gateway.requestSavepointStatus(jobId, triggerId)
    })
    if (status.type === 'failed') throw deserializeError(status.error)
    return triggerId
  }

  /** Removes a savepoint: path or URI, as the JobManager sees it. */
  disposeSavepoint(path: string): Promise<void> {
    return this.#connection.call('disposeSavepoint', async (gateway, retries) => {
      try {
        await gateway.disposeSavepoint(path)
      } catch (error) {
        // The answer to the first call was lost.
        const gone = retries > 0 && isFlinkError(error) && error.code === 'state.checkpoint-not-found'
        if (!gone) throw error
      }
    })
  }

  overview(): Promise<ResourceOverview> {
    return this.#connection.call('requestResourceOverview', gateway => gateway.requestResourceOverview())
  }

  /** Idempotent. Open calls reject. */
  async close(): Promise<void> {
    this.#connection.close()
    if (this.#ownRpc) await this.#rpc.close()
  }

  async #result(jobId: JobId): Promise<JobExecutionResult> {
    const ask = this.#connection.call('requestJobResult', async (gateway, retries) => {
      try {
        return await gateway.requestJobResult(jobId)
      } catch (error) {
        // An earlier Dispatcher knew the job, or it would have said so instead of waiting.
        const lost = retries > 0 && isFlinkError(error) && error.code === 'dispatcher.job-not-found'
        throw lost ? JobLost({ jobId, address: this.address }, error) : error
      }
    })
    const outcome = await ask.catch((error: unknown) => {
      const gone = isFlinkError(error) && error.code === 'client.no-jobmanager'
      throw gone ? JobStateUnknown({ jobId, address: this.address }, error) : error
    })
    if (outcome.status === 'FINISHED') {
      return withStoredLists(outcome.result, (blobKey, file) =>
        this.#repeated('Download of a result', () => this.#rpc.blobs.get(this.address, blobKey, file)),
      )
    }
    throw failureOf(outcome)
  }
}

function programTooLarge({ graph, program: { record } }: JobSubmission, tooLarge: FlinkError): FlinkError {
  const { maxBytes } = tooLarge.data as { maxBytes: number }
  const [results, captures] = [record.earlierResults.length, Object.keys(record.captures)]
  return ProgramTooLarge({ job: graph.name, maxBytes, results, captures }, tooLarge)
}

/** The error of the job itself, as it was thrown in the cluster: its stack begins in the user's code. */
function failureOf(outcome: Exclude<JobResult, { readonly status: 'FINISHED' }>): Error {
  const { jobId } = outcome
  if (outcome.status === 'CANCELED') {
    return JobCancelled({ jobId }, outcome.error === undefined ? undefined : deserializeError(outcome.error))
  }
  return outcome.error === undefined ? JobFailed({ jobId }) : presentable(deserializeError(outcome.error))
}

async function startedRpc(
  options: ClusterClientOptions,
  dependencies: ClusterClientDependencies,
): Promise<RpcClient> {
  const rpc = new GrpcRpcClient(
    {
      resourceId: newId<ResourceId>(dependencies.random),
      version: options.version,
      settings: options.sessionSettings ?? {},
    },
    dependencies,
  )
  await rpc.start()
  return rpc
}
