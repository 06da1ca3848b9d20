import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { REPOSITORY } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/aligned-sources.ts')
const run = async (...args: string[]): Promise<{ records: number; ahead: number }> =>
  JSON.parse((await promisify(execFile)(process.execPath, [JOB, ...args])).stdout)

test('a fast source waits for a slow one of its group, and loses nothing', async () => {
  const [aligned, free] = [await run(), await run('free')]
  expect([aligned.records, free.records]).toEqual([19_999, 19_999])
  // One second of drift, and what comes between two reports on a busy machine.
  expect(aligned.ahead).toBeLessThan(6000)
  expect(free.ahead).toBeGreaterThan(10_000)
})
