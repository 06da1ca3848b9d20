import {
  type Clock,
  type LeaderSessionId,
  type Logger,
  newId,
  type Random,
  type Timer,
} from '@flink-ts/common'
import { CorruptLease } from '../errors.ts'
import { LeaderTerm } from './leader-term.ts'
import { type LeaseAction, LeaseCandidate, type LeaseEvent } from './lease-candidate.ts'
import type { LeaseHolder, LeaseRecord, LeaseStore } from './lease-store.ts'

/** A storage that stays away is told so often. */
const REPEAT_LOG_MS = 10_000

/** Does what a leader does. Its calls come one after the other: `granted`, `revoked`, `granted` ... */
export interface LeaderContender {
  /** This process leads. Rejects if it can't take up its work: then the lease runs out, and the next one tries. */
  granted(term: LeaderTerm): Promise<void>
  /** It leads no longer: everything that belongs to the term ends. Never rejects. */
  revoked(reason: string): Promise<void>
}

export interface LeaderCampaignOptions {
  readonly leaseDurationMs: number
  readonly renewDeadlineMs: number
  readonly retryPeriodMs: number
  /** Where this process is reached when it leads. */
  readonly address: string
  readonly restAddress: string
  readonly holder: LeaseHolder
}

export interface LeaderCampaignDependencies {
  readonly store: LeaseStore
  /** Whether a process is known to have ended. */
  readonly isDead: (holder: LeaseHolder) => boolean
  readonly contender: LeaderContender
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/** Stands for election until it is closed: carries out what a {@link LeaseCandidate} decides. Owner: main thread. */
export class LeaderCampaign {
  readonly #options: LeaderCampaignOptions
  readonly #deps: LeaderCampaignDependencies
  readonly #logger: Logger
  readonly #candidate: LeaseCandidate
  #term: LeaderTerm | undefined
  /** Of the epoch that this process claimed last. */
  #record: LeaseRecord | undefined
  #timer: Timer | undefined
  /** Calls of the contender, one after the other. */
  #calls: Promise<void> = Promise.resolve()
  #calling = 0
  /** What was asked of the store last. Never rejects. */
  #asked: Promise<void> = Promise.resolve()
  #seenEpoch = 0
  /** When the log was told that the lease can't be reached. */
  #toldAtMs = Number.NEGATIVE_INFINITY
  #closed = false

  constructor(options: LeaderCampaignOptions, dependencies: LeaderCampaignDependencies) {
    this.#options = options
    this.#deps = dependencies
    this.#logger = dependencies.logger.child({ component: 'highavailability' })
    this.#candidate = new LeaseCandidate(options, dependencies.clock.monotonicMs())
  }

  start(): void {
    this.#handle({ type: 'tick' })
    this.#timer = this.#deps.clock.scheduleEvery(this.#options.retryPeriodMs, () => this.#tick())
  }

