import type { CaptureEnd, ChannelEvent, ChannelHandler, ChannelReader } from '@flink-ts/network'
import type { Push } from '@flink-ts/operators'
import type { ChannelName } from '@flink-ts/state'
import type { BarrierHandler } from '../checkpoint/barrier-handler.ts'
import { ChannelCapture } from '../checkpoint/channel-capture.ts'
import { DirectChannel, type DirectConsumer } from './direct-channel.ts'
import type { EventTimeFacts } from './event-time-watch.ts'
import { RestoredChannel } from './restored-channel.ts'
import { CombinedEventTime, WatermarkValve } from './watermark-valve.ts'

/** One channel to be read: whose input it feeds, and where to read it. */
export interface InputChannel {
  /** 0 or 1: which input of the head. */
  readonly inputIndex: number
  readonly reader: ChannelReader
  /** Vertex that sends; undefined: records come from a checkpoint. */
  readonly source?: string
  /** What a checkpoint calls it if it holds records of it. */
  readonly name: ChannelName
  /** For messages: who sends. */
  readonly label: string
  /** Its records cannot become state: they would not fit another parallelism. */
  readonly alignedOnly: boolean
}

/** What a {@link TaskInputs} tells its task. */
export interface InputListener {
  /** Event time of the head has risen. */
  eventTime(watermark: number): void
  idle(idle: boolean): void
  /** All channels of this input have delivered their last record. */
  inputEnded(inputIndex: number): void
  /** The input ends because the job is being stopped. */
  drained(): void
  /** Direct channels may have to be opened or closed. */
  changed(): void
}

interface Input {
  readonly index: number
  readonly inputIndex: number
  readonly valveIndex: number
  readonly reader: ChannelReader
  readonly channel: InputChannel
  readonly handler: ChannelHandler & { record: Push }
  blocked: boolean
  ended: boolean
  finished: boolean
}

/** Sees a record before the head does. Must not throw. */
export type InputObserver = (record: unknown, input: number, sender: string) => void

/** The incoming channels of a task: taken in turn, with their event time, barriers and ends. Owner: the task. */
export class TaskInputs {
  readonly #inputs: readonly Input[]
  readonly #valves: readonly WatermarkValve[]
  readonly #eventTime: CombinedEventTime
  readonly #listener: InputListener
  readonly #barriers: BarrierHandler
  readonly #suspended: () => boolean
  readonly #direct: readonly DirectChannel[]
  #called = 0
  #next = 0
  #open = 0
  #idle = false
  #blocked = 0
  /** Channels with records from a checkpoint that are not all processed: they come before everything else. */
  #restoring: number
  readonly #capturing = new Set<Input>()
  readonly #heads: readonly Push[]
  readonly #observers = new Set<{ readonly source: string | undefined; readonly see: InputObserver }>()

