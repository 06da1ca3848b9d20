import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type LeaseAction, LeaseCandidate, type SeenLease } from './lease-candidate.ts'

const TIMES = { leaseDurationMs: 6000, renewDeadlineMs: 4000 }
const TICK = { type: 'tick' } as const
const seen = (lease: Partial<SeenLease>) =>
  ({
    type: 'read',
    lease: { epoch: 1, beat: 0, released: false, holderIsDead: false, ...lease },
  }) as const

/** Ticks at `nowMs` and answers the look at the lease. */
function look(candidate: LeaseCandidate, nowMs: number, lease: Partial<SeenLease>): readonly LeaseAction[] {
  expect(candidate.handle(nowMs, TICK)).toEqual([{ type: 'read' }])
  return candidate.handle(nowMs, seen(lease))
}

function leader(epoch = 1): LeaseCandidate {
  const candidate = new LeaseCandidate(TIMES, 0)
  candidate.handle(0, TICK)
  candidate.handle(
    0,
    epoch === 1 ? { type: 'read', lease: undefined } : seen({ epoch: epoch - 1, released: true }),
  )
  expect(candidate.handle(0, { type: 'claimed', won: true, highest: epoch })).toEqual([
    { type: 'grant', epoch },
  ])
  return candidate
}

test('a leader whose record somebody has removed leads no longer: the epoch may be claimed again', () => {
  const candidate = leader(5)
  candidate.handle(500, TICK)
  expect(candidate.handle(510, { type: 'renewed', startedMs: 500, highest: 0, gone: true })).toEqual([
    { type: 'revoke', epoch: 5, reason: 'its record was removed from the storage' },
  ])
  expect(candidate.leadingEpoch).toBeUndefined()
  expect(candidate.handle(1000, TICK)).toEqual([{ type: 'read' }])
})

describe('following a leader', () => {
  test('nobody has ever led, the lease was given back, its holder is dead: claimed at once', () => {
    const first = new LeaseCandidate(TIMES, 0)
    first.handle(0, TICK)
    expect(first.handle(0, { type: 'read', lease: undefined })).toEqual([{ type: 'claim', epoch: 1 }])
    for (const reason of [{ released: true }, { holderIsDead: true }]) {
      const next = new LeaseCandidate(TIMES, 0)
      expect(look(next, 0, { epoch: 7, ...reason })).toEqual([{ type: 'claim', epoch: 8 }])
    }
  })

  test('a lease without a sign of life is claimed after its duration, one that is renewed never', () => {
    const candidate = new LeaseCandidate(TIMES, 0)
    expect(look(candidate, 100, {})).toEqual([])
    expect(look(candidate, 6099, {})).toEqual([])
    expect(look(candidate, 6100, {})).toEqual([{ type: 'claim', epoch: 2 }])
    const patient = new LeaseCandidate(TIMES, 0)
    for (let beat = 0; beat < 20; beat++) expect(look(patient, beat * 5999, { beat })).toEqual([])
  })

  test('who comes second, or was left behind meanwhile, waits again for the whole duration', () => {
    for (const answer of [
      { won: false, highest: 2 },
      { won: true, highest: 3 },
    ]) {
      const candidate = new LeaseCandidate(TIMES, 0)
      look(candidate, 0, { released: true })
      expect(candidate.handle(10, { type: 'claimed', ...answer })).toEqual([])
      expect(candidate.leadingEpoch).toBeUndefined()
      expect(look(candidate, 20, { epoch: 3 })).toEqual([])
      expect(look(candidate, 6019, { epoch: 3 })).toEqual([])
    }
  })

  test('what could not be looked at is looked at again', () => {
    const candidate = new LeaseCandidate(TIMES, 0)
    candidate.handle(0, TICK)
    expect(candidate.handle(5, TICK)).toEqual([])
    expect(candidate.handle(10, { type: 'failed', reason: 'EIO' })).toEqual([])
    expect(candidate.handle(20, TICK)).toEqual([{ type: 'read' }])
  })
})

