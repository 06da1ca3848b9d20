import type { Configuration } from '@flink-ts/common'
import { Dispatcher } from '@flink-ts/dispatcher'
import { JobMaster, type JobMasterDependencies } from '@flink-ts/jobmanager'
import { ResourceManager } from '@flink-ts/resourcemanager'
import type { SessionSettings } from '@flink-ts/rpc'
import type { CheckpointStorage, SavepointStorage } from '@flink-ts/state'
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

/** A JobManager process: real ResourceManager, Dispatcher and JobMasters on simulated storage. */
export class SimulatedJobManager {
  readonly process: SimulatedProcess
  readonly resourceManager: ResourceManager
  readonly dispatcher: Dispatcher

  constructor(
    address: string,
    facts: { readonly configuration: Configuration; readonly settings: Partial<SessionSettings> },
    world: World,
  ) {
    this.process = new SimulatedProcess('jobmanager', address, facts.settings, world)
    const { clock, random, rpc } = this.process
    const common = { rpc, clock, random, logger: world.logger('jobmanager') }
    const { configuration } = facts
    const { storage } = world
    const savepoints = storage.savepoints(clock)
    this.resourceManager = new ResourceManager({ configuration }, common)
    this.dispatcher = new Dispatcher(
      { configuration, resourceManagerAddress: rpc.address },
      {
        ...common,
        hasBlob: async () => true,
        disposeSavepoint: path => savepoints.dispose(path),
        runnerFactory: submission => {
          const jobMaster = new JobMaster(
            { submission, configuration, resourceManagerAddress: rpc.address, blobAddress: rpc.address },
            {
              ...common,
              // Of the storage, JobMasters use what the simulated one has.
              storageFactory: (directory, jobId) =>
                storage.checkpoints(clock, directory, jobId) as unknown as CheckpointStorage,
              savepoints: savepoints as unknown as SavepointStorage,
              jobHosts: NO_JOB_HOSTS,
            },
          )
          jobMaster.start()
          return jobMaster
        },
      },
    )
    this.resourceManager.start()
    this.dispatcher.start()
  }
}
