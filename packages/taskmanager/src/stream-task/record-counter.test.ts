import { expect, test } from 'vitest'
import { RecordCounter } from './record-counter.ts'

test('counts beyond 32 bits', () => {
  const counter = new RecordCounter()
  counter.cell[0] = 2 ** 31 - 2
  expect(counter.total()).toBe(2 ** 31 - 2)
  for (let i = 0; i < 5; i++) counter.cell[0]!++
  expect(counter.total()).toBe(2 ** 31 + 3)
  counter.cell[0]! += 2 ** 31 + 5
  expect(counter.total()).toBe(2 ** 32 + 8)
})
