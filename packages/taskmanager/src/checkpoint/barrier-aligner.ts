import type { Clock } from '@flink-ts/common'
import type { Barrier, BarrierHandler, BarrierListener } from './barrier-handler.ts'

/**
 * Exactly-once alignment: a channel on which the barrier arrived is blocked until it arrived on all. A newer barrier
 * ends the alignment for an older one; barriers of checkpoints that are done or given up are ignored.
 */
export class BarrierAligner implements BarrierHandler {
  readonly #listener: BarrierListener
  readonly #clock: Clock
  readonly #arrived: boolean[]
  readonly #finished: boolean[]
  #pending: Barrier | undefined
  #startedMs = 0
  /** Checkpoints up to this one are over for this task. */
  #doneUpTo = -1
  /** Newer ones that were given up before their barrier came; true: the tasks downstream were told. */
  readonly #cancelled = new Map<number, boolean>()

  constructor(options: { channels: number }, dependencies: { listener: BarrierListener; clock: Clock }) {
    this.#listener = dependencies.listener
    this.#clock = dependencies.clock
    this.#arrived = new Array<boolean>(options.channels).fill(false)
    this.#finished = new Array<boolean>(options.channels).fill(false)
  }

  get waitingFor(): { checkpointId: number; channels: readonly number[] } | undefined {
    if (this.#pending === undefined) return undefined
    const channels = this.#arrived.flatMap((arrived, i) => (arrived || this.#finished[i] === true ? [] : [i]))
    return { checkpointId: this.#pending.checkpointId, channels }
  }

  onBarrier(channel: number, barrier: Barrier): void {
    const id = barrier.checkpointId
    if (id <= this.#doneUpTo || (this.#pending !== undefined && id < this.#pending.checkpointId)) return
    if (this.#cancelled.has(id)) {
      this.#tellDownstream(id, 'the coordinator gave it up')
      return
    }
    if (this.#pending !== undefined && id > this.#pending.checkpointId) {
      this.#endPending(`barrier ${id} arrived before the alignment was complete`, true)
    }
    if (this.#pending === undefined) {
      this.#pending = barrier
      this.#startedMs = this.#clock.monotonicMs()
    }
    this.#arrived[channel] = true
    if (!this.#complete()) this.#listener.block(channel)
  }

  onCancelBarrier(channel: number, checkpointId: number): void {
    const pending = this.#pending
    if (pending !== undefined && pending.checkpointId < checkpointId && this.#arrived[channel] !== true) {
      // In order on its channel: the barrier waited for will not come there any more.
      this.#endPending(`checkpoint ${checkpointId} was cancelled upstream`, true)
    }
    if (checkpointId <= this.#doneUpTo) return
    if (this.#pending?.checkpointId === checkpointId) this.#endPending('it was cancelled upstream', true)
    else this.#tellDownstream(checkpointId, 'it was cancelled upstream')
  }

  onAborted(checkpointId: number): void {
    if (checkpointId <= this.#doneUpTo) return
    if (this.#pending?.checkpointId === checkpointId) this.#endPending('the coordinator gave it up', true)
    else if (!this.#cancelled.has(checkpointId)) this.#cancelled.set(checkpointId, false)
  }

  onChannelFinished(channel: number): void {
    this.#finished[channel] = true
    if (this.#pending !== undefined) this.#complete()
  }

  #complete(): boolean {
    const barrier = this.#pending as Barrier
    for (let i = 0; i < this.#arrived.length; i++) {
      if (this.#arrived[i] !== true && this.#finished[i] !== true) return false
    }
    this.#reset(barrier.checkpointId)
    this.#listener.complete(barrier, this.#clock.monotonicMs() - this.#startedMs)
    this.#listener.unblockAll()
    return true
  }

  #endPending(reason: string, forward: boolean): void {
    const id = (this.#pending as Barrier).checkpointId
    this.#reset(id)
    this.#listener.aborted(id, reason, forward)
    this.#listener.unblockAll()
  }

  #tellDownstream(checkpointId: number, reason: string): void {
    if (this.#cancelled.get(checkpointId) === true) return
    this.#cancelled.set(checkpointId, true)
    this.#listener.aborted(checkpointId, reason, true)
  }

  #reset(checkpointId: number): void {
    this.#pending = undefined
    this.#doneUpTo = Math.max(this.#doneUpTo, checkpointId)
    this.#arrived.fill(false)
    for (const id of this.#cancelled.keys()) if (id <= this.#doneUpTo) this.#cancelled.delete(id)
  }
}
