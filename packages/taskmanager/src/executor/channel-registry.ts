import type { AllocationId, ExecutionAttemptId, JobId, ResourceId } from '@flink-ts/common'
import type { ChannelDeployment, TaskDeployment } from '@flink-ts/gateways'
import { allocateRing, type ChannelEnds } from '@flink-ts/network'
import { InvalidDeployment } from '../errors.ts'
import type { ChannelDemand, ChannelSizes, NetworkMemory } from './network-memory.ts'

/** What the registry needs of the network thread. */
export interface NetworkPort {
  readonly bell: SharedArrayBuffer
  openOutbound(ends: ChannelEnds): void
  openInbound(ends: ChannelEnds, remoteAddress: string): void
  release(channelIds: readonly string[], options?: { readonly drain?: boolean }): void
}

const NO_SIZES: ChannelSizes = { local: 0, remote: 0 }

/** How many channels are to be made. */
type Missing = Pick<ChannelDemand, 'channels' | 'remote'>

/** What the registry needs of {@link RingReclaimer}. */
export interface RingReclaimerPort {
  released(sizeBytes: number): void
}

interface Channel {
  readonly ends: ChannelEnds
  readonly remote: boolean
  readonly jobId: JobId
  /** Of the network memory. */
  readonly sizeBytes: number
  /** Attempts on this TaskManager that use it, or will, with their allocation. */
  readonly users: Map<ExecutionAttemptId, AllocationId>
}

/**
 * Channels of the tasks here that leave their slot: made when the first of the two tasks is deployed, forgotten when
 * those of them that run here have ended. Owner: TaskExecutor main thread.
 */
export class ChannelRegistry {
  readonly #resourceId: ResourceId
  readonly #slots: number
  readonly #memory: NetworkMemory
  readonly #network: NetworkPort
  readonly #reclaimer: RingReclaimerPort
  readonly #bellOf: (allocationId: AllocationId) => SharedArrayBuffer | undefined
  readonly #channels = new Map<string, Channel>()
  /** Slots that have had their channels made. */
  readonly #deployed = new Set<AllocationId>()

  /**
   * @param options.slots of this TaskManager
   * @param dependencies.bellOf bell of a slot of this TaskManager
   */
  constructor(
    options: { resourceId: ResourceId; slots: number },
    dependencies: {
      memory: NetworkMemory
      network: NetworkPort
      reclaimer: RingReclaimerPort
      bellOf: (allocationId: AllocationId) => SharedArrayBuffer | undefined
    },
  ) {
    this.#resourceId = options.resourceId
    this.#slots = options.slots
    this.#memory = dependencies.memory
    this.#network = dependencies.network
    this.#reclaimer = dependencies.reclaimer
    this.#bellOf = dependencies.bellOf
  }

  get size(): number {
    return this.#channels.size
  }

  /**
   * The rings of these tasks of one slot; channels inside the slot are direct and have none. Throws what
   * {@link NetworkMemory.reserve} throws, and `taskmanager.invalid-deployment`.
   */
  open(tasks: readonly TaskDeployment[]): readonly ChannelEnds[] {
    const opened: ChannelEnds[] = []
    const [first] = tasks
    if (first === undefined) return opened
    this.#dropEarlier(tasks, first.allocationId)
    const missing = this.#missing(tasks)
    this.#deployed.add(first.allocationId)
    const sizes = missing.channels === 0 ? NO_SIZES : this.#reserve(first, missing)
    let unusedBytes = (missing.channels - missing.remote) * sizes.local + missing.remote * sizes.remote
    try {
      for (const task of tasks) {
        for (const { channels } of task.inputs) {
          for (const channel of channels) unusedBytes -= this.#open(task, channel, 'in', sizes, opened)
        }
        for (const { channels } of task.outputs) {
          for (const channel of channels) unusedBytes -= this.#open(task, channel, 'out', sizes, opened)
        }
      }
    } catch (error) {
      this.#memory.release(first.job.jobId, unusedBytes)
      for (const { attemptId } of tasks) this.close(attemptId, false)
      throw error
    }
    return opened
  }

  /** A task has ended. `finished`: by itself, so that what it sent last must still arrive. */
  close(attemptId: ExecutionAttemptId, finished: boolean): void {
    this.#drop((_, user) => user === attemptId, finished)
  }

