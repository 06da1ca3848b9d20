import type { Configuration } from '@flink-ts/common'
import { Doorbell } from '@flink-ts/network'
import type { SessionSettings } from '@flink-ts/rpc'
import { TaskExecutor, type TaskExecutorNetwork, taskExecutorSettingsOf } from '@flink-ts/taskmanager'
import type { ExchangePeer } from './data-plane.ts'
import { accessOf } from './simulated-high-availability.ts'
import { SimulatedProcess } from './simulated-process.ts'
import { SimulatedSlotThreads } from './simulated-slot-threads.ts'
import type { TaskPace } from './simulated-task.ts'
import type { Workload } from './workload.ts'
import type { World } from './world.ts'

/** How TaskManagers of a run are made. */
export interface TaskManagerFacts {
  readonly slots: number
  readonly pace: TaskPace
  readonly configuration: Configuration
  readonly settings: Partial<SessionSettings>
  /** Undefined: whoever leads. */
  readonly jobManagerAddress: string | undefined
  readonly workloadOf: (jobName: string) => Workload
}

/** Nobody looks at simulated processes. */
const NO_MONITOR = {
  requestMetrics: async () => ({}),
  listLogs: async () => [],
  readLog: async () => new Uint8Array(),
  requestThreadDump: async () => [],
  requestProfile: async () => ({ name: 'root', value: 0, children: [] }),
}

/** A TaskManager process: the real TaskExecutor, with simulated threads and record exchange. */
export class SimulatedTaskManager implements ExchangePeer {
  readonly process: SimulatedProcess
  readonly threads: SimulatedSlotThreads
  readonly #world: World
  #channelFailed: (channelId: string) => void = () => {}

  /** @param start how often this TaskManager was started before */
  constructor(name: string, start: number, facts: TaskManagerFacts, world: World) {
    this.#world = world
    this.process = new SimulatedProcess(name, `${name}-${start}`, facts.settings, world)
    this.threads = new SimulatedSlotThreads({
      world,
      peer: this,
      pace: facts.pace,
      workloadOf: facts.workloadOf,
    })
    const { clock, random, resourceId, address } = this.process
    const { rpc, jobManagerAddress } = accessOf(world, this.process, facts.jobManagerAddress)
    const network: TaskExecutorNetwork = {
      bell: Doorbell.allocate(),
      openOutbound: () => {},
      openInbound: () => {},
      release: () => {},
      onChannelFailed: listener => {
        this.#channelFailed = channelId =>
          listener(channelId, { name: 'Error', message: 'the connection of the channel broke' })
      },
    }
    const dependencies = {
      ...{ rpc, clock, random, network },
      logger: world.logger(name),
      slotThreads: this.threads,
      cachedFiles: { paths: () => ({}), fetch: async () => {}, release: async () => {} },
      bundles: { moduleUrl: async () => 'file:///job.js', release: async () => {} },
      blobs: { put: async () => 'blob' },
      monitor: NO_MONITOR,
    }
    const executor = new TaskExecutor(
      {
        resourceId,
        slots: facts.slots,
        dataAddress: address,
        host: name,
        hardware: { cpuCores: 1, physicalMemoryBytes: 1, pid: 1 },
        resourceManagerAddress: jobManagerAddress,
        settings: taskExecutorSettingsOf(facts.configuration, facts.slots),
        threadLogger: { level: 'error' },
      },
      dependencies,
    )
    world.dataPlane.join(this)
    executor.start()
  }

  channelFailed(channelId: string): void {
    this.#channelFailed(channelId)
  }

  kill(): void {
    this.process.kill()
    this.threads.vanish()
    this.#world.dataPlane.leave(this)
  }
}