  /** Ends a term in order, and gives the lease back, so that the next one need not wait. Idempotent; never rejects. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#timer?.cancel()
    const term = this.#term
    // Until everything of the term has ended, it still leads: what it stores now counts.
    await this.#call(contender => contender.revoked('the JobManager stops'))
    if (term === undefined || term.lost || this.#record === undefined) return
    term.lose('the JobManager stops')
    // A renewal that is under way would take it again.
    await this.#asked
    const { beat } = this.#record
    await this.#deps.store
      .renew({ ...this.#record, beat: beat + 1, released: true })
      .catch((error: unknown) => this.#logger.warn({ error }, 'Lease not given back: it runs out'))
  }

  #tick(): void {
    // While the contender is still ending its last term, it must not get another one. The lease is renewed meanwhile.
    if (this.#calling > 0 && this.#candidate.leadingEpoch === undefined) return
    this.#handle({ type: 'tick' })
  }

  #handle(event: LeaseEvent): void {
    if (this.#closed) return
    for (const action of this.#candidate.handle(this.#deps.clock.monotonicMs(), event)) this.#perform(action)
  }

  #perform(action: LeaseAction): void {
    switch (action.type) {
      case 'read':
        this.#ask(() => this.#read())
        break
      case 'claim':
        this.#ask(() => this.#claim(action.epoch))
        break
      case 'renew':
        this.#ask(() => this.#renew())
        break
      case 'grant':
        this.#grant(action.epoch)
        break
      case 'revoke': {
        const { epoch, reason } = action
        this.#logger.warn({ epoch, reason }, 'Leadership lost')
        this.#term?.lose(reason)
        this.#term = undefined
        // Never rejects.
        void this.#call(contender => contender.revoked(reason))
        break
      }
    }
  }

  #ask(work: () => Promise<LeaseEvent>): void {
    this.#asked = work().then(
      event => this.#handle(event),
      (error: unknown) => {
        const nowMs = this.#deps.clock.monotonicMs()
        if (nowMs >= this.#toldAtMs + REPEAT_LOG_MS) {
          this.#toldAtMs = nowMs
          this.#logger.warn({ error, where: this.#deps.store.where }, 'Lease not reached, trying again')
        }
        const reason = error instanceof Error ? error.message : String(error)
        this.#handle({ type: 'failed', reason })
      },
    )
  }

  async #read(): Promise<LeaseEvent> {
    let record: LeaseRecord | undefined
    try {
      record = await this.#deps.store.read()
    } catch (error) {
      if (!CorruptLease.is(error)) throw error
      // Whoever holds it writes it again. If nobody does, it runs out as any other.
      const epoch = await this.#deps.store.highest()
      if (epoch !== this.#seenEpoch) {
        this.#seenEpoch = epoch
        this.#logger.warn({ epoch, error }, 'The record of the leader cannot be read')
      }
      return { type: 'read', lease: { epoch, beat: -1, released: false, holderIsDead: false } }
    }
    if (record === undefined) return { type: 'read', lease: undefined }
    const { epoch, beat, released, holder, address } = record
    if (epoch !== this.#seenEpoch) {
      this.#seenEpoch = epoch
      this.#logger.info({ epoch, address, released }, 'Another JobManager leads or has led')
    }
    return { type: 'read', lease: { epoch, beat, released, holderIsDead: this.#deps.isDead(holder) } }
  }

  async #claim(epoch: number): Promise<LeaseEvent> {
    const { store, random } = this.#deps
    const { address, restAddress, holder } = this.#options
    const leaderSessionId = newId<LeaderSessionId>(random)
    const record = { epoch, beat: 0, released: false, leaderSessionId, address, restAddress, holder }
    const won = await store.claim(record)
    if (won) this.#record = record
    return { type: 'claimed', won, highest: await store.highest() }
  }

  async #renew(): Promise<LeaseEvent> {
    const { store, clock } = this.#deps
    const startedMs = clock.monotonicMs()
    const { epoch, beat } = this.#record!
    // First, so that one that was overtaken does not bring back a record that its successor has removed.
    const before = await store.read()
    const highest = before?.epoch ?? 0
    if (highest > epoch) return { type: 'renewed', startedMs, highest }
    if (before === undefined || before.leaderSessionId !== this.#record!.leaderSessionId)
      return { type: 'renewed', startedMs, highest, gone: true }
    this.#record = { ...this.#record!, beat: beat + 1 }
    await store.renew(this.#record)
    return { type: 'renewed', startedMs, highest: await store.highest() }
  }

  #grant(epoch: number): void {
    const { store } = this.#deps
    const { leaderSessionId } = this.#record!
    this.#seenEpoch = epoch
    this.#logger.info({ epoch, leaderSessionId }, 'Leadership granted')
    const term = new LeaderTerm(
      { epoch, leaderSessionId },
      {
        highest: () => store.highest(),
        onOvertaken: highest => this.#handle({ type: 'overtaken', epoch: highest }),
      },
    )
    this.#term = term
    // Never rejects.
    void this.#call(async contender => {
      await store
        .forgetBefore(epoch)
        .catch((error: unknown) => this.#logger.warn({ error }, 'Records of earlier leaders not removed'))
      if (term.lost) return
      try {
        await contender.granted(term)
      } catch (error) {
        if (!term.lost) this.#logger.error({ epoch, error }, 'The work of the leader could not be taken up')
        this.#handle({ type: 'gave-up', reason: 'its work could not be taken up' })
      }
    })
  }

  /** Never rejects. */
  #call(call: (contender: LeaderContender) => Promise<void>): Promise<void> {
    this.#calling++
    this.#calls = this.#calls
      .then(() => call(this.#deps.contender))
      .catch((error: unknown) => this.#logger.error({ error }, 'A change of leadership failed'))
      .finally(() => {
        this.#calling--
      })
    return this.#calls
  }
}