describe('leading', () => {
  test('ends when a renewal or a write finds a higher epoch', () => {
    const renewing = leader()
    expect(renewing.handle(500, TICK)).toEqual([{ type: 'renew', epoch: 1 }])
    expect(renewing.handle(510, { type: 'renewed', startedMs: 500, highest: 2 })).toMatchObject([
      { type: 'revoke', epoch: 1 },
    ])
    const writing = leader(5)
    expect(writing.handle(500, { type: 'overtaken', epoch: 5 })).toEqual([])
    expect(writing.handle(500, { type: 'overtaken', epoch: 6 })).toMatchObject([{ type: 'revoke', epoch: 5 }])
    expect(writing.leadingEpoch).toBeUndefined()
  })

  test('goes on through failures until the deadline since the last renewal that succeeded', () => {
    const candidate = leader()
    candidate.handle(1000, TICK)
    candidate.handle(1900, { type: 'renewed', startedMs: 1000, highest: 1 })
    for (const nowMs of [2000, 3000, 4000, 5000]) {
      expect(candidate.handle(nowMs, TICK)).toEqual([{ type: 'renew', epoch: 1 }])
      expect(candidate.handle(nowMs, { type: 'failed', reason: 'EIO' })).toEqual([])
    }
    candidate.handle(5001, TICK)
    expect(candidate.handle(5001, { type: 'failed', reason: 'EIO' })).toMatchObject([{ type: 'revoke' }])
  })

  test('ends when a renewal hangs; its late answer changes nothing', () => {
    const candidate = leader()
    candidate.handle(500, TICK)
    expect(candidate.handle(4000, TICK)).toEqual([])
    expect(candidate.handle(4001, TICK)).toMatchObject([{ type: 'revoke', epoch: 1 }])
    expect(candidate.handle(4500, TICK)).toEqual([])
    expect(candidate.handle(5000, { type: 'renewed', startedMs: 500, highest: 1 })).toEqual([])
    expect(candidate.leadingEpoch).toBeUndefined()
    expect(candidate.handle(5500, TICK)).toEqual([{ type: 'read' }])
  })

  test('ends when its work cannot be taken up', () => {
    const candidate = leader()
    expect(candidate.handle(10, { type: 'gave-up', reason: 'x' })).toMatchObject([
      { type: 'revoke', epoch: 1 },
    ])
  })
})

test('grants and revocations alternate, epochs grow, and nothing is asked twice, whatever comes', () => {
  const event = fc.oneof(
    fc.constant(TICK),
    fc
      .record({ epoch: fc.nat(9), beat: fc.nat(3), released: fc.boolean(), holderIsDead: fc.boolean() })
      .map(seen),
    fc.record({ type: fc.constant('claimed' as const), won: fc.boolean(), highest: fc.nat(12) }),
    fc.record({ type: fc.constant('renewed' as const), startedMs: fc.nat(9000), highest: fc.nat(12) }),
    fc.constant({ type: 'failed' as const, reason: 'EIO' }),
    fc.record({ type: fc.constant('overtaken' as const), epoch: fc.nat(12) }),
  )
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(3000), event), { maxLength: 60 }), steps => {
      const candidate = new LeaseCandidate(TIMES, 0)
      let nowMs = 0
      let open = 0
      let leading: number | undefined
      for (const [pauseMs, fact] of steps) {
        nowMs += pauseMs
        // Answers come only to what was asked.
        const isAnswer = fact.type !== 'tick' && fact.type !== 'overtaken'
        if (isAnswer && open === 0) continue
        if (isAnswer) open--
        for (const action of candidate.handle(nowMs, fact)) {
          if (action.type === 'grant') {
            expect(leading).toBeUndefined()
            leading = action.epoch
          } else if (action.type === 'revoke') {
            expect(action.epoch).toBe(leading)
            leading = undefined
          } else expect(++open).toBe(1)
        }
        expect(candidate.leadingEpoch).toBe(leading)
      }
    }),
    { seed: 7, numRuns: 500 },
  )
})
