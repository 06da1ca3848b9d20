import { type Clock, Deferred, type Logger, type Random } from '@flink-ts/common'
import type { BackoffSettings } from '../taskmanager-options.ts'

/** Attempts that are logged: the first few, then fewer and fewer. */
const isLogged = (attempt: number): boolean =>
  attempt <= 2 || Number.isInteger(Math.log2(attempt)) || attempt % 64 === 0

/**
 * Repeats `attempt` until it succeeds or `goesOn` says no to its error. Pauses double from the first to the longest,
 * each shortened at random by up to a fifth, so that many who wait do not come at once.
 */
export async function retryWithBackoff<T>(
  settings: BackoffSettings,
  dependencies: { clock: Clock; random: Random; logger: Logger },
  what: string,
  attempt: () => Promise<T>,
  goesOn: (error: unknown) => boolean,
): Promise<T> {
  const { clock, random, logger } = dependencies
  for (
    let number = 1, pauseMs = settings.initialMs;
    ;
    number++, pauseMs = Math.min(pauseMs * 2, settings.maxMs)
  ) {
    try {
      return await attempt()
    } catch (error) {
      if (!goesOn(error)) throw error
      const delayMs = pauseMs * (1 - random.next() / 5)
      if (isLogged(number))
        logger.info(
          { what, attempt: number, nextInMs: Math.round(delayMs), error },
          'attempt failed, will be repeated',
        )
      const pause = new Deferred<void>()
      clock.schedule(delayMs, () => pause.resolve())
      await pause.promise
      if (!goesOn(error)) throw error
    }
  }
}
