import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { REPOSITORY } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/datastream-api.ts')
const RECORDS = 1000
const numbers = Array.from({ length: RECORDS }, (_, i) => i + 1)
const left = numbers.map(n => ({ n, key: n % 7, time: n * 10 }))
const right = numbers.map(n => ({ n, key: n % 7, time: n * 3 }))

function pairs(matches: (l: number, r: number) => number): string[] {
  return left.flatMap(l =>
    right.flatMap(r => (l.key === r.key ? Array<string>(matches(l.time, r.time)).fill(`${l.n} ${r.n}`) : [])),
  )
}

/** How many windows of 200 ms every 100 ms hold both times. */
function sharedWindows(a: number, b: number): number {
  const windowsOf = (time: number): number[] => [Math.floor(time / 100), Math.floor(time / 100) - 1]
  return windowsOf(a).filter(window => windowsOf(b).includes(window)).length
}

const countsUpTo = (n: number, key: number): string[] =>
  Array.from({ length: n }, (_, i) => `${key} ${i + 1}`)
const keys = [...new Set(numbers.map(n => n % 7))]
const perKey = (key: number): number => numbers.filter(n => n % 7 === key).length

/** What a plain computation gives. */
const expected: Record<string, readonly unknown[]> = {
  connected: keys.flatMap(key => countsUpTo(2 * perKey(key), key)),
  'interval join': pairs((l, r) => (r - l >= -50 && r - l <= 20 ? 1 : 0)),
  'window join': pairs(sharedWindows),
  'co-group': keys.flatMap(key => {
    const windowOf = ({ time }: { time: number }): number => Math.floor(time / 500)
    const of = (side: typeof left): Map<number, typeof left> =>
      Map.groupBy(
        side.filter(record => record.key === key),
        windowOf,
      )
    const [l, r] = [of(left), of(right)]
    return [...new Set([...l.keys(), ...r.keys()])].map(
      window => `${key} ${l.get(window)?.length ?? 0} ${r.get(window)?.length ?? 0}`,
    )
  }),
  'async ordered': numbers.map(n => n * 2),
  'async unordered': numbers.map(n => n * 2),
  iteration: numbers.map(n => `${n} ${Math.floor(Math.log2(n)) + 1}`),
  'async keyed': keys.flatMap(key =>
    countsUpTo(perKey(key) + numbers.filter(n => n % 7 === key && n % 100 === 0).length, key),
  ),
  rolling: keys.flatMap(key => countsUpTo(perKey(key), key)),
}

describe.each([1, 4])('through a failure and a restore, at parallelism %i', parallelism => {
  // Eleven jobs, each started twice.
  test('each job gives what a plain computation gives', { timeout: 400_000 }, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [JOB, String(parallelism)], {
      maxBuffer: 64 * 1024 * 1024,
    })
    const results = JSON.parse(stdout) as Record<string, unknown[]>
    for (const [name, rows] of Object.entries(expected)) {
      expect([...(results[name] ?? [])].sort(), name).toEqual([...rows].sort())
    }
    if (parallelism === 1) expect(results['async ordered']).toEqual(expected['async ordered'])
    // The limit may come after the last record of a key: then those wait for ever. No other number may be missing.
    const above = new Set(results['broadcast'])
    for (const n of above) expect(n).toBeGreaterThan(500)
    expect(above.size).toBe(results['broadcast']?.length)
    const sum = (RECORDS * (RECORDS + 1)) / 2
    const { restored, ...accumulators } = results['accumulators'] as unknown as Record<string, number>
    expect(accumulators).toEqual({ sum, mean: sum / RECORDS })
    expect(restored).toBeGreaterThanOrEqual(1)
  })
})
