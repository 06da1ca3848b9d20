import { type Duration, durationToMs } from '@flink-ts/common'
import { InvalidDuration } from '../errors.ts'

export type { Duration } from '@flink-ts/common'

/**
 * Milliseconds of a duration.
 * @param what the user's call, for messages: `TumblingEventTimeWindows.of`
 * @throws operators.invalid-duration if it is none, is no whole number of milliseconds, or is below `minimumMs`
 */
export function durationMs(duration: Duration, what: string, minimumMs = 0): number {
  const ms = durationToMs(duration)
  if (ms === undefined || !Number.isSafeInteger(ms) || ms < minimumMs) {
    throw InvalidDuration({ what, value: JSON.stringify(duration) ?? String(duration), minimumMs })
  }
  return ms
}
