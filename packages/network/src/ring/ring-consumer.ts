import {
  DATA_START,
  FRAME_HEADER,
  HEAD,
  ringCapacity,
  TAIL,
  WAITING,
  WAKE_TAIL,
  WRAP,
} from './ring-layout.ts'

/** The consuming end of a ring; one thread. Continues where the ring stands. */
export class RingConsumer {
  readonly buffer: Buffer
  /** Payload of the frame that {@link RingConsumer.peek} found. */
  offset = 0
  length = 0
  readonly #capacity: number
  readonly #words: Int32Array
  #head: number
  #tail: number

  constructor(ring: SharedArrayBuffer) {
    this.buffer = Buffer.from(ring)
    this.#capacity = ringCapacity(ring)
    this.#words = new Int32Array(ring)
    this.#head = Atomics.load(this.#words, HEAD)
    this.#tail = Atomics.load(this.#words, TAIL)
  }

  /** Kind of the oldest frame, 0 if there is none. */
  peek(): number {
    if (this.#tail === this.#head) {
      this.#head = Atomics.load(this.#words, HEAD)
      if (this.#tail === this.#head) return 0
    }
    let word = (DATA_START + (this.#tail & (this.#capacity - 1))) >> 2
    if (this.#words[word] === WRAP) {
      this.#tail = (this.#tail + this.#capacity - (this.#tail & (this.#capacity - 1))) | 0
      word = DATA_START >> 2
    }
    this.length = this.#words[word] as number
    this.offset = (word << 2) + FRAME_HEADER
    return this.#words[word + 1] as number
  }

  /** Gives the room of the peeked frame back. Returns whether the producer asked to be woken by now. */
  release(): boolean {
    this.#tail = (this.#tail + FRAME_HEADER + ((this.length + 7) & ~7)) | 0
    Atomics.store(this.#words, TAIL, this.#tail)
    if (Atomics.load(this.#words, WAITING) === 0) return false
    if (((this.#tail - Atomics.load(this.#words, WAKE_TAIL)) | 0) < 0) return false
    return Atomics.exchange(this.#words, WAITING, 0) === 1
  }
}
