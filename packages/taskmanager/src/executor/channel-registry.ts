import type { AllocationId, ExecutionAttemptId, ResourceId } from '@flink-ts/common'
import type { ChannelDeployment, TaskDeployment } from '@flink-ts/gateways'
import { allocateRing, type ChannelEnds } from '@flink-ts/network'
import { InvalidDeployment } from '../errors.ts'

/** What the registry needs of the network thread. */
export interface NetworkPort {
  readonly bell: SharedArrayBuffer
  openOutbound(ends: ChannelEnds): void
  openInbound(ends: ChannelEnds, remoteAddress: string): void
  release(channelIds: readonly string[], options?: { readonly drain?: boolean }): void
}

/** What the registry needs of {@link RingReclaimer}. */
export interface RingReclaimerPort {
  released(sizeBytes: number): void
}

interface Channel {
  readonly ends: ChannelEnds
  readonly remote: boolean
  /** Attempts on this TaskManager that use it, or will, with their allocation. */
  readonly users: Map<ExecutionAttemptId, AllocationId>
}

/**
 * Channels of the tasks here that leave their slot: made when the first of the two tasks is deployed, forgotten when
 * those of them that run here have ended. Owner: TaskExecutor main thread.
 */
export class ChannelRegistry {
  readonly #resourceId: ResourceId
  readonly #ringSizeBytes: number
  readonly #network: NetworkPort
  readonly #reclaimer: RingReclaimerPort
  readonly #bellOf: (allocationId: AllocationId) => SharedArrayBuffer | undefined
  readonly #channels = new Map<string, Channel>()

  /** @param bellOf bell of a slot of this TaskManager */
  constructor(
    options: { resourceId: ResourceId; ringSizeBytes: number },
    dependencies: {
      network: NetworkPort
      reclaimer: RingReclaimerPort
      bellOf: (allocationId: AllocationId) => SharedArrayBuffer | undefined
    },
  ) {
    this.#resourceId = options.resourceId
    this.#ringSizeBytes = options.ringSizeBytes
    this.#network = dependencies.network
    this.#reclaimer = dependencies.reclaimer
    this.#bellOf = dependencies.bellOf
  }

  get size(): number {
    return this.#channels.size
  }

  /** The rings of these tasks of one slot; channels inside the slot are direct and have none. */
  open(tasks: readonly TaskDeployment[]): readonly ChannelEnds[] {
    const opened: ChannelEnds[] = []
    try {
      for (const task of tasks) {
        for (const { channels } of task.inputs) {
          for (const channel of channels) this.#open(task, channel, 'in', opened)
        }
        for (const { channels } of task.outputs) {
          for (const channel of channels) this.#open(task, channel, 'out', opened)
        }
      }
    } catch (error) {
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
    this.#drop(allocation => allocation === allocationId, false)
  }

  /** The task here that uses a channel to another TaskManager. */
  userOf(channelId: string): { attemptId: ExecutionAttemptId; allocationId: AllocationId } | undefined {
    const [user] = this.#channels.get(channelId)?.users ?? []
    return user === undefined ? undefined : { attemptId: user[0], allocationId: user[1] }
  }

  #drop(concerns: (allocation: AllocationId, user: ExecutionAttemptId) => boolean, drain: boolean): void {
    const released: string[] = []
    let sizeBytes = 0
    for (const [channelId, { ends, users, remote }] of this.#channels) {
      for (const [user, allocation] of users) if (concerns(allocation, user)) users.delete(user)
      if (users.size > 0) continue
      this.#channels.delete(channelId)
      sizeBytes += ends.ring.byteLength
      if (remote) released.push(channelId)
    }
    if (released.length > 0) this.#network.release(released, { drain })
    this.#reclaimer.released(sizeBytes)
  }

  #open(
    task: TaskDeployment,
    { channelId, partner }: ChannelDeployment,
    direction: 'in' | 'out',
    opened: ChannelEnds[],
  ): void {
    const here = partner.taskManager === this.#resourceId
    if (here && partner.allocationId === task.allocationId) return
    const existing = this.#channels.get(channelId)
    if (existing !== undefined) {
      opened.push(existing.ends)
      return
    }
    const own = this.#bell(task, task.allocationId)
    const other = here ? this.#bell(task, partner.allocationId) : this.#network.bell
    const [producerBell, consumerBell] = direction === 'out' ? [own, other] : [other, own]
    const ends: ChannelEnds = {
      channelId,
      ring: allocateRing(this.#ringSizeBytes),
      producerBell,
      consumerBell,
    }
    const users = new Map([[task.attemptId, task.allocationId]])
    if (here) users.set(partner.attemptId, partner.allocationId)
    this.#channels.set(channelId, { ends, users, remote: !here })
    if (!here && direction === 'out') this.#network.openOutbound(ends)
    else if (!here) this.#network.openInbound(ends, partner.dataAddress)
    opened.push(ends)
  }

  #bell(task: TaskDeployment, allocationId: AllocationId): SharedArrayBuffer {
    const bell = this.#bellOf(allocationId)
    if (bell !== undefined) return bell
    const problem = `the slot of allocation ${allocationId}, where a partner task is to run, is not on this TaskManager`
    throw InvalidDeployment({ task: task.attemptId, problem })
  }
}