  /** @param heads by input index: where records go */
  constructor(
    channels: readonly InputChannel[],
    dependencies: {
      heads: readonly Push[]
      consumer: DirectConsumer
      listener: InputListener
      barriers: BarrierHandler
      /** The end of a channel is not the end of the data: the job goes on from a savepoint. */
      suspended: () => boolean
    },
  ) {
    this.#heads = dependencies.heads
    this.#listener = dependencies.listener
    this.#barriers = dependencies.barriers
    this.#suspended = dependencies.suspended
    this.#open = channels.length
    this.#restoring = channels.filter(({ reader }) => reader instanceof RestoredChannel).length
    this.#direct = channels.map(({ reader }) => reader).filter(reader => reader instanceof DirectChannel)
    const counts = dependencies.heads.map(() => 0)
    this.#inputs = channels.map((channel, index) => {
      const { inputIndex, reader } = channel
      const input: Input = {
        index,
        inputIndex,
        valveIndex: counts[inputIndex] as number,
        reader,
        channel,
        handler: {
          record: dependencies.heads[inputIndex] as Push,
          event: event => this.#onEvent(input, event),
        },
        blocked: false,
        ended: false,
        finished: false,
      }
      counts[inputIndex] = input.valveIndex + 1
      return input
    })
    this.#valves = counts.map(count => new WatermarkValve(count))
    // An input that nothing is connected to does not hold back time.
    this.#eventTime = new CombinedEventTime(this.#valves.filter((_, i) => (counts[i] as number) > 0))
    for (const { reader, handler } of this.#inputs) {
      if (reader instanceof DirectChannel) reader.connect(dependencies.consumer, handler)
    }
  }

  get count(): number {
    return this.#inputs.length
  }

  /** No channel will bring anything any more. */
  get allFinished(): boolean {
    return this.#open === 0
  }

  /** Takes from the next channel that has something: up to `maxRecords` records, or one event. */
  poll(maxRecords: number): boolean {
    const { length } = this.#inputs
    for (let k = 0; k < length; k++) {
      const input = this.#inputs[(this.#next + k) % length] as Input
      if (input.blocked || input.finished) continue
      if (this.#restoring > 0 && !(input.reader instanceof RestoredChannel)) continue
      if (!input.reader.ready()) continue
      if (input.reader.poll(maxRecords, input.handler) === 0) continue
      this.#next = (input.index + 1) % length
      return true
    }
    return false
  }

  block(channel: number): void {
    const input = this.#inputs[channel] as Input
    input.blocked = true
    this.#blocked++
    if (input.reader instanceof DirectChannel) input.reader.setOpen(false)
  }

  unblockAll(): void {
    if (this.#blocked === 0) return
    this.#blocked = 0
    for (const input of this.#inputs) input.blocked = false
    this.#listener.changed()
  }

  /** Makes the records on their way part of a checkpoint: those before the barrier on these channels. */
  capture(checkpointId: number, task: string, channels: readonly number[]): ChannelCapture {
    const chosen = channels.map(channel => this.#inputs[channel] as Input)
    const isRestored = ({ reader }: Input): boolean => reader instanceof RestoredChannel
    // Kept in this order for each source: what was restored was sent before what its channel has now.
    const inputs = [...chosen.filter(isRestored), ...chosen.filter(input => !isRestored(input))]
    const names = new Map(inputs.map(({ index, channel }) => [index, channel.name]))
    const capture = new ChannelCapture({ checkpointId, task, channels: names })
    for (const input of inputs) {
      const { index, reader } = input
      this.#capturing.add(input)
      const ended = (by: CaptureEnd): void => {
        this.#capturing.delete(input)
        this.#barriers.onCaptured?.(index, by)
        this.#listener.changed()
      }
      reader.startCapture(checkpointId, capture.listenerOf(index, ended))
    }
    return capture
  }

  /**
   * Has records seen until the answer is called. The way of records is another one meanwhile, and the same as before
   * without observers.
   * @param source only those of this vertex
   */
  observe(source: string | undefined, see: InputObserver): () => void {
    const observer = { source, see }
    this.#observers.add(observer)
    this.#setHeads()
    return () => {
      this.#observers.delete(observer)
      this.#setHeads()
    }
  }

  #setHeads(): void {
    for (const { inputIndex, reader, channel, handler } of this.#inputs) {
      const head = this.#heads[inputIndex] as Push
      const { label, source } = channel
      const observers = [...this.#observers].filter(observer => (observer.source ?? source) === source)
      handler.record =
        observers.length === 0
          ? head
          : record => {
              for (const { see } of observers) see(record, inputIndex, label)
              head(record)
            }
      if (reader instanceof DirectChannel) reader.setHead(handler.record)
    }
  }

  /** Takes what has come on channels that are being captured out of them. Returns whether there was anything. */
  drain(): boolean {
    let drained = false
    for (const { reader } of this.#capturing) if (reader.drain()) drained = true
    return drained
  }

  stopCapture(): void {
    for (const { reader } of this.#capturing) reader.stopCapture()
    this.#capturing.clear()
    this.#listener.changed()
  }

  /** Who sends on a channel, for messages. */
  labelOf(channel: number): string {
    return this.#inputs[channel]?.channel.label ?? `channel ${channel}`
  }

  /** Lets direct channels call the head, or has them queue. */
  setDirectOpen(ready: boolean): void {
    const open = ready && this.#restoring === 0
    for (const { reader, blocked } of this.#inputs) {
      if (reader instanceof DirectChannel) reader.setOpen(open && !blocked)
    }
  }

  /** The task has ended: what still comes is dropped. */
  discard(): void {
    for (const { reader } of this.#inputs) if (reader instanceof DirectChannel) reader.discard()
  }

  get recordsIn(): number {
    return this.#inputs.reduce((sum, input) => sum + input.reader.recordsIn, 0)
  }

  /** Whether a producer of this thread has called the head directly since the last call. */
  calledSince(): boolean {
    let called = 0
    for (const channel of this.#direct) called += channel.recordsOut
    const before = this.#called
    this.#called = called
    return called !== before
  }

  /** Of the fullest channel: 0 to 1. */
  get usage(): number {
    return this.#inputs.reduce((most, input) => Math.max(most, input.reader.usage), 0)
  }

  /** Bytes that wait on blocked channels. */
  get blockedBytes(): number {
    return this.#inputs.reduce((sum, { blocked, reader }) => sum + (blocked ? reader.bufferedBytes : 0), 0)
  }

  get bytesIn(): number {
    return this.#inputs.reduce((sum, input) => sum + input.reader.bytesIn, 0)
  }

  /** Where event time is, and which channels are no further. */
  get eventTime(): EventTimeFacts {
    const { output } = this.#eventTime
    const holding = this.#inputs.filter(({ inputIndex, valveIndex }) => {
      const valve = this.#valves[inputIndex] as WatermarkValve
      return !valve.idle && valve.output <= output && valve.isHeldBy(valveIndex)
    })
    return {
      watermark: output,
      furthest: Math.max(...this.#valves.map(valve => valve.furthest)),
      heldBy: holding.map(({ channel }) => channel.label),
      recordsIn: this.recordsIn,
    }
  }

  #onEvent(input: Input, event: ChannelEvent): void {
    const valve = this.#valves[input.inputIndex] as WatermarkValve
    switch (event.type) {
      case 'watermark':
        valve.onWatermark(input.valveIndex, event.watermark)
        this.#updateEventTime()
        break
      case 'idle':
        valve.onIdle(input.valveIndex)
        this.#updateEventTime()
        break
      case 'active':
        valve.onActive(input.valveIndex)
        this.#updateEventTime()
        break
      case 'barrier':
        this.#barriers.onBarrier(input.index, {
          checkpointId: event.checkpointId,
          timestamp: event.timestamp,
          savepoint: event.savepoint,
        })
        break
      case 'cancel-barrier':
        this.#barriers.onCancelBarrier(input.index, event.checkpointId)
        break
      case 'end-of-data':
        if (event.drained === true) this.#listener.drained()
        this.#endOfData(input)
        break
      case 'end-of-partition':
        if (!this.#suspended()) this.#endOfData(input)
        if (input.finished) break
        input.finished = true
        this.#open--
        if (input.reader instanceof RestoredChannel) this.#restoring--
        this.#barriers.onChannelFinished(input.index)
        break
    }
    this.#listener.changed()
  }

  #endOfData(input: Input): void {
    if (input.ended) return
    input.ended = true
    this.#valves[input.inputIndex]?.onEnded(input.valveIndex)
    this.#updateEventTime()
    if (this.#inputs.every(other => other.inputIndex !== input.inputIndex || other.ended)) {
      this.#listener.inputEnded(input.inputIndex)
    }
  }

  #updateEventTime(): void {
    const before = this.#eventTime.output
    this.#eventTime.update()
    const { output, idle } = this.#eventTime
    if (this.#idle && !idle) this.#setIdle(false)
    if (output > before) this.#listener.eventTime(output)
    if (!this.#idle && idle) this.#setIdle(true)
  }

  #setIdle(idle: boolean): void {
    this.#idle = idle
    this.#listener.idle(idle)
  }
}
