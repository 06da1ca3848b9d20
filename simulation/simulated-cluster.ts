import { Configuration } from '@flink-ts/common'
import type { SessionSettings } from '@flink-ts/rpc'
import type { Fault } from './faults.ts'
import type { Scenario } from './scenario.ts'
import { SimulatedClient } from './simulated-client.ts'
import { SimulatedJobManager } from './simulated-job-manager.ts'
import { SimulatedProcess } from './simulated-process.ts'
import type { SimulatedTask } from './simulated-task.ts'
import { SimulatedTaskManager, type TaskManagerFacts } from './simulated-task-manager.ts'
import type { World } from './world.ts'

const JOB_MANAGER = 'jobmanager'
const SETTINGS: Partial<SessionSettings> = {
  heartbeatIntervalMs: 1000,
  heartbeatTimeoutMs: 4000,
  sessionResumeTimeoutMs: 500,
  connectTimeoutMs: 2000,
}
const CONFIGURATION = Configuration.of({
  'task.cancellation.timeout': '2 s',
  'taskmanager.slot.timeout': '3 s',
  'slot.idle.timeout': '3 s',
  'taskmanager.network.memory.channel-size': '16 kb',
})

/** All processes of a run: starts them, and does to them what faults say. */
export class SimulatedCluster {
  readonly taskManagers: SimulatedTaskManager[] = []
  readonly clients: readonly SimulatedClient[]
  readonly clientProcess: SimulatedProcess
  readonly jobManagers: SimulatedJobManager[] = []
  /** JobManagers that were killed. */
  lostJobManagers = 0
  readonly #scenario: Scenario
  readonly #world: World
  readonly #highAvailability: boolean
  readonly #facts: Omit<TaskManagerFacts, 'slots'>
  #starts = 0

