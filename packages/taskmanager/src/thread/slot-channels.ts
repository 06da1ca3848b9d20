import type { ExecutionAttemptId, Random } from '@flink-ts/common'
import type { TaskDeployment } from '@flink-ts/gateways'
import {
  type ChannelEnds,
  createChannelReader,
  createChannelWriter,
  createRecordWriter,
} from '@flink-ts/network'
import { InvalidDeployment } from '../errors.ts'
import { DirectChannel } from '../stream-task/direct-channel.ts'
import type { OperatorOverdraft } from '../stream-task/overdraft.ts'
import type { TaskChannels } from '../stream-task/task-ports.ts'
import { taskFunctionName } from './task-function-name.ts'

/** The channels between the tasks of a thread, and the rings to all others. Owner: the slot thread. */
export class SlotChannels implements TaskChannels {
  readonly #rings: ReadonlyMap<string, ChannelEnds>
  readonly #direct = new Map<string, DirectChannel>()
  readonly #random: Random

  constructor(
    deployments: readonly TaskDeployment[],
    registers: ReadonlyMap<ExecutionAttemptId, Float64Array>,
    rings: readonly ChannelEnds[],
    random: Random,
  ) {
    this.#rings = new Map(rings.map(ends => [ends.channelId, ends]))
    this.#random = random
    for (const { attemptId, outputs } of deployments) {
      for (const { edge, channels } of outputs) {
        for (const { channelId, partner } of channels) {
          if (this.#rings.has(channelId)) continue
          const consumer = taskFunctionName(edge.target, partner?.subtaskIndex ?? 0)
          const channel = new DirectChannel(registers.get(attemptId) as Float64Array, consumer)
          this.#direct.set(channelId, channel)
        }
      }
    }
  }

  reader(channelId: string, timestamp: Float64Array) {
    const ends = this.#rings.get(channelId)
    return ends === undefined ? this.#directChannel(channelId) : createChannelReader(ends, timestamp)
  }

  writer(channelId: string, timestamp: Float64Array, overdraft: OperatorOverdraft) {
    const ends = this.#rings.get(channelId)
    return ends === undefined
      ? this.#directChannel(channelId).bound(overdraft)
      : createChannelWriter(ends, { timestamp, overdraft })
  }

  recordWriter(...[partitioner, channels, options]: Parameters<TaskChannels['recordWriter']>) {
    // The generated function of a direct channel is called as it is, without the wrapper of a method call.
    const targets = channels.map(channel => (channel instanceof DirectChannel ? channel.write : channel))
    return createRecordWriter(partitioner, targets, { ...options, random: this.#random })
  }

  #directChannel(channelId: string): DirectChannel {
    const channel = this.#direct.get(channelId)
    if (channel !== undefined) return channel
    throw InvalidDeployment({
      task: channelId,
      problem: 'the producer of this direct channel is not in the same slot',
    })
  }
}
