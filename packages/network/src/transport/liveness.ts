import type { Clock, Timer } from '@flink-ts/common'

/** As `heartbeat.interval` and `heartbeat.timeout` say. */
export interface Heartbeat {
  readonly intervalMs: number
  readonly timeoutMs: number
}

/** Something with another side that may be gone without a word. */
export interface Watched {
  /** Whether the other side has answered the greeting; until then somebody else waits for it. */
  readonly greeted: boolean
  /** Whether anything has come since the last call. */
  takeHeard(): boolean
  probe(): void
  fail(reason: string): void
}

/**
 * Probes connections, and fails those of which nothing was heard for the timeout, give or take an interval. Costs the
 * record path one flag for each chunk of a socket.
 */
export class Liveness<T extends Watched> {
  readonly #heartbeat: Heartbeat
  readonly #clock: Clock
  #heardMs = new Map<T, number>()
  #lookedMs = 0
  #timer: Timer | undefined

  constructor(heartbeat: Heartbeat, dependencies: { readonly clock: Clock }) {
    this.#heartbeat = heartbeat
    this.#clock = dependencies.clock
  }

  /** @param connections all there are now; asked at each interval */
  start(connections: () => readonly T[]): void {
    this.#lookedMs = this.#clock.monotonicMs()
    const look = (): void => this.#look(connections())
    this.#timer = this.#clock.scheduleEvery(this.#heartbeat.intervalMs, look, { unref: true })
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #look(connections: readonly T[]): void {
    const { intervalMs, timeoutMs } = this.#heartbeat
    const nowMs = this.#clock.monotonicMs()
    // This process stood still: what has come meanwhile was not read yet.
    const late = nowMs - this.#lookedMs > 2 * intervalMs
    this.#lookedMs = nowMs
    const before = this.#heardMs
    this.#heardMs = new Map()
    for (const connection of connections) {
      if (!connection.greeted) continue
      const heardMs = connection.takeHeard() || late ? nowMs : (before.get(connection) ?? nowMs)
      if (nowMs - heardMs >= timeoutMs) {
        connection.fail(`nothing was heard from it for ${Math.round(nowMs - heardMs)} ms`)
        continue
      }
      this.#heardMs.set(connection, heardMs)
      connection.probe()
    }
  }
}
