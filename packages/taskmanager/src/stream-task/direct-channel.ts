import {
  type CaptureEnd,
  type CaptureListener,
  type ChannelEvent,
  type ChannelHandler,
  type ChannelReader,
  type ChannelWriter,
  endOfCapture,
} from '@flink-ts/network'
import { RecordCapture } from '../checkpoint/record-capture.ts'
import { generateCode } from './generated-code.ts'
import type { OperatorOverdraft } from './overdraft.ts'

/** The consuming task as a {@link DirectChannel} sees it. */
export interface DirectConsumer {
  /** Whether the task takes records at all now, everything reachable behind it included. */
  takesRecords(): boolean
  /** The consumer's timestamp register. */
  readonly timestamp: Float64Array
  /** Processing failed: the fault is the consumer's, not the producer's. */
  fail(error: unknown): void
}

/** Records that may wait for the consumer while a capture keeps the channel closed, before the producer waits. */
const MOST_CAPTURED = 256

interface Capture {
  readonly checkpointId: number
  readonly listener: CaptureListener
  readonly records: RecordCapture
}

interface FastPath {
  readonly write: (record: unknown) => void
  setOpen(open: boolean): void
  connect(head: (record: unknown) => void, to: Float64Array, failed: (error: unknown) => void): void
  count(): number
}

/** @param name of the function that leads into the consumer */
const fastPath = (name: string): string => `
let open = false, count = 0, head = queue, to = from, failed = queue
return {
  write: function ${name}(record) {
    if (open) {
      count++
      to[0] = from[0]
      try { head(record) } catch (error) { failed(error) }
    } else {
      queue(record)
    }
  },
  setOpen(value) { open = value },
  connect(newHead, register, onError) { head = newHead; to = register; failed = onError },
  count() { return count },
}`

/**
 * Channel between two subtasks of one slot thread: a direct call into the consumer while it is open. While it is
 * closed (alignment, a suspended watermark, unfinished asynchronous work, not yet running) what comes is queued; the
 * queue stays short because the producer is not scheduled meanwhile, and bounded because a single record may emit many. Order is kept: it opens only when the queue is
 * empty. After {@link DirectChannel.discard} everything is dropped. Owner: the slot thread.
 */
export class DirectChannel implements ChannelWriter, ChannelReader {
  readonly write: (record: unknown) => void
  readonly overdraftBytes = 0
  readonly bytesOut = 0
  readonly bytesIn = 0
  readonly bufferedBytes = 0
  /** It has no memory of its own. */
  readonly usage = 0
  readonly #from: Float64Array
  readonly #path: FastPath
  #consumer: DirectConsumer | undefined
  #overdraft: OperatorOverdraft | undefined
  #handler: ChannelHandler | undefined
  #values: unknown[] = []
  #timestamps: number[] = []
  #head = 0
  #queued = 0
  #open = false
  #discarding = false
  /** Keeps the channel closed. */
  #capture: Capture | undefined

  /**
   * @param from timestamp register of the producer
   * @param name of the function that leads into the consumer: see `taskFunctionName`
   */
  constructor(from: Float64Array, name = 'write') {
    this.#from = from
    const queue = (record: unknown): void => this.#enqueue(record)
    this.#path = generateCode<FastPath>(['queue', 'from'], fastPath(name), [queue, from])
    this.write = this.#path.write
  }

  /** What the producer may have waiting here. Called once, before it writes. */
  bound(overdraft: OperatorOverdraft): this {
    this.#overdraft = overdraft
    return this
  }

  /** Called once, before the consumer is first scheduled. */
  connect(consumer: DirectConsumer, handler: ChannelHandler): void {
    this.#consumer = consumer
    this.#handler = handler
    this.setHead(handler.record)
  }

  /** Where records of this channel go from now on: see `TaskInputs.observe`. */
  setHead(head: (record: unknown) => void): void {
    const consumer = this.#consumer as DirectConsumer
    this.#path.connect(head, consumer.timestamp, error => consumer.fail(error))
  }

