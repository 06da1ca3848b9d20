import type { OperatorId } from '@flink-ts/common'
import type { CaptureEnd } from '@flink-ts/network'
import { ChannelCapture } from '@flink-ts/taskmanager'
import type { ChannelMessage } from './data-plane.ts'
import type { SimulatedRecord } from './workload.ts'

interface InputChannel {
  readonly messages: ChannelMessage[]
  blocked: boolean
  dataEnded: boolean
  finished: boolean
  /** Records that come before this barrier are made part of the checkpoint. */
  capture:
    | { readonly checkpointId: number; readonly listener: ReturnType<ChannelCapture['listenerOf']> }
    | undefined
}

/**
 * The incoming channels of a simulated task, as `TaskInputs` and its readers have them: what was restored comes before
 * everything else, a barrier that ends a capture is not handed out any more.
 */
export class SimulatedInputs {
  readonly #channels: readonly InputChannel[]
  /** Has records from a checkpoint and ends with them; undefined: there never are any. */
  readonly #restored: InputChannel | undefined

  /** @param options `unaligned`: records on their way can be part of a checkpoint */
  constructor(options: { readonly channels: number; readonly unaligned: boolean }) {
    const own = Array.from({ length: options.channels }, newChannel)
    this.#restored = options.unaligned && options.channels > 0 ? newChannel() : undefined
    if (this.#restored === undefined) this.#channels = own
    else {
      this.#restored.dataEnded = true
      this.#channels = [...own, this.#restored]
    }
  }

  get count(): number {
    return this.#channels.length
  }

  get allFinished(): boolean {
    return this.#channels.every(({ finished }) => finished)
  }

  get allDataEnded(): boolean {
    return this.#channels.every(({ dataEnded }) => dataEnded)
  }

  /** Before everything else: what was on its way when the snapshot was taken. */
  restore(records: readonly SimulatedRecord[]): void {
    if (this.#restored === undefined) return
    for (const record of records) this.#restored.messages.push({ type: 'records', records: [record] })
    this.#restored.messages.push({ type: 'end-of-partition' })
  }

  receive(index: number, message: ChannelMessage): void {
    const channel = this.#channels[index]!
    const end = channel.capture === undefined ? undefined : captured(channel, message)
    if (end !== 'barrier') channel.messages.push(message)
    if (end !== undefined) endCapture(channel, end)
  }

  /** Takes the next message of a channel; undefined: there is none, or it is not its turn. */
  take(index: number): ChannelMessage | undefined {
    const channel = this.#channels[index]!
    if (channel.blocked) return undefined
    if (this.#restored !== undefined && !this.#restored.finished && channel !== this.#restored)
      return undefined
    return channel.messages.shift()
  }

  dataEnded(index: number): void {
    this.#channels[index]!.dataEnded = true
  }

  finished(index: number): void {
    this.#channels[index]!.finished = true
  }

  block(index: number): void {
    this.#channels[index]!.blocked = true
  }

  unblockAll(): void {
    for (const channel of this.#channels) channel.blocked = false
  }

  /** Makes the records before barrier `checkpointId` on these channels part of it. */
  capture(
    checkpointId: number,
    task: string,
    indexes: readonly number[],
    onEnd: (index: number, by: CaptureEnd) => void,
  ): ChannelCapture {
    const isRestored = (index: number): boolean => this.#channels[index] === this.#restored
    // What was restored was sent before what its channel has now.
    const ordered = [...indexes.filter(isRestored), ...indexes.filter(index => !isRestored(index))]
    const name = { input: 0, source: '' as OperatorId }
    const capture = new ChannelCapture({
      ...{ checkpointId, task },
      channels: new Map(ordered.map(index => [index, name])),
    })
    for (const index of ordered) {
      const channel = this.#channels[index]!
      channel.capture = { checkpointId, listener: capture.listenerOf(index, by => onEnd(index, by)) }
      for (const [at, message] of channel.messages.entries()) {
        const end = captured(channel, message)
        if (end === undefined) continue
        if (end === 'barrier') channel.messages.splice(at, 1)
        endCapture(channel, end)
        break
      }
    }
    return capture
  }

  stopCapture(): void {
    for (const channel of this.#channels) channel.capture = undefined
  }
}

function newChannel(): InputChannel {
  return { messages: [], blocked: false, dataEnded: false, finished: false, capture: undefined }
}

/** Copies a message that comes before the barrier. @returns what ends the capture, if this does */
function captured({ capture }: InputChannel, message: ChannelMessage): CaptureEnd | undefined {
  const { checkpointId, listener } = capture!
  if (message.type === 'records') listener.batch(Buffer.from(JSON.stringify(message.records)), 0)
  if (message.type === 'end-of-partition') return 'end-of-partition'
  if (message.type !== 'barrier' || message.barrier.checkpointId < checkpointId) return undefined
  return message.barrier.checkpointId === checkpointId ? 'barrier' : 'later-barrier'
}

function endCapture(channel: InputChannel, by: CaptureEnd): void {
  const listener = channel.capture?.listener
  channel.capture = undefined
  listener?.ended(by)
}
