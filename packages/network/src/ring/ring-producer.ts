import {
  DATA_START,
  FRAME_HEADER,
  frameSpan,
  HEAD,
  ringCapacity,
  TAIL,
  WAITING,
  WAKE_TAIL,
  WRAP,
} from './ring-layout.ts'

/** The producing end of a ring; one thread. Continues where the ring stands. */
export class RingProducer {
  /** The ring's memory; payloads are written at the offset that {@link RingProducer.reserve} gives. */
  readonly buffer: Buffer
  readonly capacity: number
  readonly #words: Int32Array
  #head: number
  #tail: number
  /** Where the reserved frame begins, as a count. */
  #frame = 0

  constructor(ring: SharedArrayBuffer) {
    this.buffer = Buffer.from(ring)
    this.capacity = ringCapacity(ring)
    this.#words = new Int32Array(ring)
    this.#head = Atomics.load(this.#words, HEAD)
    this.#tail = Atomics.load(this.#words, TAIL)
    this.#frame = this.#head
  }

  /** The tail as the consumer has published it, a wrapping count of bytes. */
  tail(): number {
    this.#tail = Atomics.load(this.#words, TAIL)
    return this.#tail
  }

  /** Bytes in the ring, as far as the producer knows: at least those that are there. */
  get used(): number {
    return (this.#head - this.#tail) | 0
  }

  /** Whether a frame of `payloadBytes` has room. */
  hasRoom(payloadBytes: number): boolean {
    const span = frameSpan(this.#head, this.capacity, payloadBytes)
    if (span <= this.#free()) return true
    this.tail()
    return span <= this.#free()
  }

  /** Room for a frame of up to `payloadBytes`: the payload's offset in the buffer, a multiple of 8; -1 if there is none. */
  reserve(payloadBytes: number): number {
    if (!this.hasRoom(payloadBytes)) return -1
    const position = this.#head & (this.capacity - 1)
    const rest = this.capacity - position
    if (FRAME_HEADER + ((payloadBytes + 7) & ~7) <= rest) {
      this.#frame = this.#head
    } else {
      // Not visible to the consumer before the head moves.
      this.#words[(DATA_START + position) >> 2] = WRAP
      this.#frame = (this.#head + rest) | 0
    }
    return DATA_START + (this.#frame & (this.capacity - 1)) + FRAME_HEADER
  }

  /**
   * Publishes the reserved frame with its real size. Returns whether the consumer may have seen the ring empty and must
   * be woken: a consumer that goes to sleep has emptied the ring, or is woken for another reason.
   */
  commit(payloadBytes: number, kind: number): boolean {
    const word = (DATA_START + (this.#frame & (this.capacity - 1))) >> 2
    this.#words[word] = payloadBytes
    this.#words[word + 1] = kind
    const before = this.#head
    this.#head = (this.#frame + FRAME_HEADER + ((payloadBytes + 7) & ~7)) | 0
    Atomics.store(this.#words, HEAD, this.#head)
    return this.tail() === before
  }

  /**
   * Asks to be woken when half of the ring is free, which is room for any frame. Look for room once more afterwards:
   * the consumer may have made it meanwhile.
   */
  awaitRoom(): void {
    this.awaitTail((this.#head - this.capacity / 2) | 0)
  }

  /** Asks to be woken when the tail has reached `tail`. */
  awaitTail(tail: number): void {
    Atomics.store(this.#words, WAKE_TAIL, tail)
    Atomics.store(this.#words, WAITING, 1)
  }

  /** Whether the producer has asked to be woken and the consumer has not answered it. */
  get awaiting(): boolean {
    return Atomics.load(this.#words, WAITING) === 1
  }

  #free(): number {
    return this.capacity - ((this.#head - this.#tail) | 0)
  }
}
