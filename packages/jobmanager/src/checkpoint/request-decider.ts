import type { CheckpointSettings } from '@flink-ts/jobgraph'

/** What decides about the next trigger. Times are of a clock that never goes back. */
export interface TriggerFacts {
  /** Number of checkpoints under way, those being stored included. */
  readonly pending: number
  /** Since when all tasks run; undefined: they don't. */
  readonly readySinceMs: number | undefined
  readonly lastTriggerMs: number | undefined
  readonly lastCompletedMs: number | undefined
  /** Of a checkpoint that counted as failed. */
  readonly lastFailedMs: number | undefined
  /**
   * `open`: some task has more to emit. `needed`: none has, and no checkpoint covers that. `awaited`: one under way
   * does. `covered`: one is complete.
   */
  readonly endOfData: 'open' | 'needed' | 'awaited' | 'covered'
}

/** `blocked`: until another fact changes. */
export type TriggerDecision =
  | { readonly type: 'trigger' }
  | { readonly type: 'wait'; readonly delayMs: number }
  | { readonly type: 'blocked' }

/** Longest pause before the last checkpoint of a bounded job is tried again. */
const MAX_RETRY_PAUSE_MS = 1000

/**
 * When the next checkpoint is due: one interval after the last trigger, and not before the pause after the last
 * completion is over (period 1000, took 700, pause 500: 200 ms late). The last checkpoint of a bounded job is due at once.
 */
export function decideTrigger(
  settings: CheckpointSettings,
  facts: TriggerFacts,
  nowMs: number,
): TriggerDecision {
  const { intervalMs, minPauseMs } = settings
  if (intervalMs === undefined || facts.readySinceMs === undefined) return { type: 'blocked' }
  // A pause between checkpoints means that they do not overlap; unaligned ones cannot.
  const alone = minPauseMs > 0 || settings.unaligned !== undefined
  const maxConcurrent = alone ? 1 : Math.max(1, settings.maxConcurrent)
  if (facts.pending >= maxConcurrent) return { type: 'blocked' }
  let dueMs: number
  switch (facts.endOfData) {
    case 'covered':
    case 'awaited':
      return { type: 'blocked' }
    case 'needed':
      dueMs =
        facts.lastFailedMs === undefined
          ? nowMs
          : facts.lastFailedMs + Math.min(intervalMs, MAX_RETRY_PAUSE_MS)
      break
    case 'open':
      dueMs = Math.max(facts.readySinceMs, facts.lastTriggerMs ?? 0) + intervalMs
      if (facts.lastCompletedMs !== undefined) dueMs = Math.max(dueMs, facts.lastCompletedMs + minPauseMs)
      break
  }
  return dueMs <= nowMs ? { type: 'trigger' } : { type: 'wait', delayMs: dueMs - nowMs }
}
