import type { CheckpointSettings } from '@flink-ts/jobgraph'
import { decideTrigger, type TriggerDecision } from './request-decider.ts'

/** The checkpoints under way, as far as the next trigger depends on them. */
export interface PendingFacts {
  readonly count: number
  /** One of them was triggered after all tasks had emitted everything. */
  readonly coversEndOfData: boolean
}

/** Remembers what decides when the next periodic checkpoint is due. Times are of a clock that never goes back. Owner: the coordinator. */
export class TriggerSchedule {
  readonly #settings: CheckpointSettings
  #readySinceMs: number | undefined
  #lastTriggerMs: number | undefined
  #lastCompletedMs: number | undefined
  #lastFailedMs: number | undefined
  #endOfDataCovered = false

  constructor(settings: CheckpointSettings) {
    this.#settings = settings
  }

  triggered(nowMs: number): void {
    this.#lastTriggerMs = nowMs
  }

  completed(nowMs: number, coversEndOfData: boolean): void {
    this.#lastCompletedMs = nowMs
    this.#lastFailedMs = undefined
    if (coversEndOfData) this.#endOfDataCovered = true
  }

  /** Also of one that was given up without a fault: it counts as a pause. */
  failed(nowMs: number): void {
    this.#lastFailedMs = nowMs
  }

  /** Tasks were stopped: the time runs anew when all of them run again. */
  restarted(): void {
    this.#endOfDataCovered = false
    this.#lastFailedMs = undefined
    this.#readySinceMs = undefined
  }

  /** To be asked after each event. @param ready a checkpoint is possible now */
  next(ready: boolean, allEndOfData: boolean, pending: PendingFacts, nowMs: number): TriggerDecision {
    if (!ready) return { type: 'blocked' }
    this.#readySinceMs ??= nowMs
    const unmet = pending.coversEndOfData ? 'awaited' : 'needed'
    return decideTrigger(
      this.#settings,
      {
        pending: pending.count,
        readySinceMs: this.#readySinceMs,
        lastTriggerMs: this.#lastTriggerMs,
        lastCompletedMs: this.#lastCompletedMs,
        lastFailedMs: this.#lastFailedMs,
        endOfData: !allEndOfData ? 'open' : this.#endOfDataCovered ? 'covered' : unmet,
      },
      nowMs,
    )
  }
}
