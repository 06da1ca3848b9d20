/** What a look at the lease shows: the claim with the highest epoch. */
export interface SeenLease {
  readonly epoch: number
  /** Counts the renewals of this epoch. */
  readonly beat: number
  /** Its holder has given it back. */
  readonly released: boolean
  /** Its holder is known to have ended. */
  readonly holderIsDead: boolean
}

/** Facts that a candidate learns. Times are those of its own clock, which never goes back. */
export type LeaseEvent =
  /** The time for the next step has come. */
  | { readonly type: 'tick' }
  /** Answer to `read`; undefined: nobody has ever claimed the lease. */
  | { readonly type: 'read'; readonly lease: SeenLease | undefined }
  /** Answer to `claim`. `highest`: the highest epoch that was claimed when the claim was made. */
  | { readonly type: 'claimed'; readonly won: boolean; readonly highest: number }
  /**
   * Answer to `renew`. `highest`: the highest epoch that was claimed after the renewal. `gone`: somebody has removed the
   * record of this epoch: nothing keeps others from claiming it.
   */
  | { readonly type: 'renewed'; readonly startedMs: number; readonly highest: number; readonly gone?: true }
  /** Whatever was asked last came to nothing. */
  | { readonly type: 'failed'; readonly reason: string }
  /** A write of the leader found a higher epoch. */
  | { readonly type: 'overtaken'; readonly epoch: number }
  /** The leader can't do its work: another one may try when the lease has run out. */
  | { readonly type: 'gave-up'; readonly reason: string }

/** What is to be done; each of the first three is answered by an event before the next tick counts. */
export type LeaseAction =
  | { readonly type: 'read' }
  | { readonly type: 'claim'; readonly epoch: number }
  | { readonly type: 'renew'; readonly epoch: number }
  | { readonly type: 'grant'; readonly epoch: number }
  | { readonly type: 'revoke'; readonly epoch: number; readonly reason: string }

type State =
  /** `seen` is unchanged since `sinceMs`. */
  | { readonly type: 'watching'; readonly seen: string | undefined; readonly sinceMs: number }
  | { readonly type: 'claiming'; readonly epoch: number }
  /** At `provenMs` it certainly led. */
  | { readonly type: 'leading'; readonly epoch: number; readonly provenMs: number }

/**
 * One candidate for a lease: a state machine without I/O. It claims the epoch after the highest one when that was given
 * back, when its holder is dead, or when it was not renewed for the lease duration by this candidate's own clock (clocks
 * are not compared). Of several claims of one epoch the store lets one win. Time decides only when a claim is made; that
 * an old leader does no harm is a matter of epochs, not of time. Owner: the campaign.
 */
export class LeaseCandidate {
  readonly #leaseDurationMs: number
  readonly #renewDeadlineMs: number
  #state: State
  /** An action without its answer. */
  #open = false

  constructor(
    options: { readonly leaseDurationMs: number; readonly renewDeadlineMs: number },
    nowMs: number,
  ) {
    this.#leaseDurationMs = options.leaseDurationMs
    this.#renewDeadlineMs = options.renewDeadlineMs
    this.#state = { type: 'watching', seen: undefined, sinceMs: nowMs }
  }

  /** Undefined: it does not lead. */
  get leadingEpoch(): number | undefined {
    return this.#state.type === 'leading' ? this.#state.epoch : undefined
  }

  handle(nowMs: number, event: LeaseEvent): readonly LeaseAction[] {
    if (event.type === 'tick') return this.#tick(nowMs)
    if (event.type !== 'overtaken' && event.type !== 'gave-up') this.#open = false
    switch (event.type) {
      case 'read':
        return this.#state.type === 'watching' ? this.#looked(nowMs, event.lease) : []
      case 'claimed':
        return this.#claimed(nowMs, event.won, event.highest)
      case 'renewed':
        return this.#renewed(nowMs, event)
      case 'failed':
        return this.#failed(nowMs, event.reason)
      case 'overtaken':
        return this.#state.type === 'leading' && event.epoch > this.#state.epoch
          ? this.#revoke(nowMs, `epoch ${event.epoch} has begun`)
          : []
      case 'gave-up':
        return this.#state.type === 'leading' ? this.#revoke(nowMs, event.reason) : []
    }
  }

  #tick(nowMs: number): readonly LeaseAction[] {
    const state = this.#state
    if (this.#open) {
      const hangs = state.type === 'leading' && nowMs - state.provenMs > this.#renewDeadlineMs
      return hangs ? this.#revoke(nowMs, 'its lease was not renewed in time') : []
    }
    this.#open = true
    return state.type === 'leading' ? [{ type: 'renew', epoch: state.epoch }] : [{ type: 'read' }]
  }

  #looked(nowMs: number, lease: SeenLease | undefined): readonly LeaseAction[] {
    const state = this.#state as Extract<State, { type: 'watching' }>
    const free = lease === undefined || lease.released || lease.holderIsDead
    const seen = lease && `${lease.epoch}/${lease.beat}`
    const unchanged = seen === state.seen
    if (!free && !(unchanged && nowMs - state.sinceMs >= this.#leaseDurationMs)) {
      if (!unchanged) this.#state = { type: 'watching', seen, sinceMs: nowMs }
      return []
    }
    const epoch = (lease?.epoch ?? 0) + 1
    this.#state = { type: 'claiming', epoch }
    this.#open = true
    return [{ type: 'claim', epoch }]
  }

  #claimed(nowMs: number, won: boolean, highest: number): readonly LeaseAction[] {
    const state = this.#state
    if (state.type !== 'claiming') return []
    // A claim that was long under way may be of an epoch that others have left behind.
    if (!won || highest > state.epoch) {
      this.#watch(nowMs)
      return []
    }
    this.#state = { type: 'leading', epoch: state.epoch, provenMs: nowMs }
    return [{ type: 'grant', epoch: state.epoch }]
  }

  #renewed(nowMs: number, event: Extract<LeaseEvent, { type: 'renewed' }>): readonly LeaseAction[] {
    const state = this.#state
    if (state.type !== 'leading') return []
    if (event.highest > state.epoch) return this.#revoke(nowMs, `epoch ${event.highest} has begun`)
    if (event.gone === true) return this.#revoke(nowMs, 'its record was removed from the storage')
    this.#state = { ...state, provenMs: Math.max(state.provenMs, event.startedMs) }
    return []
  }

  #failed(nowMs: number, reason: string): readonly LeaseAction[] {
    const state = this.#state
    if (state.type === 'claiming') this.#watch(nowMs)
    if (state.type !== 'leading' || nowMs - state.provenMs <= this.#renewDeadlineMs) return []
    return this.#revoke(nowMs, `its lease was not renewed in time: ${reason}`)
  }

  #revoke(nowMs: number, reason: string): readonly LeaseAction[] {
    const { epoch } = this.#state as Extract<State, { type: 'leading' }>
    this.#watch(nowMs)
    return [{ type: 'revoke', epoch, reason }]
  }

  #watch(nowMs: number): void {
    this.#state = { type: 'watching', seen: undefined, sinceMs: nowMs }
  }
}
