import type { CaptureEnd, CaptureListener } from '@flink-ts/network'
import type { CapturedBatch, ChannelName } from '@flink-ts/state'
import { CheckpointNotPossible } from '../errors.ts'

/** What was captured of one channel. */
export interface CapturedChannel {
  readonly name: ChannelName
  readonly batches: readonly CapturedBatch[]
}

/** The records on their way to one task that belong to one checkpoint, while they are being captured. Owner: the task. */
export class ChannelCapture {
  readonly checkpointId: number
  /** Settles when all channels have delivered the barrier. Rejects if one will not, and if it is abandoned. */
  readonly result: Promise<readonly CapturedChannel[]>
  readonly #task: string
  readonly #channels = new Map<number, { readonly name: ChannelName; readonly batches: CapturedBatch[] }>()
  readonly #awaited: Set<number>
  #sizeBytes = 0
  #resolve: (channels: readonly CapturedChannel[]) => void = () => {}
  #reject: (reason: unknown) => void = () => {}

  /** @param options `channels` with their names, by index */
  constructor(options: { checkpointId: number; task: string; channels: ReadonlyMap<number, ChannelName> }) {
    this.checkpointId = options.checkpointId
    this.#task = options.task
    this.#awaited = new Set(options.channels.keys())
    for (const [channel, name] of options.channels) this.#channels.set(channel, { name, batches: [] })
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    // A checkpoint that fails before anybody waits for this is told so already.
    this.result.catch(() => undefined)
  }

  /** Bytes so far. */
  get sizeBytes(): number {
    return this.#sizeBytes
  }

  /** Channels whose barrier has not come. */
  get awaited(): ReadonlySet<number> {
    return this.#awaited
  }

  /** @param ended called after the capture knows */
  listenerOf(channel: number, ended: (by: CaptureEnd) => void): CaptureListener {
    return {
      batch: (bytes, skip) => {
        this.#sizeBytes += bytes.length
        this.#channels.get(channel)?.batches.push({ bytes, skip })
      },
      ended: by => {
        if (by === 'later-barrier') this.#fail('a later barrier came instead of its own')
        else if (this.#awaited.delete(channel) && this.#awaited.size === 0) {
          this.#resolve([...this.#channels.values()])
        }
        ended(by)
      },
    }
  }

  /** Nobody needs it any more. Idempotent. */
  abandon(): void {
    this.#fail('it was given up')
  }

  #fail(reason: string): void {
    this.#awaited.clear()
    this.#channels.clear()
    this.#reject(CheckpointNotPossible({ checkpointId: this.checkpointId, task: this.#task, reason }))
  }
}
