import type { Clock, Timer } from '@flink-ts/common'
import type { CaptureEnd } from '@flink-ts/network'
import type { Barrier, BarrierHandler, BarrierListener } from './barrier-handler.ts'

interface Pending {
  readonly barrier: Barrier
  readonly startedMs: number
  readonly arrived: Set<number>
  readonly timer: Timer | undefined
  /** The time for an alignment is over. */
  isDue: boolean
  /** The snapshot was taken; undefined: not yet. Else the channels whose records are still captured. */
  capturing: Set<number> | undefined
}

/**
 * Exactly-once without waiting for slow channels: a checkpoint begins as aligned as in `BarrierAligner`, but when it has
 * lasted for the timeout, the task takes its snapshot at once and the records before the outstanding barriers become
 * part of it. The coordinator announces each checkpoint, so that this needs no barrier that is stuck behind them. With a
 * timeout of 0 the snapshot is taken at the announcement or the first barrier. Savepoints are always aligned. Owner: the
 * task.
 */
export class UnalignedBarriers implements BarrierHandler {
  readonly #channels: number
  readonly #alignedTimeoutMs: number
  readonly #alignedOnly: ReadonlySet<number>
  readonly #listener: BarrierListener
  readonly #clock: Clock
  readonly #wake: () => void
  readonly #finished = new Set<number>()
  #pending: Pending | undefined
  /** Checkpoints up to this one are over for this task, but for the capture of one. */
  #doneUpTo = -1
  /** Newer ones that were given up before anything came; true: the tasks downstream were told. */
  readonly #cancelled = new Map<number, boolean>()

  /**
   * @param options `alignedOnly`: channels whose records cannot become state, because they would not fit another
   *   parallelism; their barriers are waited for
   */
  constructor(
    options: { channels: number; alignedTimeoutMs: number; alignedOnly: ReadonlySet<number> },
    dependencies: { listener: BarrierListener; clock: Clock; wake: () => void },
  ) {
    this.#channels = options.channels
    this.#alignedTimeoutMs = options.alignedTimeoutMs
    this.#alignedOnly = options.alignedOnly
    this.#listener = dependencies.listener
    this.#clock = dependencies.clock
    this.#wake = dependencies.wake
  }