  /** The consumer is (no longer) ready for direct calls. Takes effect at once; opening, only with an empty queue. */
  setOpen(open: boolean): void {
    const next =
      open && this.#head === this.#values.length && !this.#discarding && this.#capture === undefined
    if (next === this.#open) return
    this.#open = next
    this.#path.setOpen(next)
  }

  /** The consumer has ended: nothing is kept any more. */
  discard(): void {
    this.#discarding = true
    this.#capture = undefined
    this.setOpen(false)
    this.#values = []
    this.#timestamps = []
    this.#head = 0
  }

  available(): boolean {
    // The producer may have to process more before its barrier comes, which ends the capture.
    if (this.#capture !== undefined) return this.queueLength < MOST_CAPTURED
    return this.#open && (this.#consumer as DirectConsumer).takesRecords()
  }

  event(event: ChannelEvent): void {
    if (!this.#open) {
      const end = this.#capture && endOfCapture(event, this.#capture.checkpointId)
      if (end !== 'barrier') this.#enqueue(new QueuedEvent(event))
      if (end !== undefined) this.#endCapture(end)
      return
    }
    try {
      ;(this.#handler as ChannelHandler).event(event)
    } catch (error) {
      ;(this.#consumer as DirectConsumer).fail(error)
    }
  }

  flush(): void {}

  announce(): void {}

  get recordsOut(): number {
    return this.#path.count() + this.#queued
  }

  get recordsIn(): number {
    return this.recordsOut
  }

  /** Records and events that wait. */
  get queueLength(): number {
    return this.#values.length - this.#head
  }

  ready(): boolean {
    return this.#head < this.#values.length
  }

  poll(maxRecords: number, handler: ChannelHandler): number {
    let taken = 0
    const values = this.#values
    const register = this.#consumer?.timestamp as Float64Array
    while (this.#head < values.length) {
      const value = values[this.#head]
      if (value instanceof QueuedEvent) {
        if (taken > 0) break
        this.#advance()
        handler.event(value.event)
        return 1
      }
      if (taken >= maxRecords) break
      register[0] = this.#timestamps[this.#head] as number
      this.#advance()
      taken++
      handler.record(value)
    }
    return taken
  }

  startCapture(checkpointId: number, listener: CaptureListener): void {
    const records = new RecordCapture(listener)
    this.#capture = { checkpointId, listener, records }
    this.setOpen(false)
    for (let i = this.#head; i < this.#values.length; i++) {
      const value = this.#values[i]
      if (!(value instanceof QueuedEvent)) {
        records.add(value, this.#timestamps[i] as number)
        continue
      }
      const end = endOfCapture(value.event, checkpointId)
      if (end === undefined) continue
      if (end === 'barrier') {
        this.#values.splice(i, 1)
        this.#timestamps.splice(i, 1)
      }
      this.#endCapture(end)
      return
    }
  }

  /** What comes is here at once. */
  drain(): boolean {
    return false
  }

  stopCapture(): void {
    this.#capture = undefined
  }

  #endCapture(by: CaptureEnd): void {
    const { listener, records } = this.#capture as Capture
    this.#capture = undefined
    records.flush()
    listener.ended(by)
  }

  #advance(): void {
    this.#values[this.#head] = undefined
    this.#head++
    if (this.#head === this.#values.length) {
      this.#values.length = 0
      this.#timestamps.length = 0
      this.#head = 0
    }
  }

  #enqueue(value: unknown): void {
    if (this.#discarding) return
    if (!(value instanceof QueuedEvent)) {
      this.#overdraft?.queue(this.queueLength)
      this.#queued++
      this.#capture?.records.add(value, this.#from[0] as number)
    }
    this.#values.push(value)
    this.#timestamps.push(this.#from[0] as number)
  }
}

class QueuedEvent {
  readonly event: ChannelEvent

  constructor(event: ChannelEvent) {
    this.event = event
  }
}