  constructor(scenario: Scenario, world: World) {
    this.#scenario = scenario
    this.#world = world
    this.#highAvailability = scenario.jobManagers !== undefined
    const jobManagerAddress = this.#highAvailability ? undefined : JOB_MANAGER
    const workloads = new Map(scenario.jobs.map(({ workload }) => [workload.name, workload]))
    this.#facts = {
      pace: scenario.pace,
      configuration: CONFIGURATION,
      settings: SETTINGS,
      jobManagerAddress,
      workloadOf: name => workloads.get(name)!,
    }
    for (let index = 0; index < (scenario.jobManagers ?? 1); index++)
      this.jobManagers[index] = this.#startJobManager(index)
    for (const index of scenario.taskManagers.keys()) this.taskManagers[index] = this.#startTaskManager(index)
    this.clientProcess = new SimulatedProcess('client', 'client', SETTINGS, world)
    this.clients = scenario.jobs.map(
      plan => new SimulatedClient(plan, this.clientProcess, jobManagerAddress, world),
    )
  }

  /** Everybody knows everybody. */
  get complete(): boolean {
    return this.leader?.resourceManager?.overview().taskManagers.length === this.taskManagers.length
  }

  /** The JobManager that leads, as it believes; undefined: none. */
  get leader(): SimulatedJobManager | undefined {
    return this.jobManagers.findLast(
      ({ process, resourceManager }) => process.alive && resourceManager !== undefined,
    )
  }

  apply(fault: Fault): void {
    const { storage, network, dataPlane } = this.#world
    const later = (action: () => void): void => {
      if ('forMs' in fault) this.#world.time.after(fault.forMs, action)
    }
    this.#world.logger('fault').warn({ ...fault }, 'happens')
    switch (fault.type) {
      case 'kill-task-manager': {
        const index = fault.target % this.taskManagers.length
        const taskManager = this.taskManagers[index]!
        if (!taskManager.process.alive) break
        taskManager.kill()
        later(() => {
          this.taskManagers[index] = this.#startTaskManager(index)
        })
        break
      }
      case 'freeze-task-manager': {
        const { process } = this.#taskManager(fault.target)
        if (!process.clock.running) break
        process.freeze()
        later(() => process.thaw())
        break
      }
      case 'cut':
      case 'silence': {
        const { address } = this.#taskManager(fault.target).process
        const leader = this.leader?.process.address ?? JOB_MANAGER
        if (fault.type === 'cut') network.cut(address, leader)
        else network.silence(address, leader)
        later(() => network.heal(address, leader))
        break
      }
      case 'break-links':
        network.breakLinks(
          this.#taskManager(fault.target).process.address,
          this.leader?.process.address ?? JOB_MANAGER,
        )
        break
      case 'cut-exchange': {
        const a = this.#taskManager(fault.target).process.resourceId
        const b = this.#taskManager(fault.target + 1).process.resourceId
        if (a === b) break
        dataPlane.cut(a, b)
        later(() => dataPlane.heal(a, b))
        break
      }
      case 'kill-job-manager':
        if (this.leader === undefined) break
        this.#killJobManager(this.jobManagers.indexOf(this.leader), later)
        break
      case 'freeze-job-manager': {
        const process = this.leader?.process
        if (process?.clock.running !== true) break
        process.freeze()
        later(() => process.thaw())
        break
      }
      case 'kill-job-host':
        for (const host of this.leader?.jobHosts?.running ?? []) host.kill()
        break
      case 'freeze-job-host':
        for (const { process } of this.leader?.jobHosts?.running ?? []) {
          if (!process.clock.running) continue
          process.freeze()
          later(() => process.thaw())
        }
        break
      case 'break-host-links': {
        const { leader } = this
        for (const { process } of leader?.jobHosts?.running ?? [])
          network.breakLinks(process.address, leader!.process.address)
        break
      }
      case 'kill-coordinators':
        for (const host of this.leader?.jobHosts?.running ?? [])
          if (host.process.clock.running) host.killThreads()
        break
      case 'fail-task':
        this.#task(fault.target)?.fail({ name: 'Error', message: 'user code failed' })
        break
      case 'kill-thread': {
        const task = this.#task(fault.target)
        if (task === undefined) break
        for (const { threads, process } of this.taskManagers) if (process.clock.running) threads.kill(task)
        break
      }
      case 'stuck-task':
        this.#task(fault.target)?.getStuck()
        break
      case 'slow-task':
        this.#task(fault.target)?.slowDown(fault.forMs)
        break
      case 'slow-storage':
        storage.slowMs += fault.slowMs
        later(() => {
          storage.slowMs -= fault.slowMs
        })
        break
      case 'failing-storage': {
        storage.failing = Math.max(storage.failing, fault.part)
        later(() => {
          storage.failing = 0
        })
        break
      }
      case 'savepoint':
        this.clients[fault.job]?.savepoint()
        break
      case 'checkpoint':
        this.clients[fault.job]?.checkpoint()
        break
      case 'stop':
        this.clients[fault.job]?.stop(fault.mode, fault.parallelism)
        break
      case 'cancel':
        this.clients[fault.job]?.cancel(fault.parallelism)
        break
    }
  }

  #killJobManager(index: number, later: (action: () => void) => void): void {
    this.jobManagers[index]!.kill()
    this.lostJobManagers++
    later(() => {
      this.jobManagers[index] = this.#startJobManager(index)
    })
  }

  #taskManager(target: number): SimulatedTaskManager {
    return this.taskManagers[target % this.taskManagers.length]!
  }

  /** A frozen process does nothing, not even fail. */
  #task(target: number): SimulatedTask | undefined {
    const tasks = this.taskManagers.flatMap(({ threads, process }) =>
      process.clock.running ? threads.tasks : [],
    )
    return tasks[target % Math.max(1, tasks.length)]
  }

  #startTaskManager(index: number): SimulatedTaskManager {
    const slots = this.#scenario.taskManagers[index]!
    const facts = { ...this.#facts, slots }
    return new SimulatedTaskManager(`tm${index}`, this.#starts++, facts, this.#world)
  }

  #startJobManager(index: number): SimulatedJobManager {
    const facts = {
      ...{ configuration: CONFIGURATION, settings: SETTINGS },
      highAvailability: this.#highAvailability,
      jobHosts: this.#scenario.jobs.some(({ coordinated }) => coordinated === true)
        ? { settings: SETTINGS, workloadOf: this.#facts.workloadOf }
        : undefined,
    }
    return new SimulatedJobManager(index === 0 ? JOB_MANAGER : `${JOB_MANAGER}${index}`, facts, this.#world)
  }
}
