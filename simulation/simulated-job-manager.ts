import type { Configuration, LeaderSessionId } from '@flink-ts/common'
import { Dispatcher, type FinishedJob, finishedJobOf } from '@flink-ts/dispatcher'
import type { JobSubmission } from '@flink-ts/gateways'
import {
  type FileHighAvailability,
  type JobProgress,
  type JobStore,
  type LeaderTerm,
  recorderOf,
  type StoredJob,
} from '@flink-ts/highavailability'
import { JobHostPool, JobMaster, type JobMasterDependencies } from '@flink-ts/jobmanager'
import { ResourceManager } from '@flink-ts/resourcemanager'
import type { SessionSettings } from '@flink-ts/rpc'
import type { CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import { highAvailabilityOf } from './simulated-high-availability.ts'
import { type JobHostFacts, SimulatedJobHosts } from './simulated-job-hosts.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

/** How long a job host may be idle, and how long it may take to start. */
const JOB_HOST_TIMES = { idleTimeoutMs: 2000, startTimeoutMs: 5000 }

/** No operator of the simulated jobs has a coordinator. */
const NO_JOB_HOSTS: JobMasterDependencies['jobHosts'] = {
  reserve: () => {},
  release: () => {},
  start: () => {
    throw new Error('no simulated operator has a coordinator')
  },
}

/** How JobManagers of a run are made. */
export interface JobManagerFacts {
  readonly configuration: Configuration
  readonly settings: Partial<SessionSettings>
  /** It works only while it leads, and its jobs outlive it. */
  readonly highAvailability: boolean
  /** Undefined: no job needs any. */
  readonly jobHosts: JobHostFacts | undefined
}

/** What a leader begins with. */
interface Term {
  readonly leaderSessionId: LeaderSessionId
  readonly store: JobStore
  readonly found: readonly StoredJob[]
}

/** A JobManager process: real ResourceManager, Dispatcher and JobMasters on simulated storage. */
export class SimulatedJobManager {
  readonly process: SimulatedProcess
  readonly jobHosts: SimulatedJobHosts | undefined
  readonly #facts: JobManagerFacts
  readonly #world: World
  #components:
    | {
        readonly resourceManager: ResourceManager
        readonly dispatcher: Dispatcher
        readonly jobHostPool: JobHostPool | undefined
      }
    | undefined

  constructor(address: string, facts: JobManagerFacts, world: World) {
    this.process = new SimulatedProcess(address, address, facts.settings, world)
    this.#facts = facts
    this.#world = world
    this.jobHosts = facts.jobHosts && new SimulatedJobHosts(this.process, facts.jobHosts, world)
    if (facts.highAvailability) this.#campaign(highAvailabilityOf(world, this.process))
    else this.#start(undefined)
  }

  /** Undefined: it does not lead. */
  get resourceManager(): ResourceManager | undefined {
    return this.#components?.resourceManager
  }

  /** As kill -9: what it started learns of it. */
  kill(): void {
    this.process.kill()
    this.jobHosts?.orphan()
  }

  #campaign(highAvailability: FileHighAvailability): void {
    const { clock, random, address } = this.process
    const logger = this.#world.logger(address)
    const granted = async (term: LeaderTerm): Promise<void> => {
      // Programs of simulated jobs are modules, which no store keeps.
      const store = highAvailability.jobs(term, { blobs: undefined as never, logger })
      const found = await store.list()
      term.check()
      this.#start({ leaderSessionId: term.leaderSessionId, store, found })
    }
    const revoked = async (): Promise<void> => {
      this.#world.revokedTerms++
      const components = this.#components
      this.#components = undefined
      await components?.dispatcher.close()
      await components?.jobHostPool?.close()
      components?.resourceManager.close()
    }
    const contender = { granted, revoked }
    highAvailability.campaign({ address, restAddress: '' }, { contender, clock, random, logger }).start()
  }

  #start(term: Term | undefined): void {
    const { clock, random, rpc, address } = this.process
    const { configuration } = this.#facts
    const { storage } = this.#world
    const common = { rpc, clock, random, logger: this.#world.logger(address) }
    const savepoints = storage.savepoints(clock)
    const storageFactory = (directory: string, jobId: string): CheckpointStorage =>
      // Of the storage, JobMasters use what the simulated one has.
      storage.checkpoints(clock, directory, jobId) as unknown as CheckpointStorage
    const leaderSessionId = term?.leaderSessionId
    const jobHostPool =
      this.jobHosts && new JobHostPool(JOB_HOST_TIMES, { ...common, launcher: this.jobHosts })
    const startRunner = (submission: JobSubmission, progress?: JobProgress): JobMaster => {
      const recording = term && {
        recorder: recorderOf(term.store, submission.graph.jobId),
        outcome: finishedJobOf,
      }
      const jobMaster = new JobMaster(
        {
          ...{ submission, configuration, progress },
          ...{ resourceManagerAddress: rpc.address, blobAddress: rpc.address },
        },
        {
          ...{ ...common, storageFactory, jobHosts: jobHostPool ?? NO_JOB_HOSTS, recording },
          savepoints: savepoints as unknown as SavepointStorage,
        },
      )
      jobMaster.start()
      return jobMaster
    }
    const resourceManager = new ResourceManager({ configuration, leaderSessionId }, common)
    const dispatcher = new Dispatcher(
      { configuration, resourceManagerAddress: rpc.address, leaderSessionId },
      {
        ...common,
        hasBlob: async () => true,
        deleteBlob: async () => {},
        disposeSavepoint: path => savepoints.dispose(path),
        async checkSnapshot(path) {
          await savepoints.readMetadata(path)
        },
        runnerFactory: startRunner,
        jobs: term && durableJobs(term.store),
      },
    )
    jobHostPool?.serve()
    resourceManager.start()
    if (term !== undefined) recover(dispatcher, term.found, clock.now(), startRunner)
    dispatcher.start()
    this.#components = { resourceManager, dispatcher, jobHostPool }
  }
}

function recover(
  dispatcher: Dispatcher,
  found: readonly StoredJob[],
  nowMs: number,
  start: (submission: JobSubmission, progress?: JobProgress) => JobMaster,
): void {
  dispatcher.recover({
    running: found.flatMap(({ jobId, record, submission }) =>
      record.status === 'running'
        ? [
            {
              jobId,
              submission: submission as JobSubmission,
              start: () => start(submission as JobSubmission, record.progress),
            },
          ]
        : [],
    ),
    finished: found.flatMap(({ jobId, record }) =>
      record.status === 'over'
        ? [{ jobId, job: record.outcome as FinishedJob, ageMs: nowMs - record.endedAt }]
        : [],
    ),
  })
}

function durableJobs(store: JobStore) {
  return {
    async add(submission: JobSubmission): Promise<void> {
      const { jobId } = submission.graph
      try {
        await store.add(jobId, submission, [])
      } catch (error) {
        await store.remove(jobId).catch(() => {}) // The next leader removes what was not accepted.
        throw error
      }
    },
    forget: (jobId: StoredJob['jobId']): Promise<void> => store.remove(jobId).catch(() => {}), // It is asked again.
  }
}
