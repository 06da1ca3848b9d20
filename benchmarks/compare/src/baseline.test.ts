import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { changesOf, costOf, readBaseline } from './baseline.ts'

const folder = mkdtempSync(join(tmpdir(), 'baseline-'))
afterAll(() => rmSync(folder, { recursive: true }))

const around = (median: number) => ({ median, least: median * 0.97, most: median * 1.03 })

test('a cost is the median of the ratios of the rounds, whatever the speed of the machine', () => {
  const pairs = [1, 3, 2].map(speed => ({ recordNs: 50 * speed, calibrationNs: 10 * speed }))
  expect(costOf(pairs)).toEqual({ median: 5, least: 5, most: 5 })
})

test('what costs more than a tenth more is told from what only swings', () => {
  const stored = { a: around(10), b: around(10), c: around(10), d: around(10) }
  const costs = {
    a: around(12),
    b: { median: 12, least: 10, most: 13 },
    c: around(10.9),
    d: around(8),
    e: around(1),
  }
  const verdicts = changesOf(costs, stored).map(({ name, verdict }) => [name, verdict])
  expect(Object.fromEntries(verdicts)).toEqual({
    a: 'costs more',
    b: 'noise',
    c: 'same',
    d: 'cheaper',
    e: 'new',
  })
  expect(changesOf({ a: around(12) }, stored)[0]?.increase).toBeCloseTo(0.2, 9)
})

test('a baseline is read back; what is none is refused', () => {
  const path = join(folder, 'baseline.json')
  expect(() => readBaseline(path)).toThrow('npm run bench:compare -- --update')
  writeFileSync(path, JSON.stringify({ costs: { a: around(2) } }))
  expect(readBaseline(path)).toEqual({ a: around(2) })
  for (const text of ['null', '{}', '{"costs":{"a":{"median":1,"least":1}}}']) {
    writeFileSync(path, text)
    expect(() => readBaseline(path)).toThrow('is no baseline')
  }
})
