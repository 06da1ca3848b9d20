import type { Clock } from '@flink-ts/common'
import type { Barrier, BarrierHandler, BarrierListener } from './barrier-handler.ts'

/** Checkpoints that are tracked at the same time; the oldest is dropped beyond that. */
const MAX_PENDING = 50

/**
 * At-least-once: counts barriers without blocking anything. When the last channel delivers its barrier the snapshot is
 * taken; records behind earlier barriers are in it and will be seen again after a recovery.
 */
export class BarrierTracker implements BarrierHandler {
  readonly #listener: BarrierListener
  readonly #clock: Clock
  readonly #pending = new Map<number, { barrier: Barrier; arrived: Set<number>; startedMs: number }>()
  readonly #channels: number
  readonly #finished = new Set<number>()
  #doneUpTo = -1

  constructor(options: { channels: number }, dependencies: { listener: BarrierListener; clock: Clock }) {
    this.#channels = options.channels
    this.#listener = dependencies.listener
    this.#clock = dependencies.clock
  }

  get waitingFor(): { checkpointId: number; channels: readonly number[] } | undefined {
    const [oldest] = [...this.#pending.keys()].sort((a, b) => a - b)
    const entry = oldest === undefined ? undefined : this.#pending.get(oldest)
    if (oldest === undefined || entry === undefined) return undefined
    const all = Array.from({ length: this.#channels }, (_, i) => i)
    return {
      checkpointId: oldest,
      channels: all.filter(i => !entry.arrived.has(i) && !this.#finished.has(i)),
    }
  }

  onBarrier(channel: number, barrier: Barrier): void {
    if (barrier.checkpointId <= this.#doneUpTo) return
    let entry = this.#pending.get(barrier.checkpointId)
    if (entry === undefined) {
      entry = { barrier, arrived: new Set(), startedMs: this.#clock.monotonicMs() }
      this.#pending.set(barrier.checkpointId, entry)
      if (this.#pending.size > MAX_PENDING) {
        const oldest = Math.min(...this.#pending.keys())
        this.#doneUpTo = oldest
        this.#drop(oldest, 'too many newer checkpoints began meanwhile')
      }
    }
    entry.arrived.add(channel)
    this.#check(barrier.checkpointId)
  }

  onCancelBarrier(_channel: number, checkpointId: number): void {
    this.#cancel(checkpointId, 'it was cancelled upstream')
  }

  onAborted(checkpointId: number): void {
    this.#cancel(checkpointId, 'the coordinator gave it up')
  }

  onChannelFinished(channel: number): void {
    this.#finished.add(channel)
    for (const id of [...this.#pending.keys()].sort((a, b) => a - b)) this.#check(id)
  }

  #cancel(checkpointId: number, reason: string): void {
    if (checkpointId <= this.#doneUpTo) return
    for (const id of [...this.#pending.keys()]) if (id < checkpointId) this.#drop(id, reason)
    this.#doneUpTo = checkpointId
    this.#drop(checkpointId, reason)
  }

  #check(checkpointId: number): void {
    const entry = this.#pending.get(checkpointId)
    if (entry === undefined) return
    for (let i = 0; i < this.#channels; i++) if (!entry.arrived.has(i) && !this.#finished.has(i)) return
    this.#doneUpTo = checkpointId
    this.#pending.delete(checkpointId)
    for (const id of [...this.#pending.keys()]) {
      if (id < checkpointId) this.#drop(id, `checkpoint ${checkpointId} overtook it`)
    }
    this.#listener.complete(entry.barrier, this.#clock.monotonicMs() - entry.startedMs)
  }

  #drop(checkpointId: number, reason: string): void {
    this.#pending.delete(checkpointId)
    this.#listener.aborted(checkpointId, reason, true)
  }
}
