import { type BatchDecoder, createBatchDecoder, generate, type Push } from '@flink-ts/serialization'
import { Doorbell } from '../ring/doorbell.ts'
import { RingConsumer } from '../ring/ring-consumer.ts'
import { KIND, ringUsage } from '../ring/ring-layout.ts'
import type { ChannelEnds, ChannelHandler, ChannelReader } from './channel.ts'
import { decodeEvent } from './event-codec.ts'

/**
 * The consuming end of a channel. Owned by the slot thread that made it. Records are decoded straight from the ring;
 * their strings may keep the batch's text alive, never the ring.
 * @param timestamp the thread's timestamp register
 */
export function createChannelReader(ends: ChannelEnds, timestamp: Float64Array): ChannelReader {
  return new RingChannelReader(ends, timestamp)
}

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
  #fragments: Buffer[] = []
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
          const event = decodeEvent(this.#ring.buffer, this.#ring.offset, this.#ring.length)
          this.#release()
          handler.event(event)
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

  /**
   * Kind of what comes next, batch or event, 0 if nothing is complete. Takes fragments out of the ring; a batch that is
   * complete from them is opened at once.
   */
  #advance(): number {
    for (;;) {
      const kind = this.#ring.peek()
      if (kind !== KIND.fragment && kind !== KIND.lastFragment) return kind
      const part = Buffer.allocUnsafeSlow(this.#ring.length)
      this.#ring.buffer.copy(part, 0, this.#ring.offset, this.#ring.offset + this.#ring.length)
      this.#fragments.push(part)
      this.#release()
      if (kind === KIND.lastFragment) {
        const whole = Buffer.allocUnsafeSlow(
          this.#fragments.reduce((sum, fragment) => sum + fragment.length, 0),
        )
        let at = 0
        for (const fragment of this.#fragments) at += fragment.copy(whole, at)
        this.#fragments = []
        this.#left = this.#decoder.open(whole, 0, whole.length)
        this.#inRing = false
        return KIND.lastFragment
      }
    }
  }

  #openInRing(): void {
    if (this.#left > 0) return
    this.#left = this.#decoder.open(this.#ring.buffer, this.#ring.offset, this.#ring.length)
    this.#inRing = true
  }

  #release(): void {
    this.#bytesIn += this.#ring.length
    if (this.#ring.release()) this.#producerBell.ring()
  }
}
