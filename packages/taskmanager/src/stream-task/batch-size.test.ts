import { expect, test } from 'vitest'
import { BatchSize } from './batch-size.ts'

test('slow records are taken one by one, and a single long step is soon forgotten', () => {
  const size = new BatchSize()
  expect(size.records).toBe(8)
  for (let step = 0; step < 5; step++) size.stepTook(0.1)
  expect(size.records).toBe(256)
  size.stepTook(256 * 5)
  expect(size.records).toBe(1)
  size.stepTook(5)
  expect(size.records).toBe(1)
  for (let step = 0; step < 8; step++) size.stepTook(0.1)
  expect(size.records).toBe(256)
  size.stepTook(1.9)
  expect(size.records).toBe(256)
  size.stepTook(4)
  expect(size.records).toBe(128)
})
