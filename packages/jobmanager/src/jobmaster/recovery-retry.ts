import { type Clock, Deferred, isFlinkError, type Logger } from '@flink-ts/common'

const FIRST_DELAY_MS = 1000
const MAX_DELAY_MS = 30_000

/**
 * Does the first work of a job that another JobMaster has left. A job that ran must not end because its storage is away
 * for a while: what may be tried again is, until it succeeds or `closing` resolves.
 */
export async function recoverPatiently(
  work: () => Promise<void>,
  dependencies: { readonly clock: Clock; readonly logger: Logger; readonly closing: Deferred<void> },
): Promise<void> {
  const { clock, logger, closing } = dependencies
  for (let delayMs = FIRST_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return await work()
    } catch (error) {
      if (!mayBeRepeated(error) || closing.settled) throw error
      logger.warn({ error, nextInMs: delayMs }, 'The job cannot be recovered yet, will be repeated')
      const pause = new Deferred<void>()
      const timer = clock.schedule(delayMs, () => pause.resolve())
      await Promise.race([pause.promise, closing.promise])
      timer.cancel()
    }
  }
}

function mayBeRepeated(error: unknown): boolean {
  return isFlinkError(error) && (error.retry === 'backoff' || mayBeRepeated(error.cause))
}
