import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/endless.ts')
const LINE =
  readFileSync(JOB, 'utf8')
    .split('\n')
    .findIndex(line => line.includes('throw new RangeError')) + 1

interface Exceptions {
  readonly 'root-exception': string
  readonly exceptionHistory: { readonly entries: readonly { readonly stacktrace: string }[] }
}

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'restart-strategy.type': 'none' },
  })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

test('an error of user code ends flink run with 1, and its place in the source comes first', async () => {
  const running = cluster.flink('run', JOB, '--do', 'throw')
  const { code, stderr } = await running.finished
  expect(code, stderr).toBe(1)
  const [first, second] = stderr.split('\n')
  expect(first).toContain('record 500 is not welcome')
  // Relative to the project, not below the folder of the bundle.
  expect(second).toMatch(new RegExp(`^    at (.*\\()?e2e/jobs/endless\\.ts:${LINE}:\\d+\\)?$`))
  const jobId = await cluster.submitted(running)
  expect(stderr.trimEnd().split('\n').at(-1)).toBe(`Job ${jobId} (endless) did not finish.`)

  expect((await cluster.job(jobId))?.state).toBe('FAILED')
  const exceptions = await cluster.rest<Exceptions>(`/jobs/${jobId}/exceptions`)
  expect(exceptions?.exceptionHistory.entries.length).toBe(1)
  expect(exceptions?.['root-exception']).toContain('record 500 is not welcome')
  expect(exceptions?.['root-exception']).toContain(`e2e/jobs/endless.ts:${LINE}:`)
  await cluster.until('free slots', 1000, async () => (await cluster.freeSlots()) === 2)
})

test('with two restarts allowed there are three attempts', async () => {
  const running = cluster.flink('run', JOB, '--do', 'throw', '--attempts', '2')
  const { code, stderr } = await running.finished
  expect(code, stderr).toBe(1)
  expect(stderr).toMatch(/^Job [0-9a-f]{32} restarts, number [12].*: record 500 is not welcome .* at /m)
  const jobId = await cluster.submitted(running)
  const exceptions = await cluster.rest<Exceptions>(`/jobs/${jobId}/exceptions`)
  expect(exceptions?.exceptionHistory.entries.map(entry => entry.stacktrace.includes('not welcome'))).toEqual(
    [true, true, true],
  )
  expect((await cluster.job(jobId))?.state).toBe('FAILED')
})
