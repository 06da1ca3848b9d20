import type { Clock, Timer } from '@flink-ts/common'

/** Waits for `work`, but not longer than `timeoutMs`; then `onTimeout` is called and the work goes on unwatched. */
export async function bounded(
  work: Promise<unknown>,
  timeoutMs: number,
  clock: Clock,
  onTimeout: () => void,
): Promise<void> {
  let timer: Timer | undefined
  const timeout = new Promise<void>(resolve => {
    timer = clock.schedule(timeoutMs, () => {
      onTimeout()
      resolve()
    })
  })
  await Promise.race([work, timeout])
  timer?.cancel()
}
