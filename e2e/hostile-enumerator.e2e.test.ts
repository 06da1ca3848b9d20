import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

let cluster: TestCluster
let folder: string
let neighbour: string
const job = (name: string): string => join(REPOSITORY, `e2e/jobs/${name}.ts`)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'hostile-enumerator-'))
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'restart-strategy.type': 'none', 'jobmanager.job-host.heap-size': '64 mb' },
  })
  // Another job with an enumerator in the same job host.
  mkdirSync(join(folder, 'in'))
  const running = cluster.flink(
    ...['run', '-d', '-p', '1', job('watch')],
    ...['--input', join(folder, 'in'), '--output', join(folder, 'out')],
  )
  expect((await running.finished).code).toBe(0)
  neighbour = await cluster.submitted(running)
  await cluster.untilJob(neighbour, 'RUNNING')
})

afterAll(async () => {
  const exceptions = await cluster.rest<{ exceptionHistory: { entries: readonly unknown[] } }>(
    `/jobs/${neighbour}/exceptions`,
  )
  expect(exceptions?.exceptionHistory.entries).toEqual([])
  expect((await cluster.job(neighbour))?.state).toBe('RUNNING')
  expect((await cluster.flink('cancel', neighbour).finished).code).toBe(0)
  expect(await cluster.stop()).toEqual([])
  rmSync(folder, { recursive: true })
})

test.each([
  [
    'throw',
    "no splits today (thrown by handleEvent of the coordinator of operator 'hostile' in the job host)",
  ],
  ['exit', 'ended by itself with exit code 3'],
  ['reject', 'nobody looks after me'],
  ['memory', 'memory'],
])('an enumerator that does %s fails its own job only, and says why', async (mode, message) => {
  const [before] = cluster.jobHosts()
  const { code, stdout, stderr } = await cluster.flink(
    'run',
    '-p',
    '1',
    job('hostile-enumerator'),
    '--mode',
    mode,
  ).finished
  expect(code).toBe(1)
  expect(stdout + stderr).toContain(message)
  expect(cluster.jobHosts()).toEqual([before])
})

test('an enumerator that never returns can be cancelled', async () => {
  const marker = join(folder, 'marker')
  const running = cluster.flink(
    'run',
    '-p',
    '1',
    job('hostile-enumerator'),
    '--mode',
    'loop',
    '--marker',
    marker,
  )
  const jobId = await cluster.submitted(running)
  await cluster.untilJob(jobId, 'RUNNING')
  await cluster.until('the loop', 10_000, async () => existsSync(marker))
  expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
  await cluster.untilJob(jobId, 'CANCELED')
  await running.finished
  await cluster.until('the slot to be free', 10_000, async () => (await cluster.freeSlots()) === 1)
})
