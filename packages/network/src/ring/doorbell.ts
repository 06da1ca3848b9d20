/** What {@link Doorbell.ring} counts, and whether the owner sleeps. */
const [RINGS, ASLEEP] = [0, 1]

/**
 * Looks at the bell before a sleep: two microseconds or so. To sleep and be woken costs both threads ten times more, and
 * between busy threads the next ring is often that near.
 */
const LOOKS = 500

/**
 * Wakes one thread from others. Every thread that serves rings has one bell, which all its rings share.
 *
 * No wake-up is lost if the owner reads the ticket first, then looks for work, and waits with that ticket only if it
 * found none: `wait` returns at once if the bell was rung since. A wait does not keep a thread alive: a thread whose
 * only pending work is a wait must hold something else, such as its port.
 */
export class Doorbell {
  readonly #cells: Int32Array

  constructor(bell: SharedArrayBuffer) {
    this.#cells = new Int32Array(bell)
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(8)
  }

  /** From any thread. Costs next to nothing unless the owner sleeps. */
  ring(): void {
    Atomics.add(this.#cells, RINGS, 1)
    if (Atomics.exchange(this.#cells, ASLEEP, 0) === 1) Atomics.notify(this.#cells, RINGS)
  }

  /** What to give to {@link Doorbell.wait}: changes at each ring. */
  ticket(): number {
    return Atomics.load(this.#cells, RINGS)
  }

  /** Resolves when the bell is rung or `timeoutMs` have passed; undefined if it was rung after `ticket` was read. */
  wait(ticket: number, timeoutMs?: number): Promise<unknown> | undefined {
    for (let i = 0; i < LOOKS; i++) if (Atomics.load(this.#cells, RINGS) !== ticket) return undefined
    // Before the bell is looked at for the last time: who rings after that look finds it set.
    Atomics.store(this.#cells, ASLEEP, 1)
    const result = Atomics.waitAsync(this.#cells, RINGS, ticket, timeoutMs)
    return result.async ? result.value : undefined
  }
}
