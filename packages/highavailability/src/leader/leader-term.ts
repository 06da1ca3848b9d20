import type { LeaderSessionId } from '@flink-ts/common'
import { LeadershipLost } from '../errors.ts'

/**
 * The time in which this process leads. What it writes carries its epoch, and counts once {@link LeaderTerm.confirm} has
 * resolved after the write: then no later leader has begun, so that each that begins will read it. Owner: the campaign.
 */
export class LeaderTerm {
  readonly epoch: number
  readonly leaderSessionId: LeaderSessionId
  readonly #highest: () => Promise<number>
  readonly #onOvertaken: (epoch: number) => void
  #lostBecause: string | undefined

  /** @param dependencies highest: the highest epoch that was ever claimed */
  constructor(
    options: { readonly epoch: number; readonly leaderSessionId: LeaderSessionId },
    dependencies: {
      readonly highest: () => Promise<number>
      readonly onOvertaken: (epoch: number) => void
    },
  ) {
    this.epoch = options.epoch
    this.leaderSessionId = options.leaderSessionId
    this.#highest = dependencies.highest
    this.#onOvertaken = dependencies.onOvertaken
  }

  get lost(): boolean {
    return this.#lostBecause !== undefined
  }

  /** Nothing that is written from now on counts. */
  lose(reason: string): void {
    this.#lostBecause ??= reason
  }

  /** Throws `highavailability.leadership-lost`. */
  check(): void {
    if (this.#lostBecause !== undefined)
      throw LeadershipLost({ epoch: this.epoch, reason: this.#lostBecause })
  }

  /** Makes sure that what was written before counts. Rejects with `highavailability.leadership-lost`. */
  async confirm(): Promise<void> {
    this.check()
    const highest = await this.#highest()
    if (highest > this.epoch) {
      this.lose(`epoch ${highest} has begun`)
      this.#onOvertaken(highest)
    } else if (highest < this.epoch) {
      // The campaign sees it at its next renewal.
      this.lose('its record was removed from the storage')
    }
    this.check()
  }
}
