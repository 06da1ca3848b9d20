import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { expectRows, outputFolder, rowsIn, visibleRowsIn } from './harness/output.ts'
import { type Checkpoints, REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/states.ts')
const RECORDS = 40_000
const KEYS = 2000

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 2,
    slots: 2,
    retainedCheckpoints: true,
    configuration: {
      'execution.checkpointing.incremental': 'true',
      'execution.checkpointing.snapshot-compression': 'true',
      'execution.checkpointing.data-inline-threshold': '0 b',
    },
  })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

/** What jobs/states.ts must write: for the n-th record of each key what the states hold then. */
function expectedRows(records: number, keys: number): readonly string[] {
  return Array.from({ length: records }, (_, i) => {
    const n = Math.floor(i / keys) + 1
    return `key-${i % keys} ${n} ${n % 100} ${n} ${(n * (n + 1)) / 2} ${(n + 1) / 2}`
  }).sort()
}

const args = (output: string, rate: number): string[] => [
  ...[JOB, '--output', output, '--records', String(RECORDS), '--keys', String(KEYS)],
  ...['--rate', String(rate)],
]

test('all kinds of state survive the loss of a TaskManager, with incremental checkpoints', async () => {
  const output = outputFolder(cluster, 'killed')
  const running = cluster.flink('run', '-p', '3', ...args(output, 12_000))
  await cluster.submitted(running)
  for (const part of [1 / 4, 1 / 2]) {
    await cluster.until('rows', 15_000, async () => visibleRowsIn(output).length > RECORDS * part)
    const [victim] = await cluster.busyTaskManagers()
    await cluster.killTaskManager(victim as number)
    cluster.startTaskManager()
  }
  const { code, stdout, stderr } = await running.finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(rowsIn(output), expectedRows(RECORDS, KEYS))
})

test('incremental checkpoints can be looked into, and restored with another parallelism', async () => {
  const output = outputFolder(cluster, 'rescaled')
  const running = cluster.flink('run', '-p', '2', ...args(output, 8000))
  const jobId = await cluster.submitted(running)
  await cluster.until('rows', 15_000, async () => visibleRowsIn(output).length > RECORDS / 2)
  expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
  await running.finished
  const checkpoints = await cluster.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
  const pointer = checkpoints?.latest.completed?.external_path ?? ''
  const folder = pointer.startsWith('file:') ? fileURLToPath(pointer) : pointer
  const metadata = readFileSync(join(folder, '_metadata'), 'utf8')
  // The checkpoint refers to files of earlier ones, which are still there.
  expect(metadata).toContain('"delta":"changes"')
  expect(metadata).toContain('"../chk-')
  expect(readdirSync(join(folder, '..')).filter(name => name.startsWith('chk-')).length).toBeGreaterThan(1)
  const listed = await cluster.flink('state', 'ls', pointer).finished
  expect(listed.stdout).toMatch(/all states +by rest +keyed map, ttl by processing-time +\{ count: number \}/)
  const gotten = await cluster.flink('state', 'get', pointer, 'all states', 'count', 'key-7').finished
  expect(JSON.parse(gotten.stdout)).toMatchObject({ n: expect.any(Number) })
  const collected = await cluster.flink(
    'checkpoint',
    'gc',
    join(folder, '..'),
    '--older-than',
    '0',
    '--dry-run',
  ).finished
  expect(collected.stdout).toContain('0 files with 0 bytes would be removed')

  const { code, stdout, stderr } = await cluster.flink(
    'run',
    '-p',
    '3',
    '-s',
    pointer,
    ...args(output, 20_000),
  ).finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(rowsIn(output), expectedRows(RECORDS, KEYS))
})
