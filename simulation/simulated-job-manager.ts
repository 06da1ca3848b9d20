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
import { JobMaster, type JobMasterDependencies } from '@flink-ts/jobmanager'
import { ResourceManager } from '@flink-ts/resourcemanager'
import type { SessionSettings } from '@flink-ts/rpc'
import type { CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import { highAvailabilityOf } from './simulated-high-availability.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { World } from './world.ts'

/** Operators of simulated jobs have no coordinators. */
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
  readonly #facts: JobManagerFacts
  readonly #world: World
  #components: { readonly resourceManager: ResourceManager; readonly dispatcher: Dispatcher } | undefined

  constructor(address: string, facts: JobManagerFacts, world: World) {
    this.process = new SimulatedProcess(address, address, facts.settings, world)
    this.#facts = facts
    this.#world = world
    if (facts.highAvailability) this.#campaign(highAvailabilityOf(world, this.process))
    else this.#start(undefined)
  }

  /** Undefined: it does not lead. */
  get resourceManager(): ResourceManager | undefined {
    return this.#components?.resourceManager
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
          ...{ ...common, storageFactory, jobHosts: NO_JOB_HOSTS, recording },
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
    resourceManager.start()
    if (term !== undefined) recover(dispatcher, term.found, clock.now(), startRunner)
    dispatcher.start()
    this.#components = { resourceManager, dispatcher }
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
