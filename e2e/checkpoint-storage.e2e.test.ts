import { globSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countRows, expectRows, outputFolder, visibleRowsIn } from './harness/output.ts'
import { type Checkpoints, REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/counts.ts')
const RECORDS = 20_000
const KEYS = 50

let cluster: TestCluster
let folder: string
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: {
      // State goes to files, so that a restart needs them.
      'state.storage.fs.memory-threshold': '0 b',
      'execution.checkpointing.tolerable-failed-checkpoints': '2',
    },
  })
  folder = join(cluster.folder, 'checkpoints')
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

test('a checkpoint folder that breaks in the middle fails checkpoints and attempts, not the job: exactly once', async () => {
  const output = outputFolder(cluster, 'broken')
  const job = [JOB, '--output', output, '--records', String(RECORDS), '--rate', '3000']
  const running = cluster.flink('run', '-p', '2', ...job)
  const jobId = await cluster.submitted(running)
  const checkpoints = (): Promise<Checkpoints | undefined> => cluster.rest(`/jobs/${jobId}/checkpoints`)
  await cluster.until('a checkpoint', 20_000, async () => ((await checkpoints())?.counts.completed ?? 0) > 0)

  renameSync(folder, `${folder}-aside`)
  writeFileSync(folder, 'no folder any more')
  const failedBefore = (await checkpoints())?.counts.failed ?? 0
  await cluster.until('restarts that cannot read the state', 20_000, async () => {
    const exceptions = await cluster.rest<{ readonly exceptionHistory: object }>(`/jobs/${jobId}/exceptions`)
    const history = JSON.stringify(exceptions?.exceptionHistory)
    return (
      history.includes('checkpoints failed in a row, 2 are tolerated') &&
      history.includes('it is not a folder')
    )
  })
  expect((await checkpoints())?.counts.failed).toBeGreaterThanOrEqual(failedBefore + 3)

  rmSync(folder)
  renameSync(`${folder}-aside`, folder)
  const { code, stdout, stderr } = await running.finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))
})

test('with local recovery a restart on the same TaskManager needs no storage; the copies go with the job', async () => {
  const output = outputFolder(cluster, 'local')
  const job = [JOB, '--output', output, '--records', String(RECORDS), '--rate', '4000']
  const running = cluster.flink('run', '-Dexecution.state-recovery.from-local=true', '-p', '2', ...job)
  const jobId = await cluster.submitted(running)
  await cluster.firstCheckpoint(jobId)
  const copies = (): readonly string[] =>
    globSync(join(cluster.folder, `**/local-state/${jobId}/chk-*/*`)).map(file => basename(dirname(file)))
  expect(copies().length).toBeGreaterThan(0)

  renameSync(folder, `${folder}-aside`)
  writeFileSync(folder, 'no folder any more')
  const restores = (): number =>
    cluster.log('taskmanager-0').split('State is read from its local copy').length - 1
  await cluster.until('a restart from copies', 20_000, async () => restores() >= 2)
  await cluster.untilJob(jobId, 'RUNNING')
  rmSync(folder)
  renameSync(`${folder}-aside`, folder)
  const { code, stdout, stderr } = await running.finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))
  await cluster.until('the copies to go', 10_000, async () => copies().length === 0)
})

test('a job whose checkpoint folder is a file is refused before it starts', async () => {
  renameSync(folder, `${folder}-aside`)
  writeFileSync(folder, 'no folder')
  const running = cluster.flink('run', JOB, '--output', outputFolder(cluster, 'refused'))
  const { code, stderr } = await running.finished
  expect(code).toBe(1)
  expect(stderr.split('\n')[0]).toMatch(
    /No checkpoints can be written to file:.*checkpoints\. Could not write .*it is not a folder\. .*set another one by execution\.checkpointing\.dir/,
  )
  rmSync(folder)
  renameSync(`${folder}-aside`, folder)
})