  get waitingFor(): { readonly checkpointId: number; readonly channels: readonly number[] } | undefined {
    const pending = this.#pending
    if (pending === undefined) return undefined
    const { checkpointId } = pending.barrier
    return { checkpointId, channels: [...(pending.capturing ?? this.#missing(pending))] }
  }

  announce(barrier: Barrier): void {
    if (this.#isOver(barrier.checkpointId)) return
    this.#begin(barrier)
  }

  onBarrier(channel: number, barrier: Barrier): void {
    const id = barrier.checkpointId
    if (this.#isOver(id)) {
      if (this.#cancelled.get(id) === false) this.#tellDownstream(id, 'the coordinator gave it up')
      return
    }
    const pending = this.#begin(barrier)
    pending.arrived.add(channel)
    if (this.#complete(pending)) return
    this.#listener.block(channel)
    this.takeDue()
  }

  takeDue(): boolean {
    const pending = this.#pending
    if (pending === undefined || pending.capturing !== undefined || pending.barrier.savepoint !== false)
      return false
    if (!pending.isDue) return false
    const missing = this.#missing(pending)
    if (missing.some(channel => this.#alignedOnly.has(channel))) return false
    pending.capturing = new Set(missing)
    this.#over(pending.barrier.checkpointId)
    this.#listener.overtake(pending.barrier, this.#clock.monotonicMs() - pending.startedMs, missing)
    this.#listener.unblockAll()
    return true
  }

  onCaptured(channel: number, by: CaptureEnd): void {
    const pending = this.#pending
    if (pending?.capturing === undefined) return
    pending.capturing.delete(channel)
    if (by === 'later-barrier' || pending.capturing.size === 0) this.#pending = undefined
  }

  onCancelBarrier(channel: number, checkpointId: number): void {
    const pending = this.#pending
    if (pending !== undefined && pending.capturing === undefined) {
      const { checkpointId: id } = pending.barrier
      if (id === checkpointId) {
        this.#endPending('it was cancelled upstream')
        return
      }
      // In order on its channel: the barrier waited for will not come there any more.
      if (id < checkpointId && !pending.arrived.has(channel))
        this.#endPending(`checkpoint ${checkpointId} was cancelled upstream`)
    }
    if (checkpointId > this.#doneUpTo) this.#tellDownstream(checkpointId, 'it was cancelled upstream')
  }

  onAborted(checkpointId: number): void {
    const pending = this.#pending
    if (pending?.barrier.checkpointId === checkpointId) {
      if (pending.capturing === undefined) this.#endPending('the coordinator gave it up')
      else this.#pending = undefined
    } else if (!this.#isOver(checkpointId)) this.#cancelled.set(checkpointId, false)
  }

  onChannelFinished(channel: number): void {
    this.#finished.add(channel)
    if (this.#pending !== undefined && this.#pending.capturing === undefined) this.#complete(this.#pending)
  }

  close(): void {
    this.#pending?.timer?.cancel()
    this.#pending = undefined
  }

  #isOver(checkpointId: number): boolean {
    const running = this.#pending?.barrier.checkpointId ?? -1
    return checkpointId <= this.#doneUpTo || checkpointId < running || this.#cancelled.has(checkpointId)
  }

  /** The checkpoint under way; what an older one has not brought to its end is given up. */
  #begin(barrier: Barrier): Pending {
    const before = this.#pending
    if (before?.barrier.checkpointId === barrier.checkpointId) return before
    if (before !== undefined && before.capturing === undefined) {
      this.#endPending(`checkpoint ${barrier.checkpointId} began before the alignment was complete`)
    }
    const startedMs = this.#clock.monotonicMs()
    const isDue = this.#alignedTimeoutMs === 0
    const due = (): void => {
      pending.isDue = true
      this.#wake()
    }
    const timer =
      isDue || barrier.savepoint !== false ? undefined : this.#clock.schedule(this.#alignedTimeoutMs, due)
    const pending: Pending = { barrier, startedMs, arrived: new Set(), timer, isDue, capturing: undefined }
    this.#pending = pending
    return pending
  }

  #missing(pending: Pending): readonly number[] {
    return Array.from({ length: this.#channels }, (_, channel) => channel).filter(
      channel => !pending.arrived.has(channel) && !this.#finished.has(channel),
    )
  }

  #complete(pending: Pending): boolean {
    if (this.#missing(pending).length > 0) return false
    const { barrier, startedMs } = pending
    this.#pending = undefined
    this.#over(barrier.checkpointId)
    pending.timer?.cancel()
    this.#listener.complete(barrier, this.#clock.monotonicMs() - startedMs)
    this.#listener.unblockAll()
    return true
  }

  #endPending(reason: string): void {
    const pending = this.#pending as Pending
    const { checkpointId } = pending.barrier
    pending.timer?.cancel()
    this.#pending = undefined
    this.#over(checkpointId)
    this.#listener.aborted(checkpointId, reason, true)
    this.#listener.unblockAll()
  }

  #over(checkpointId: number): void {
    this.#pending?.timer?.cancel()
    this.#doneUpTo = Math.max(this.#doneUpTo, checkpointId)
    for (const id of this.#cancelled.keys()) if (id <= this.#doneUpTo) this.#cancelled.delete(id)
  }

  #tellDownstream(checkpointId: number, reason: string): void {
    if (this.#cancelled.get(checkpointId) === true) return
    this.#cancelled.set(checkpointId, true)
    this.#listener.aborted(checkpointId, reason, true)
  }
}
