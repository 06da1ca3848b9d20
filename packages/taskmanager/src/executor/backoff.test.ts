import { ManualClock, nullLogger, SeededRandom } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { retryWithBackoff } from './backoff.ts'

test('pauses double up to the longest, and it stops when told', async () => {
  const clock = new ManualClock()
  const times: number[] = []
  let goesOn = true
  const outcome = retryWithBackoff(
    { initialMs: 20, maxMs: 100 },
    { clock, random: new SeededRandom(7), logger: nullLogger },
    'test',
    () => {
      times.push(clock.monotonicMs())
      return Promise.reject(new Error('refused'))
    },
    () => goesOn,
  )
  const failed = expect(outcome).rejects.toThrow('refused')
  for (let i = 0; i < 1000; i++) {
    clock.advance(1)
    await Promise.resolve()
    await Promise.resolve()
    await Promise.resolve()
  }
  goesOn = false
  clock.advance(200)
  await failed
  const pauses = times.slice(1).map((time, i) => time - times[i]!)
  for (const [i, longest] of [20, 40, 80, 100, 100, 100].entries()) {
    expect(pauses[i]).toBeLessThanOrEqual(longest + 2)
    expect(pauses[i]).toBeGreaterThanOrEqual(longest * 0.8)
  }
})
