import type { Clock, Logger, Timer } from '@flink-ts/common'
import type { Pulse } from '../mailbox/pulse.ts'
import { longCallOf } from '../thread/long-call.ts'
import type { SlotThread } from './slot-thread.ts'

/** How often a running slot thread is looked at. */
const POLL_MS = 250
/** A turn of its loop that takes longer holds up barriers, timers and cancellation: worth a warning. */
const LONG_MS = 1000
/** How long the thread is looked into to see what it does. */
const PROFILE_MS = 50
/** The same warning is given again after so long. */
const REPEAT_MS = 60_000

/**
 * Warns of user code that takes the thread of its slot for a second or more in one call, and names it (C44): by a short
 * profile of the thread, taken from outside. Costs the thread nothing before. Owner: the slot.
 */
export class LongCallWatch {
  readonly #moduleUrl: string
  readonly #thread: SlotThread
  readonly #pulse: Pulse
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #timer: Timer
  readonly #warned = new Map<string, number>()
  #turn: number | undefined
  #sinceMs = 0
  /** The turn that was looked into: once is enough. */
  #known: number | undefined
  #stopped = false

  constructor(
    options: { readonly moduleUrl: string },
    dependencies: {
      readonly thread: SlotThread
      readonly pulse: Pulse
      readonly clock: Clock
      readonly logger: Logger
    },
  ) {
    this.#moduleUrl = options.moduleUrl
    this.#thread = dependencies.thread
    this.#pulse = dependencies.pulse
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
    this.#timer = this.#clock.scheduleEvery(POLL_MS, () => this.#look(), { unref: true })
  }

  stop(): void {
    this.#stopped = true
    this.#timer.cancel()
  }

  #look(): void {
    const nowMs = this.#clock.monotonicMs()
    const turn = this.#pulse.turn()
    if (turn !== this.#turn) {
      this.#turn = turn
      this.#sinceMs = nowMs
    }
    if (turn === undefined || turn === this.#known || nowMs - this.#sinceMs < LONG_MS) return
    this.#known = turn
    // Never rejects.
    void this.#lookInto(turn, this.#sinceMs)
  }

  async #lookInto(turn: number, sinceMs: number): Promise<void> {
    try {
      const profile = await this.#thread.profile(PROFILE_MS)
      // It may have gone on in the meantime, and the profile show something else.
      if (profile === undefined || this.#stopped || this.#pulse.turn() !== turn) return
      const call = longCallOf(profile, this.#moduleUrl)
      if (call === undefined) return
      const nowMs = this.#clock.monotonicMs()
      const warnedMs = this.#warned.get(call.call)
      if (warnedMs !== undefined && nowMs - warnedMs < REPEAT_MS) return
      this.#warned.set(call.call, nowMs)
      this.#logger.warn(
        { ...call, forMs: Math.round(nowMs - sinceMs) },
        'User code holds up its slot: barriers, timers and cancellation wait until this call returns. ' +
          'Do less in a call, or wait asynchronously (asyncProcess, AsyncDataStream)',
      )
    } catch (error) {
      this.#logger.debug({ error }, 'The slot thread could not be looked into')
    }
  }
}