  /** A slot is gone: nothing will run there any more. */
  closeAllocation(allocationId: AllocationId): void {
    this.#deployed.delete(allocationId)
    this.#drop(allocation => allocation === allocationId, false)
  }

  /**
   * A slot runs one deployment at a time. Tasks that were to come earlier, for which their partners had channels made,
   * were refused or never sent: nobody else would give up their channels.
   */
  #dropEarlier(tasks: readonly TaskDeployment[], allocationId: AllocationId): void {
    const present = new Set(tasks.map(({ attemptId }) => attemptId))
    this.#drop((allocation, user) => allocation === allocationId && !present.has(user), false)
  }

  /** The task here that uses a channel to another TaskManager. */
  userOf(channelId: string): { attemptId: ExecutionAttemptId; allocationId: AllocationId } | undefined {
    const [user] = this.#channels.get(channelId)?.users ?? []
    return user === undefined ? undefined : { attemptId: user[0], allocationId: user[1] }
  }

  #drop(concerns: (allocation: AllocationId, user: ExecutionAttemptId) => boolean, drain: boolean): void {
    const released: string[] = []
    let sizeBytes = 0
    for (const [channelId, { ends, users, remote, ...channel }] of this.#channels) {
      for (const [user, allocation] of users) if (concerns(allocation, user)) users.delete(user)
      if (users.size > 0) continue
      this.#channels.delete(channelId)
      this.#memory.release(channel.jobId, channel.sizeBytes)
      sizeBytes += ends.ring.byteLength
      if (remote) released.push(channelId)
    }
    if (released.length > 0) this.#network.release(released, { drain })
    this.#reclaimer.released(sizeBytes)
  }

  /** Channels of these tasks that need a ring and have none. */
  #missing(tasks: readonly TaskDeployment[]): Missing {
    const missing = new Set<string>()
    let remote = 0
    for (const task of tasks) {
      for (const { channels } of [...task.inputs, ...task.outputs]) {
        for (const { channelId, partner } of channels) {
          if (this.#inside(task, partner) || this.#channels.has(channelId) || missing.has(channelId)) continue
          missing.add(channelId)
          if (partner.taskManager !== this.#resourceId) remote++
        }
      }
    }
    return { channels: missing.size, remote }
  }

  #reserve({ job }: TaskDeployment, missing: Missing): ChannelSizes {
    const otherSlots = Math.max(0, this.#slots - this.#deployed.size)
    return this.#memory.reserve({ jobId: job.jobId, jobName: job.graph.name, ...missing, otherSlots })
  }

  #inside(task: TaskDeployment, partner: ChannelDeployment['partner']): boolean {
    return partner.taskManager === this.#resourceId && partner.allocationId === task.allocationId
  }

  /** Returns how much of the network memory the channel takes: nothing if it is there already, or inside the slot. */
  #open(
    task: TaskDeployment,
    { channelId, partner }: ChannelDeployment,
    direction: 'in' | 'out',
    sizes: ChannelSizes,
    opened: ChannelEnds[],
  ): number {
    if (this.#inside(task, partner)) return 0
    const here = partner.taskManager === this.#resourceId
    const existing = this.#channels.get(channelId)
    if (existing !== undefined) {
      opened.push(existing.ends)
      return 0
    }
    const own = this.#bell(task, task.allocationId)
    const other = here ? this.#bell(task, partner.allocationId) : this.#network.bell
    const [producerBell, consumerBell] = direction === 'out' ? [own, other] : [other, own]
    const sizeBytes = here ? sizes.local : sizes.remote
    const ends: ChannelEnds = {
      channelId,
      ring: allocateRing(sizeBytes),
      producerBell,
      consumerBell,
    }
    const users = new Map([[task.attemptId, task.allocationId]])
    if (here) users.set(partner.attemptId, partner.allocationId)
    const { jobId } = task.job
    this.#channels.set(channelId, { ends, users, remote: !here, jobId, sizeBytes })
    if (!here && direction === 'out') this.#network.openOutbound(ends)
    else if (!here) this.#network.openInbound(ends, partner.dataAddress)
    opened.push(ends)
    return sizeBytes
  }

  #bell(task: TaskDeployment, allocationId: AllocationId): SharedArrayBuffer {
    const bell = this.#bellOf(allocationId)
    if (bell !== undefined) return bell
    const problem = `the slot of allocation ${allocationId}, where a partner task is to run, is not on this TaskManager`
    throw InvalidDeployment({ task: task.attemptId, problem })
  }
}
