import { type BatchDecoder, createBatchDecoder, generate, type Push } from '@flink-ts/serialization'
import { Doorbell } from '../ring/doorbell.ts'
import { RingConsumer } from '../ring/ring-consumer.ts'
import { KIND, ringUsage, ringUsedBytes } from '../ring/ring-layout.ts'
import {
  type CaptureEnd,
  type CaptureListener,
  type ChannelEnds,
  type ChannelEvent,
  type ChannelHandler,
  type ChannelReader,
  endOfCapture,
} from './channel.ts'
import { decodeEvent } from './event-codec.ts'

/**
 * The consuming end of a channel. Owned by the slot thread that made it. Records are decoded straight from the ring;
 * their strings may keep the batch's text alive, never the ring.
 * @param timestamp the thread's timestamp register
 */
export function createChannelReader(ends: ChannelEnds, timestamp: Float64Array): ChannelReader {
  return new RingChannelReader(ends, timestamp)
}

/** Taken out of the ring before its turn: a batch, or an event. */
type Stashed = Buffer | { readonly event: ChannelEvent }

class RingChannelReader implements ChannelReader {
  readonly #memory: SharedArrayBuffer
  readonly #ring: RingConsumer
  readonly #producerBell: Doorbell
  readonly #timestamp: Float64Array
  readonly #decoder: BatchDecoder = createBatchDecoder()
  /** Records of the open batch not yet handed out. */
  #left = 0
  /** The open batch lies in the ring, not in memory of its own. */
  #inRing = false
  /** Records of the open batch in all. */
  #opened = 0
  /** The open batch, if it is not in the ring. */
  #openBytes: Buffer | undefined
  #fragments: Buffer[] = []
  /** Comes before everything in the ring. */
  readonly #stash: Stashed[] = []
  #capture: { readonly checkpointId: number; readonly listener: CaptureListener } | undefined
  #handler: ChannelHandler | undefined
  #sink: Push = () => {}
  #recordsIn = 0
  #bytesIn = 0

  constructor(ends: ChannelEnds, timestamp: Float64Array) {
    this.#memory = ends.ring
    this.#ring = new RingConsumer(ends.ring)
    this.#producerBell = new Doorbell(ends.producerBell)
    this.#timestamp = timestamp
  }

  get recordsIn(): number {
    return this.#recordsIn
  }

  get bytesIn(): number {
    return this.#bytesIn
  }

