import type { LeaderSessionId } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { LeaderTerm } from './leader-term.ts'

function termAt(highest: number) {
  const overtaken: number[] = []
  const term = new LeaderTerm(
    { epoch: 5, leaderSessionId: 'session' as LeaderSessionId },
    { highest: async () => highest, onOvertaken: epoch => void overtaken.push(epoch) },
  )
  return { term, overtaken }
}

test('what was written counts as long as this epoch is the highest', async () => {
  const { term } = termAt(5)
  await term.confirm()
  expect(term.lost).toBe(false)
})

test.each([
  [6, /epoch 6 has begun/, [6]],
  [3, /record was removed/, []],
  [0, /record was removed/, []],
])('with %i as the highest it does not', async (highest, reason, told) => {
  const { term, overtaken } = termAt(highest)
  await expect(term.confirm()).rejects.toThrow(reason)
  expect(term.lost).toBe(true)
  expect(overtaken).toEqual(told)
})
