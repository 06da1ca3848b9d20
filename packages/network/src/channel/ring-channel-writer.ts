import { type BatchEncoder, createBatchEncoder, generate } from '@flink-ts/serialization'
import { Doorbell } from '../ring/doorbell.ts'
import { KIND, maxPayload, ringUsage } from '../ring/ring-layout.ts'
import { RingProducer } from '../ring/ring-producer.ts'
import type { ChannelEnds, ChannelEvent, ChannelWriter, OverdraftBudget } from './channel.ts'
import { encodeEvent } from './event-codec.ts'

/** A frame that waits on the heap, `sent` bytes of it as fragments already in the ring. */
interface Waiting {
  readonly kind: number
  readonly bytes: Buffer
  sent: number
}

/** A full batch exceeds its target by at most one record; those of ordinary records are below this part of a frame. */
const TARGET_PART = 0.75
/** Larger ones save nothing any more: what a batch costs by itself is shared by hundreds of records. */
const MOST_BATCH_BYTES = 48 * 1024

/**
 * The producing end of a channel. Owned by the slot thread that made it.
 * @param options.timestamp the thread's timestamp register
 * @param options.overdraft bounds what waits on the heap; absent: nothing does
 */
export function createChannelWriter(
  ends: ChannelEnds,
  options: { readonly timestamp: Float64Array; readonly overdraft?: OverdraftBudget },
): ChannelWriter {
  return new RingChannelWriter(ends, options.timestamp, options.overdraft)
}

class RingChannelWriter implements ChannelWriter {
  /** Of its own for each channel, so that partitioners and encoders stay monomorphic. */
  readonly write: (record: unknown) => void
  readonly #memory: SharedArrayBuffer
  readonly #ring: RingProducer
  readonly #consumerBell: Doorbell
  readonly #maxPayload: number
  readonly #encoder: BatchEncoder
  readonly #budget: OverdraftBudget | undefined
  /** In order; the oldest first. Everything after it waits too. */
  #overdraft: Waiting[] = []
  #overdraftBytes = 0
  #recordsOut = 0
  #bytesOut = 0
  /** The consumer may sleep and not know of what was sent last. */
  #unannounced = false

  constructor(ends: ChannelEnds, timestamp: Float64Array, overdraft: OverdraftBudget | undefined) {
    this.#budget = overdraft
    this.#memory = ends.ring
    this.#ring = new RingProducer(ends.ring)
    this.#consumerBell = new Doorbell(ends.consumerBell)
    this.#maxPayload = maxPayload(this.#ring.capacity)
    const targetBytes = Math.min(Math.floor(this.#maxPayload * TARGET_PART), MOST_BATCH_BYTES)
    this.#encoder = createBatchEncoder({ targetBytes })
    this.write = generate(
      ['append', 'timestamp', 'cut'],
      'return record => { if (append(record, timestamp[0])) cut() }',
      [this.#encoder.append, timestamp, () => this.#cut()],
    )
  }

  get overdraftBytes(): number {
    return this.#overdraftBytes
  }

  get recordsOut(): number {
    return this.#recordsOut + this.#encoder.count
  }

  get bytesOut(): number {
    return this.#bytesOut
  }

  get usage(): number {
    return this.#overdraft.length > 0 ? 1 : ringUsage(this.#memory)
  }

  available(): boolean {
    if (this.#overdraft.length > 0) {
      this.#moveOverdraft()
      if (this.#overdraft.length > 0) return false
    }
    if (this.#ring.hasRoom(this.#maxPayload)) return true
    this.#ring.awaitRoom()
    return this.#ring.hasRoom(this.#maxPayload)
  }

  event(event: ChannelEvent): void {
    this.#cut()
    this.#send({ kind: KIND.event, bytes: encodeEvent(event), sent: 0 })
    this.announce()
  }

  flush(): void {
    this.#cut()
    this.#moveOverdraft()
    this.announce()
  }

  announce(): void {
    if (!this.#unannounced) return
    this.#unannounced = false
    this.#consumerBell.ring()
  }

  #cut(): void {
    const count = this.#encoder.count
    if (count === 0) return
    this.#recordsOut += count
    const boundBytes = this.#encoder.boundBytes
    if (this.#overdraft.length === 0 && boundBytes <= this.#maxPayload) {
      const offset = this.#ring.reserve(boundBytes)
      if (offset >= 0) {
        this.#commit(this.#encoder.finish(this.#ring.buffer, offset), KIND.batch)
        return
      }
    }
    const target = Buffer.allocUnsafeSlow(boundBytes)
    const sizeBytes = this.#encoder.finish(target, 0)
    // The bound is generous; what waits should not be.
    const bytes = Buffer.allocUnsafeSlow(sizeBytes)
    target.copy(bytes, 0, 0, sizeBytes)
    this.#send({ kind: KIND.batch, bytes, sent: 0 })
  }

  #send(waiting: Waiting): void {
    if (waiting.kind === KIND.batch) this.#budget?.grow(waiting.bytes.length)
    this.#overdraft.push(waiting)
    this.#overdraftBytes += waiting.bytes.length
    this.#moveOverdraft()
  }

  #moveOverdraft(): void {
    let moved = 0
    while (moved < this.#overdraft.length && this.#moveOne(this.#overdraft[moved] as Waiting)) moved++
    if (moved > 0) this.#overdraft = this.#overdraft.slice(moved)
  }

  /** Returns false if the ring has no room for all of it; asks to be woken then. */
  #moveOne(waiting: Waiting): boolean {
    const { bytes, kind } = waiting
    while (waiting.sent < bytes.length) {
      const part = Math.min(bytes.length - waiting.sent, this.#maxPayload)
      let offset = this.#ring.reserve(part)
      if (offset < 0) {
        this.#ring.awaitRoom()
        offset = this.#ring.reserve(part)
        if (offset < 0) return false
      }
      bytes.copy(this.#ring.buffer, offset, waiting.sent, waiting.sent + part)
      const whole = part === bytes.length
      waiting.sent += part
      this.#overdraftBytes -= part
      if (kind === KIND.batch) this.#budget?.shrink(part)
      const last = waiting.sent === bytes.length
      this.#commit(part, whole ? kind : last ? KIND.lastFragment : KIND.fragment)
    }
    return true
  }

  #commit(sizeBytes: number, kind: number): void {
    this.#bytesOut += sizeBytes
    if (this.#ring.commit(sizeBytes, kind)) this.#unannounced = true
    // To wake a thread costs about as much as to encode a batch; half a ring keeps it busy until the other half is full.
    if (this.#unannounced && this.#ring.used >= this.#ring.capacity / 2) this.announce()
  }
}
