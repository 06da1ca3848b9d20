import { useMemo, useRef } from 'preact/hooks'
import type { IoMetrics, Subtask } from '../../api/shapes.ts'
import { type Look, type Rates, ratesBetween } from '../../model/rates.ts'

/** GET /jobs/:id/vertices/:id */
export interface SubtasksAnswer {
  readonly now: number
  readonly subtasks: readonly Subtask[]
}

/** Rates of subtasks by their index, between the last two answers; after the first one since they started. */
export function useSubtaskRates(answer: SubtasksAnswer | undefined): ReadonlyMap<number, Rates> {
  const earlier = useRef(new Map<string, Look>())
  // Once for each answer: drawing the page again must not make it the earlier one.
  return useMemo(() => {
    if (answer === undefined) return new Map()
    const looks = new Map<string, Look>()
    const rates = new Map<number, Rates>()
    for (const { subtask, attempt, metrics, 'start-time': startedAt } of answer.subtasks) {
      const look = { at: answer.now, metrics }
      // Another attempt counts from zero.
      const key = `${subtask}.${attempt}`
      looks.set(key, look)
      const before = earlier.current.get(key) ?? { at: startedAt, metrics: nothing(metrics) }
      const between = before.at < 0 ? undefined : ratesBetween(before, look)
      if (between !== undefined) rates.set(subtask, between)
    }
    earlier.current = looks
    return rates
  }, [answer])
}

function nothing(metrics: IoMetrics): IoMetrics {
  return Object.fromEntries(Object.keys(metrics).map(name => [name, 0])) as unknown as IoMetrics
}
