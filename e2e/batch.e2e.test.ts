import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

interface Results {
  readonly batch: readonly string[]
  readonly streaming: readonly string[]
}

const FACTORS = { hat: 1, shoes: 2, coat: 3 }
const ITEMS = ['hat', 'shoes', 'coat', 'scarf', 'ring']

let cluster: TestCluster
let folder: string
beforeAll(async () => {
  cluster = await TestCluster.start({ taskManagers: 2, slots: 2 })
  folder = join(cluster.folder, 'registered files')
  mkdirSync(join(folder, 'tools/bin'), { recursive: true })
  writeFileSync(join(folder, 'factors.json'), JSON.stringify(FACTORS))
  writeFileSync(join(folder, 'tools/bin/run.sh'), '#!/bin/sh\n')
}, 60_000)
afterAll(() => cluster.stop())

/** The last of what each key gave as it went, and everything else. */
function lastResults(lines: readonly string[]): string[] {
  const rolling = /^(?:rolling|greatest) \S+/
  const last = new Map(lines.map(line => [rolling.exec(line)?.[0] ?? line, line]))
  const multiset = lines.filter(line => !rolling.test(line))
  return [...multiset, ...[...last].filter(([key]) => rolling.test(key)).map(([, line]) => line)].sort()
}

describe.each([1, 4])('BATCH mode at parallelism %i', parallelism => {
  test('gives once what a stream gives last; sets and files are there', { timeout: 120_000 }, async () => {
    const job = join(REPOSITORY, 'e2e/jobs/batch.ts')
    const run = cluster.flink('run', job, String(parallelism), folder)
    const { code, stdout, stderr } = await run.finished
    expect(stderr).toBe('')
    expect(code).toBe(0)
    const results = JSON.parse(stdout.slice(stdout.indexOf('{"batch"'))) as Results
    /** What results of one kind say, sorted. */
    const told = (kind: string): string[] =>
      results.batch.flatMap(line => (line.startsWith(`${kind} `) ? [line.slice(kind.length + 1)] : [])).sort()

    const sold = Array.from({ length: 600 }, (_, i) => i + 1).map(n => ({
      item: ITEMS[(n * n * n) % 5] as string,
      amount: (n * 7919) % 100,
    }))
    const expected = Object.entries(FACTORS).map(([item, factor]) => {
      const amounts = sold.filter(sale => sale.item === item).map(({ amount }) => amount * factor)
      return `${item} ${amounts.reduce((sum, amount) => sum + amount, 0)}`
    })
    expect(told('total')).toEqual(expected.sort())

    // One copy for each TaskManager, whatever the number of subtasks, and none of it is left.
    expect(told('files')).toHaveLength(parallelism === 1 ? 1 : 2)
    for (const places of told('files')) {
      const [factors = '', tools = '', ...found] = places.split(' ')
      expect(found).toEqual(['run.sh'])
      await cluster.until(
        'the copies are removed',
        30_000,
        async () => !existsSync(factors) && !existsSync(tools),
      )
    }

    const counts = ITEMS.map(item => `${item} ${sold.filter(sale => sale.item === item).length}`)
    expect(told('timer')).toEqual(counts.sort())
    const batch = results.batch.filter(line => !/^(timer|total|files) /.test(line))
    const streamed = lastResults(results.streaming)
    expect(lastResults(batch)).toEqual(streamed)
    // Nothing was given twice.
    expect(batch).toHaveLength(streamed.length)
  })
})
