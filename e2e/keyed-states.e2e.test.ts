import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countRows, expectRows, outputFolder, rowsIn, visibleRowsIn } from './harness/output.ts'
import { type Checkpoints, REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/states.ts')
const RECORDS = 40_000
const KEYS = 10_000
/** Keys that go on changing. */
const HOT = 100

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
function expectedRows(): readonly string[] {
  return Array.from({ length: RECORDS }, (_, i) => {
    const key = i < KEYS ? i : (i - KEYS) % HOT
    const n = i < KEYS ? 1 : Math.floor((i - KEYS) / HOT) + 2
    return `key-${key} ${n} ${n % 100} ${n} ${(n * (n + 1)) / 2} ${(n + 1) / 2}`
  }).sort()
}

const args = (output: string, rate: number): string[] => [
  ...[JOB, '--output', output, '--records', String(RECORDS), '--keys', String(KEYS)],
  ...['--hot', String(HOT), '--rate', String(rate)],
]

test('all kinds of state survive the loss of a TaskManager, with incremental checkpoints', async () => {
  const output = outputFolder(cluster, 'killed')
  const running = cluster.flink('run', '-p', '3', ...args(output, 4000))
  await cluster.submitted(running)
  for (const part of [1 / 4, 1 / 2]) {
    await cluster.until('rows', 60_000, async () => visibleRowsIn(output).length > RECORDS * part)
    const [victim] = await cluster.busyTaskManagers()
    await cluster.killTaskManager(victim as number)
    cluster.startTaskManager()
  }
  const { code, stdout, stderr } = await running.finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(rowsIn(output), expectedRows())
})

interface History {
  readonly history: readonly { readonly checkpointed_size: number; readonly state_size: number }[]
}

test('incremental checkpoints can be looked into, and restored with another parallelism', async () => {
  const output = outputFolder(cluster, 'rescaled')
  // It does not end before it is cancelled, however busy the machine is.
  const hold = join(cluster.folder, 'hold')
  writeFileSync(hold, '')
  const running = cluster.flink('run', '-p', '2', ...args(output, 4000), '--hold-while', hold)
  const jobId = await cluster.submitted(running)
  const isIncremental = async (): Promise<boolean> => {
    const { history } = (await cluster.rest<History>(`/jobs/${jobId}/checkpoints`)) ?? { history: [] }
    return history.some(({ checkpointed_size, state_size }) => checkpointed_size < state_size / 2)
  }
  await cluster.until('a checkpoint of changes', 60_000, isIncremental)
  expect((await cluster.flink('cancel', jobId).finished).code).toBe(0)
  expect((await running.finished).code).toBe(1)
  const checkpoints = await cluster.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
  const pointer = checkpoints?.latest.completed?.external_path ?? ''
  const folder = pointer.startsWith('file:') ? fileURLToPath(pointer) : pointer
  const metadata = readFileSync(join(folder, '_metadata'), 'utf8')
  // It refers to files of earlier ones, unless it is the one of so many that has everything.
  if (metadata.includes('"delta":"changes"')) expect(metadata).toContain('"../chk-')
  const listed = await cluster.flink('state', 'ls', pointer).finished
  expect(listed.stdout).toMatch(
    /all states \(uid states\) +by rest +keyed map, ttl by processing-time +\{ count: number \}/,
  )
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
  expect(collected.stdout).toContain('1 complete snapshots below')
  const garbage = garbageIn(collected.stdout)
  expect(garbage).toEqual(replacedFiles(join(folder, '..'), metadata))
  expect(collected.stdout).toContain(`${garbage.length} files with`)

  rmSync(hold)
  const { code, stdout, stderr } = await cluster.flink(
    'run',
    '-p',
    '3',
    '-s',
    pointer,
    ...args(output, 20_000),
  ).finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(rowsIn(output), expectedRows())
})

/** What `checkpoint gc` lists: paths, each with the reason. */
function garbageIn(stdout: string): readonly string[] {
  return stdout
    .split('\n')
    .flatMap(line => {
      const [, uri = '', reason] =
        /^(file:\S+) +[\d,.]+ bytes +\S+(?: \S+)*? +(its .*|no .*)$/.exec(line) ?? []
      return uri === '' || reason === undefined ? [] : [`${fileURLToPath(uri)}: ${reason}`]
    })
    .sort()
}

/**
 * What has to be listed: replaced checkpoints are kept for those of their files that the last one refers to, and what
 * they have beside these goes. Nothing else is left.
 */
function replacedFiles(jobFolder: string, metadata: string): readonly string[] {
  const all = readdirSync(jobFolder, { recursive: true, withFileTypes: true }).filter(entry => entry.isFile())
  const needed = all.filter(({ name }) => name === '_metadata' || metadata.includes(name))
  const folders = new Set(needed.map(({ parentPath }) => parentPath))
  const rest = all.filter(entry => !needed.includes(entry))
  expect(rest.filter(({ parentPath }) => !folders.has(parentPath))).toEqual([])
  return rest.map(({ parentPath, name }) => `${join(parentPath, name)}: its checkpoint was replaced`).sort()
}

/** Made by npm run build:rocksdb; in CI always. */
const hasRocksDb = existsSync(join(REPOSITORY, 'packages/rocksdb/build/rocksdb.node'))

test.skipIf(!hasRocksDb)(
  'state in RocksDB survives the loss of a TaskManager, goes to the heap by a savepoint, and leaves no files',
  async () => {
    const output = outputFolder(cluster, 'rocksdb')
    const onRocksDb = ['-D', 'state.backend.type=rocksdb']
    const running = cluster.flink('run', ...onRocksDb, '-p', '2', ...args(output, 4000))
    const jobId = await cluster.submitted(running)
    await cluster.until('rows', 60_000, async () => visibleRowsIn(output).length > RECORDS / 8)
    expect(storesIn(cluster.folder).length).toBeGreaterThanOrEqual(2)
    const [victim] = await cluster.busyTaskManagers()
    await cluster.killTaskManager(victim as number)
    cluster.startTaskManager()
    await cluster.until('rows', 60_000, async () => visibleRowsIn(output).length > RECORDS / 4)
    // What was pending becomes visible before the loss is noticed, and before all tasks run again.
    await cluster.until('the restart', 60_000, async () => {
      const checkpoints = await cluster.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
      return (checkpoints?.counts.restored ?? 0) > 0
    })
    await cluster.until('all tasks', 60_000, async () => {
      const vertices = (await cluster.job(jobId))?.vertices ?? []
      return vertices.every(({ parallelism, tasks }) => tasks.RUNNING === parallelism)
    })
    const stopped = await cluster.flink('stop', '-p', join(cluster.folder, 'savepoints'), jobId).finished
    expect(stopped.code, stopped.stderr).toBe(0)
    expect((await running.finished).code).toBe(0)
    expect(visibleRowsIn(output).length).toBeLessThan(RECORDS)
    await cluster.until('no stores', 30_000, async () => storesIn(cluster.folder).length === 0)
    const [savepoint = ''] = /\S*savepoint-[0-9a-f-]+/.exec(stopped.stdout) ?? []
    const { code, stdout, stderr } = await cluster.flink(
      ...['run', '-p', '3', '-s', savepoint],
      ...args(output, 20_000),
    ).finished
    expect(code, `${stdout}\n${stderr}`).toBe(0)
    expectRows(rowsIn(output), expectedRows())
  },
)

/** Folders of RocksDB stores of the cluster's TaskManagers. Again if one goes while they are looked for. */
function storesIn(folder: string): readonly string[] {
  for (;;) {
    try {
      return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(path =>
        /rocksdb-[0-9a-f]+$/.test(path),
      )
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

test('a job chooses its state backend; one that there is not fails it with a hint', async () => {
  const counts = join(REPOSITORY, 'e2e/jobs/counts.ts')
  const run = (output: string, backend: string) =>
    cluster.flink(
      ...['run', '-D', `state.backend.type=${backend}`, '-p', '2', counts],
      ...['--output', output, '--records', '4000', '--rate', '8000', '--restarts', '0'],
    ).finished
  const output = outputFolder(cluster, 'plain')
  const { code, stderr } = await run(output, 'plain')
  expect(code, stderr).toBe(0)
  expectRows(rowsIn(output), countRows(4000, 50))
  const refused = await run(outputFolder(cluster, 'refused'), 'no-such-backend')
  expect(refused.code).toBe(1)
  expect(refused.stderr).toContain("State backend 'no-such-backend' can't be used")
})
