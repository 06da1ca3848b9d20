import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

// About 60 MB; a message holds 32.
const ROWS = 400_000

test('a result that is larger than a message arrives whole', async () => {
  const cluster = await TestCluster.start({ taskManagers: 1, slots: 2 })
  const job = join(REPOSITORY, 'e2e/jobs/large-result.ts')
  const { code, stdout, stderr } = await cluster.flink('run', '-p', '2', job, String(ROWS)).finished
  expect(code, stderr).toBe(0)
  const digest = createHash('sha256')
  let sizeBytes = 0
  for (let n = 1; n <= ROWS; n++) {
    const row = JSON.stringify({ n, text: `${n} `.repeat(20) })
    sizeBytes += row.length
    digest.update(row)
  }
  expect(sizeBytes).toBeGreaterThan(50_000_000)
  expect(stdout.trimEnd().split('\n').at(-1)).toBe(`rows ${ROWS} digest ${digest.digest('hex')}`)
  expect(await cluster.stop()).toEqual([])
})
