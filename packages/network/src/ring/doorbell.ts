/**
 * Wakes one thread from others. Every thread that serves rings has one bell, which all its rings share.
 *
 * No wake-up is lost if the owner reads the ticket first, then looks for work, and waits with that ticket only if it
 * found none: `wait` returns at once if the bell was rung since. A wait does not keep a thread alive: a thread whose
 * only pending work is a wait must hold something else, such as its port.
 */
export class Doorbell {
  readonly #cell: Int32Array

  constructor(bell: SharedArrayBuffer) {
    this.#cell = new Int32Array(bell)
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(4)
  }

  /** From any thread. */
  ring(): void {
    Atomics.add(this.#cell, 0, 1)
    Atomics.notify(this.#cell, 0)
  }

  /** What to give to {@link Doorbell.wait}: changes at each ring. */
  ticket(): number {
    return Atomics.load(this.#cell, 0)
  }

  /** Resolves when the bell is rung or `timeoutMs` have passed; undefined if it was rung after `ticket` was read. */
  wait(ticket: number, timeoutMs?: number): Promise<unknown> | undefined {
    const result = Atomics.waitAsync(this.#cell, 0, ticket, timeoutMs)
    return result.async ? result.value : undefined
  }
}
