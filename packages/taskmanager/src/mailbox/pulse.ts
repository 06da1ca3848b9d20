/**
 * Beats of a slot thread in shared memory, so that its main thread sees when it is held up. The slot thread writes: two
 * plain stores for each turn of its loop.
 */
export class Pulse {
  /** [0] counts turns and wraps, [1] is 1 while the loop runs. */
  readonly #words: Int32Array

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)
  }

  constructor(buffer: SharedArrayBuffer) {
    this.#words = new Int32Array(buffer)
  }

  /** A turn begins. */
  beat(): void {
    this.#words[0] = ((this.#words[0] as number) + 1) | 0
    this.#words[1] = 1
  }

  /** The loop gives the thread back. */
  rest(): void {
    this.#words[1] = 0
  }

  /** Which turn is under way; undefined: none. */
  turn(): number | undefined {
    return Atomics.load(this.#words, 1) === 1 ? Atomics.load(this.#words, 0) : undefined
  }
}