  get usage(): number {
    return ringUsage(this.#memory)
  }

  get bufferedBytes(): number {
    return ringUsedBytes(this.#memory)
  }

  ready(): boolean {
    return this.#left > 0 || this.#advance() !== 0
  }

  poll(maxRecords: number, handler: ChannelHandler): number {
    if (handler !== this.#handler) {
      this.#handler = handler
      this.#sink = generate(['handler'], 'return value => { handler.record(value) }', [handler])
    }
    let taken = 0
    // With 0 only an event that is next is handed out.
    while (taken < maxRecords || maxRecords === 0) {
      if (maxRecords === 0 && this.#left > 0) break
      if (this.#left === 0) {
        const kind = this.#advance()
        if (kind === 0) break
        if (kind === KIND.event) {
          if (taken > 0) break
          handler.event(this.#takeEvent())
          return 1
        }
        if (maxRecords === 0) break
        this.#openInRing()
      }
      const before = this.#left
      this.#left = this.#decoder.next(maxRecords - taken, this.#timestamp, this.#sink)
      taken += before - this.#left
      this.#recordsIn += before - this.#left
      if (this.#left === 0 && this.#inRing) this.#release()
    }
    return taken
  }

  startCapture(checkpointId: number, listener: CaptureListener): void {
    this.#capture = { checkpointId, listener }
    if (this.#left > 0) {
      if (this.#inRing) this.#moveOpenBatch()
      listener.batch(this.#openBytes as Buffer, this.#opened - this.#left)
    }
    for (const [i, stashed] of this.#stash.entries()) {
      if (Buffer.isBuffer(stashed)) {
        listener.batch(stashed, 0)
        continue
      }
      const end = endOfCapture(stashed.event, checkpointId)
      if (end === undefined) continue
      if (end === 'barrier') this.#stash.splice(i, 1)
      this.#endCapture(end)
      return
    }
  }

  drain(): boolean {
    let drained = false
    while (this.#capture !== undefined) {
      const kind = this.#ring.peek()
      if (kind === 0) break
      drained = true
      if (kind === KIND.event) this.#drainEvent(this.#capture.checkpointId)
      else {
        const batch = kind === KIND.batch ? this.#copy() : this.#gather(kind)
        if (batch === undefined) continue
        this.#stash.push(batch)
        this.#capture.listener.batch(batch, 0)
      }
    }
    return drained
  }

  stopCapture(): void {
    this.#capture = undefined
  }

  #drainEvent(awaited: number): void {
    const event = decodeEvent(this.#ring.buffer, this.#ring.offset, this.#ring.length)
    this.#release()
    const end = endOfCapture(event, awaited)
    if (end !== 'barrier') this.#stash.push({ event })
    if (end !== undefined) this.#endCapture(end)
  }

  #endCapture(by: CaptureEnd): void {
    const listener = this.#capture?.listener
    this.#capture = undefined
    listener?.ended(by)
  }

  /** Gives the ring back the room of a batch that is being handed out. */
  #moveOpenBatch(): void {
    const taken = this.#opened - this.#left
    const bytes = this.#copy()
    this.#open(bytes)
    if (taken > 0) this.#left = this.#decoder.next(taken, new Float64Array(1), () => {})
  }

  #takeEvent(): ChannelEvent {
    const stashed = this.#stash.shift()
    if (stashed !== undefined) return (stashed as { readonly event: ChannelEvent }).event
    const event = decodeEvent(this.#ring.buffer, this.#ring.offset, this.#ring.length)
    this.#release()
    return event
  }

  /**
   * Kind of what comes next, batch or event, 0 if nothing is complete. Takes fragments out of the ring; a batch that is
   * complete from them, or was taken out before, is opened at once.
   */
  #advance(): number {
    if (this.#capture !== undefined) this.drain()
    const [stashed] = this.#stash
    if (stashed !== undefined) {
      if (!Buffer.isBuffer(stashed)) return KIND.event
      this.#stash.shift()
      this.#open(stashed)
      return KIND.lastFragment
    }
    // What is in the ring now has to be captured first.
    if (this.#capture !== undefined) return 0
    for (;;) {
      const kind = this.#ring.peek()
      if (kind !== KIND.fragment && kind !== KIND.lastFragment) return kind
      const whole = this.#gather(kind)
      if (whole === undefined) continue
      this.#open(whole)
      return KIND.lastFragment
    }
  }

  /** Takes a fragment out of the ring; the batch if it was the last one. */
  #gather(kind: number): Buffer | undefined {
    this.#fragments.push(this.#copy())
    if (kind !== KIND.lastFragment) return undefined
    const whole = Buffer.allocUnsafeSlow(this.#fragments.reduce((sum, { length }) => sum + length, 0))
    let at = 0
    for (const fragment of this.#fragments) at += fragment.copy(whole, at)
    this.#fragments = []
    return whole
  }

  /** Takes a frame out of the ring. */
  #copy(): Buffer {
    const { offset, length } = this.#ring
    const bytes = Buffer.allocUnsafeSlow(length)
    this.#ring.buffer.copy(bytes, 0, offset, offset + length)
    this.#release()
    return bytes
  }

  #open(bytes: Buffer): void {
    this.#opened = this.#decoder.open(bytes, 0, bytes.length)
    this.#left = this.#opened
    this.#openBytes = bytes
    this.#inRing = false
  }

  #openInRing(): void {
    if (this.#left > 0) return
    this.#opened = this.#decoder.open(this.#ring.buffer, this.#ring.offset, this.#ring.length)
    this.#left = this.#opened
    this.#openBytes = undefined
    this.#inRing = true
  }

  #release(): void {
    this.#bytesIn += this.#ring.length
    if (this.#ring.release()) this.#producerBell.ring()
  }
}
