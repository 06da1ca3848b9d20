import { existsSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countRows, expectRows, outputFolder, visibleRowsIn } from './harness/output.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/counts.ts')
const RECORDS = 12_000
const KEYS = 50

let cluster: TestCluster
let savepoints: string
beforeAll(async () => {
  cluster = await TestCluster.start({ taskManagers: 2, slots: 2, retainedCheckpoints: true })
  savepoints = join(cluster.folder, 'savepoints')
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

/** Starts the job and waits until it has written new rows. */
async function start(output: string, parallelism: number, from: readonly string[] = []): Promise<string> {
  const written = visibleRowsIn(output).length
  const job = [JOB, '--output', output, '--records', String(RECORDS), '--rate', '1500']
  const running = cluster.flink('run', '-d', '-p', String(parallelism), ...from, ...job)
  const jobId = await cluster.submitted(running)
  await cluster.until('new rows', 15_000, async () => visibleRowsIn(output).length > written + 1000)
  return jobId
}

/** Runs what is left of the job to its end. */
async function finish(output: string, parallelism: number, path: string): Promise<void> {
  const job = [JOB, '--output', output, '--records', String(RECORDS), '--rate', '20000']
  const { code, stdout, stderr } = await cluster.flink('run', '-p', String(parallelism), '-s', path, ...job)
    .finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
}

async function flink(
  ...args: string[]
): Promise<{ code: number | null; path: string; stdout: string; stderr: string }> {
  const { code, stdout, stderr } = await cluster.flink(...args).finished
  const uri = /Savepoint completed\. Path: (\S+)/.exec(stdout)?.[1]
  return { code, stdout, stderr, path: uri === undefined ? '' : fileURLToPath(uri) }
}

test('a job that is stopped with a savepoint goes on elsewhere at other parallelisms, exactly once', async () => {
  const output = outputFolder(cluster, 'stopped')
  const first = await start(output, 2)
  const stopped = await flink('stop', '-p', savepoints, first)
  expect(stopped.code, stopped.stderr).toBe(0)
  expect((await cluster.job(first))?.state).toBe('FINISHED')
  expect(stopped.path).toMatch(new RegExp(`^${savepoints}/savepoint-${first.slice(0, 6)}-[0-9a-f]{12}$`))
  // Everything up to the savepoint is committed, nothing is left half-written.
  const rows = visibleRowsIn(output).length
  expect(rows).toBeLessThan(RECORDS)
  expect(readdirSync(output).filter(name => name.startsWith('.'))).toEqual([])
  const moved = join(cluster.folder, 'moved to another place')
  renameSync(stopped.path, moved)

  const second = await start(output, 3, ['-s', moved])
  // A savepoint beside a running job changes nothing for it.
  const aside = await flink('savepoint', second, savepoints)
  expect(aside.code, aside.stderr).toBe(0)
  const again = await flink('stop', '-p', savepoints, second)
  expect(again.code, again.stderr).toBe(0)
  await finish(output, 1, again.path)
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))

  for (const path of [moved, aside.path, again.path]) {
    const disposed = await flink('savepoint', '-d', path)
    expect(disposed.code, disposed.stderr).toBe(0)
    expect(existsSync(path)).toBe(false)
  }
  const twice = await flink('savepoint', '-d', aside.path)
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('The folder does not exist')])
}, 120_000)

test('a drained job ends as if its input had ended; a cancelled one can go on from its savepoint', async () => {
  const output = outputFolder(cluster, 'drained')
  const drained = await flink('stop', '-d', '-p', savepoints, await start(output, 2))
  expect(drained.code, drained.stderr).toBe(0)
  const rows = visibleRowsIn(output).length
  expect(rows).toBeLessThan(RECORDS)
  await finish(output, 1, drained.path)
  // Its sources go on where they were told to end.
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))

  const cancelled = outputFolder(cluster, 'cancelled')
  const jobId = await start(cancelled, 2)
  const { code, path, stderr } = await flink('cancel', '-s', savepoints, jobId)
  expect(code, stderr).toBe(0)
  await cluster.untilJob(jobId, 'CANCELED')
  expect(existsSync(join(path, '_metadata'))).toBe(true)
}, 60_000)

test('the latest snapshot of a job is found by its name; a claimed one goes when it is outdated', async () => {
  const output = outputFolder(cluster, 'latest')
  const first = await start(output, 2)
  expect((await cluster.flink('cancel', first).finished).code).toBe(0)
  await cluster.untilJob(first, 'CANCELED')
  const second = await start(output, 1, ['--from', 'latest'])
  const stopped = await flink('stop', '-p', savepoints, second)
  expect(stopped.code, stopped.stderr).toBe(0)
  const third = await start(output, 3, ['-s', stopped.path, '--claimMode', 'claim'])
  await cluster.firstCheckpoint(third)
  await cluster.until('the claimed savepoint to be removed', 5000, async () => !existsSync(stopped.path))
  await cluster.until('the end', 20_000, async () => (await cluster.job(third))?.state === 'FINISHED')
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))
}, 60_000)

test('what cannot be is refused with what to do', async () => {
  const output = outputFolder(cluster, 'refused')
  const jobId = await start(output, 2)
  const without = await flink('savepoint', jobId)
  expect([without.code, without.stderr]).toEqual([
    1,
    expect.stringContaining('execution.checkpointing.savepoint-dir'),
  ])
  const file = await flink('stop', '-p', join(JOB, 'below a file'), jobId)
  expect([file.code, file.stderr]).toEqual([1, expect.stringContaining('below')])
  expect((await flink('savepoint')).code).toBe(2)
  expect((await flink('stop', 'nonsense')).code).toBe(2)
  expect((await cluster.job(jobId))?.state).toBe('RUNNING')
  expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
  await cluster.untilJob(jobId, 'CANCELED')
  const late = await flink('stop', '-p', savepoints, jobId)
  expect([late.code, late.stderr]).toEqual([1, expect.stringContaining('is over: CANCELED')])
}, 60_000)
