import { keyGroupOf } from '@flink-ts/serialization'
import { MAX_WATERMARK, MIN_WATERMARK, type OperatorContext } from '../contract/stream-operator.ts'

/** First and last key group, and the watermark up to which all of their timers have fired. */
type StoredProgress = readonly [firstGroup: number, lastGroup: number, watermark: number]

/**
 * How far event time had come when timers were stored. Sources repeat their watermark after a restore; a timer that was
 * registered at or before it, and waits for the next one, must not take the repetition for that. Where a snapshot fell
 * into the middle of an advance, the rest of it is still to fire, and nothing is stored. Part of snapshots; differs
 * between key groups that come from several subtasks. Lower watermarks than the stored one are those of other sources,
 * and fire what they reach, as in Flink. Owner: one timer service.
 */
export class TimerProgress {
  readonly #context: OperatorContext
  readonly #name: string
  /** By key group; undefined: event time has gone on since, or nothing was restored. */
  #restored: Map<number, number> | undefined

  /** @param name of the timers in snapshots */
  constructor(context: OperatorContext, name: string) {
    this.#context = context
    this.#name = name
  }

  restore(): void {
    const { start, end } = this.#context.keyedState.keyGroupRange
    const restored = new Map<number, number>()
    for (const [first, last, watermark] of this.#list().get()) {
      for (let group = Math.max(first, start); group <= Math.min(last, end); group++)
        restored.set(group, watermark)
    }
    if (restored.size > 0) this.#restored = restored
  }

  /** @param reached by this attempt @param unfinished there are timers of it to come */
  snapshot(reached: number, unfinished: boolean): void {
    const { start, end } = this.#context.keyedState.keyGroupRange
    const stored: StoredProgress[] = []
    const add = (first: number, last: number, watermark: number): void => {
      if (watermark > MIN_WATERMARK) stored.push([first, last, watermark])
    }
    // After the last watermark there is no next one to wait for, and a job that was drained may be given new input.
    const ofAll = unfinished || reached === MAX_WATERMARK ? MIN_WATERMARK : reached
    if (this.#restored === undefined) add(start, end, ofAll)
    else {
      for (let group = start; group <= end; group++) {
        const before = this.#restored.get(group) ?? MIN_WATERMARK
        add(group, group, before >= reached ? before : ofAll)
      }
    }
    this.#list().update(stored)
  }

  /** Whether restored timers have to be looked at. */
  get holdsAny(): boolean {
    return this.#restored !== undefined
  }

  /** Whether `watermark` is what the timers of the key had reached before the restore. */
  holds(key: unknown, watermark: number): boolean {
    if (this.#restored === undefined) return false
    return this.#restored.get(keyGroupOf(key, this.#context.keyedState.maxParallelism)) === watermark
  }

  /** All timers up to `watermark` have fired that are not held. */
  reached(watermark: number): void {
    if (this.#restored === undefined) return
    for (const [group, before] of this.#restored) if (before < watermark) this.#restored.delete(group)
    if (this.#restored.size === 0) this.#restored = undefined
  }

  #list() {
    return this.#context.operatorState.listState<StoredProgress>(`timers-reached/${this.#name}`, 'union')
  }
}
