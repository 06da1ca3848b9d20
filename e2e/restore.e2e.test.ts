import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countRows, expectRows, outputFolder, visibleRowsIn } from './harness/output.ts'
import { type Checkpoints, REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/counts.ts')
const RECORDS = 12_000
const KEYS = 50

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({ taskManagers: 2, slots: 2, retainedCheckpoints: true })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

/** Runs the job until it has written some rows of its own, cancels it, and answers its last checkpoint. */
async function runAndCancel(output: string, parallelism: number, restoreFrom?: string): Promise<string> {
  const from = restoreFrom === undefined ? [] : ['-s', restoreFrom]
  const written = visibleRowsIn(output).length
  const running = cluster.flink(
    'run',
    '-p',
    String(parallelism),
    ...from,
    JOB,
    '--output',
    output,
    '--records',
    String(RECORDS),
    '--rate',
    '4000',
  )
  const jobId = await cluster.submitted(running)
  await cluster.until('new rows', 10_000, async () => visibleRowsIn(output).length > written + 1000)
  expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
  expect((await running.finished).code).toBe(1)
  await cluster.untilJob(jobId, 'CANCELED', 5000)
  const checkpoints = await cluster.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
  expect(checkpoints?.counts.restored).toBe(restoreFrom === undefined ? 0 : 1)
  const path = checkpoints?.latest.completed?.external_path ?? ''
  expect(existsSync(join(path.startsWith('file:') ? fileURLToPath(path) : path, '_metadata'))).toBe(true)
  return path
}

test('a cancelled job goes on from its checkpoint with another parallelism, exactly once: 2, 3, 1', async () => {
  const output = outputFolder(cluster, 'rescaled')
  const first = await runAndCancel(output, 2)
  const second = await runAndCancel(output, 3, first)
  expect(visibleRowsIn(output).length).toBeLessThan(RECORDS)
  const job = [JOB, '--output', output, '--records', String(RECORDS), '--rate', '20000']
  const { code, stdout, stderr } = await cluster.flink('run', '-p', '1', '-s', second, ...job).finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))
  // What a retained checkpoint covered was committed by the next job, the rest went with its own.
  expect(readdirSync(output).filter(name => name.startsWith('.'))).toEqual([])
})

test('a job that failed for good leaves no unfinished files in its output, and those of others alone', async () => {
  const output = outputFolder(cluster, 'failed')
  const foreign = '.part-0-0.inprogress.0123456789abcdef0123456789abcdef-0-0-0123456789abcdef'
  writeFileSync(join(output, foreign), '')
  const job = [JOB, '--output', output, '--records', String(RECORDS), '--rate', '4000']
  const running = cluster.flink('run', '-p', '2', ...job, '--fail-at', '6000', '--restarts', '2')
  const { code, stderr } = await running.finished
  expect(code).toBe(1)
  expect(stderr).toContain('this record is not welcome')
  expect(visibleRowsIn(output).length).toBeGreaterThan(0)
  expect(readdirSync(output).filter(name => name.startsWith('.'))).toEqual([foreign])
})

test('a path without a checkpoint is refused with its name', async () => {
  const output = outputFolder(cluster, 'nothing')
  const missing = join(cluster.folder, 'checkpoints', 'chk-404')
  const running = cluster.flink('run', '-s', missing, JOB, '--output', output)
  const { code, stderr } = await running.finished
  expect(code).toBe(1)
  expect(stderr.split('\n')[0]).toMatch(
    /The job cannot start from .*chk-404: .*Give the folder of a completed/,
  )
  expect((await cluster.job(await cluster.submitted(running)))?.state).toBe('FAILED')
  expect(readdirSync(output)).toEqual([])
})

test('state without an operator is refused by name, and dropped with -n', async () => {
  const output = outputFolder(cluster, 'operator')
  const checkpoint = await runAndCancel(output, 2)
  const job = [JOB, '--output', output, '--records', String(RECORDS), '--rate', '20000', '--without-counts']
  const refused = await cluster.flink('run', '-s', checkpoint, ...job).finished
  expect(refused.code).toBe(1)
  expect(refused.stderr.split('\n')[0]).toMatch(
    /has state that no operator of the job takes over: operator '[^']+' \(uid 'counts', id [0-9a-f]{32}\) with keyed state at parallelism 2\. .*uid/,
  )
  expect(refused.stderr).toContain('--allowNonRestoredState')
  const accepted = await cluster.flink('run', '-n', '-s', checkpoint, ...job).finished
  expect(accepted.code, accepted.stderr).toBe(0)
  // The first job has written counts from 1 on for each key; where it stopped the second one writes a 1 for each record.
  const ones = new Map<string, number>()
  const highest = new Map<string, number>()
  for (const row of visibleRowsIn(output)) {
    const [key = '', count] = row.split(' ')
    if (count === '1') ones.set(key, (ones.get(key) ?? 0) + 1)
    highest.set(key, Math.max(highest.get(key) ?? 0, Number(count)))
  }
  const rows = [...highest].flatMap(([key, count]) => [
    ...Array.from({ length: count - 1 }, (_, i) => `${key} ${i + 2}`),
    ...Array.from({ length: RECORDS / KEYS - count + 1 }, () => `${key} 1`),
  ])
  expect(highest.size).toBe(KEYS)
  expectRows(visibleRowsIn(output), rows.sort())
})
