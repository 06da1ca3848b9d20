import { describe, expect, test } from 'vitest'
import { Liveness } from './liveness.ts'

/** Ticks every 500 ms from 0 to `untilMs`, and answers what was decided and when. */
function run(liveness: Liveness, fromMs: number, untilMs: number): string[] {
  const decisions: string[] = []
  for (let now = fromMs; now <= untilMs; now += 500) {
    const decision = liveness.tick(now)
    if (decision !== 'nothing') decisions.push(`${decision} at ${now}`)
  }
  return decisions
}

describe('Liveness', () => {
  test('blames a silent peer after the timeout, and not before', () => {
    expect(run(new Liveness(5000, 0), 500, 5500)).toEqual(['peer-silent at 5500'])
  })

  test('any traffic starts the timeout again', () => {
    const liveness = new Liveness(5000, 0)
    expect(run(liveness, 500, 4500)).toEqual([])
    liveness.traffic(4600)
    expect(run(liveness, 5000, 9500)).toEqual([])
    expect(liveness.tick(10_000)).toBe('peer-silent')
  })

  test('who stood still itself gives the peer the whole timeout again', () => {
    const liveness = new Liveness(5000, 0)
    expect(run(liveness, 500, 4000)).toEqual([])
    expect(liveness.tick(14_000)).toBe('we-slept')
    expect(run(liveness, 14_500, 19_000)).toEqual([])
    expect(liveness.tick(19_500)).toBe('peer-silent')
  })
})
