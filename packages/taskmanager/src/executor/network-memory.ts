import type { JobId } from '@flink-ts/common'
import { NetworkMemoryTaken, NetworkMemoryTooSmall } from '../errors.ts'

/** Smaller rings hold batches of a few dozen records only. */
const MIN_CHANNEL_BYTES = 16 * 1024

/**
 * What channels that are made together get at most, as long as each keeps the smallest size: memory is cleared when it
 * is made, about 200 MB a second here, and the TaskManager answers nobody meanwhile.
 */
const QUICKLY_MADE_BYTES = 128 * 1024 ** 2

/** Channels that are to be made together. */
export interface ChannelDemand {
  readonly jobId: JobId
  /** For messages. */
  readonly jobName: string
  /** From 1. */
  readonly channels: number
  /** Those of them that lead to another TaskManager. */
  readonly remote: number
  /** Slots of this TaskManager that will want channels, too. */
  readonly otherSlots: number
}

/** Bytes of a ring, each a power of two. */
export interface ChannelSizes {
  readonly local: number
  readonly remote: number
}

/**
 * Shares the network memory of a TaskManager out to channels. They get the full size while there is plenty; many
 * channels get smaller ones, so that a large job runs, a bit slower, instead of being refused. Those between TaskManagers
 * get twice as much while there is plenty: two threads more and a connection lie between their ends, and a shorter way is
 * waited for more often. Owner: TaskExecutor main thread.
 */
export class NetworkMemory {
  readonly limitBytes: number
  readonly #channelBytes: number
  readonly #smallestBytes: number
  readonly #usedBytes = new Map<JobId, number>()

  /**
   * @param options.limitBytes for all channels together
   * @param options.channelBytes of one channel at best
   */
  constructor(options: { readonly limitBytes: number; readonly channelBytes: number }) {
    this.limitBytes = options.limitBytes
    this.#channelBytes = powerOfTwo(options.channelBytes)
    this.#smallestBytes = Math.min(MIN_CHANNEL_BYTES, this.#channelBytes)
  }

  get usedBytes(): number {
    let usedBytes = 0
    for (const sizeBytes of this.#usedBytes.values()) usedBytes += sizeBytes
    return usedBytes
  }

  /**
   * Takes memory for channels and returns the size of each. Throws
   * `taskmanager.network-memory-too-small` if the job alone needs more than there is, and
   * `taskmanager.network-memory-taken` if other jobs have it.
   */
  reserve({ jobId, jobName, channels, remote, otherSlots }: ChannelDemand): ChannelSizes {
    const usedBytes = this.usedBytes
    const freeBytes = this.limitBytes - usedBytes
    // What a slot that comes later can still get must not depend on who came first.
    const shareBytes = freeBytes / (otherSlots + 1)
    let sizeBytes = this.#channelBytes
    const plentyBytes = Math.min(shareBytes, QUICKLY_MADE_BYTES)
    const plenty = (channels + remote) * sizeBytes <= plentyBytes
    while (sizeBytes > this.#smallestBytes && channels * sizeBytes > plentyBytes) sizeBytes /= 2
    const ownBytes = this.#usedBytes.get(jobId) ?? 0
    if (channels * sizeBytes > freeBytes) {
      const { limitBytes } = this
      const neededBytes = ownBytes + channels * sizeBytes
      if (neededBytes > limitBytes)
        throw NetworkMemoryTooSmall({ job: jobName, channels, neededBytes, limitBytes })
      const othersBytes = usedBytes - ownBytes
      throw NetworkMemoryTaken({ job: jobName, channels, neededBytes, othersBytes, limitBytes })
    }
    const sizes = { local: sizeBytes, remote: plenty ? 2 * sizeBytes : sizeBytes }
    this.#usedBytes.set(jobId, ownBytes + (channels - remote) * sizes.local + remote * sizes.remote)
    return sizes
  }

  /** Gives back what channels had. */
  release(jobId: JobId, sizeBytes: number): void {
    const left = (this.#usedBytes.get(jobId) ?? 0) - sizeBytes
    if (left > 0) this.#usedBytes.set(jobId, left)
    else this.#usedBytes.delete(jobId)
  }
}

function powerOfTwo(sizeBytes: number): number {
  return 2 ** Math.ceil(Math.log2(sizeBytes))
}
