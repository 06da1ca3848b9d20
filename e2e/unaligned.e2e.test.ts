import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { countRows, expectRows, outputFolder, visibleRowsIn } from './harness/output.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/counts.ts')
const RECORDS = 8000
const KEYS = 50

interface CheckpointDurations {
  readonly counts: Readonly<Record<'completed', number>>
  readonly latest: {
    readonly completed: {
      readonly id: number
      readonly end_to_end_duration: number
      readonly external_path: string
    } | null
  }
}

let cluster: TestCluster
beforeAll(async () => {
  cluster = await TestCluster.start({
    taskManagers: 2,
    slots: 2,
    retainedCheckpoints: true,
  })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
})

const submit = (output: string, parallelism: number, from: readonly string[], ...rest: readonly string[]) =>
  cluster.flink(
    ...['run', '-p', String(parallelism), ...from, JOB, '--output', output, '--records', String(RECORDS)],
    ...['--rate', '1000000', '--slow-ms', '1', ...rest],
  )

/** Durations of the checkpoints of a job, until `stop` says so. */
async function watch(
  jobId: string,
  stop: (durations: readonly number[]) => boolean,
): Promise<readonly number[]> {
  const durations = new Map<number, number>()
  await cluster.until('checkpoints', 60_000, async () => {
    const checkpoints = await cluster.rest<CheckpointDurations>(`/jobs/${jobId}/checkpoints`)
    const latest = checkpoints?.latest.completed
    if (latest) durations.set(latest.id, latest.end_to_end_duration)
    return stop([...durations.values()])
  })
  return [...durations.values()]
}

test('records pile up: aligned checkpoints wait for them, unaligned ones do not, and a kill loses nothing', async () => {
  const records = RECORDS / 2
  const slowStep = ['--slow-ms', '4', '--records']
  const aligned = submit(outputFolder(cluster, 'aligned'), 2, [], ...slowStep, String(4 * records))
  const alignedId = await cluster.submitted(aligned)
  // The first ones may have begun before the channels were full.
  const slow = Math.max(...(await watch(alignedId, durations => durations.length >= 8)))
  await cluster.flink('cancel', alignedId).finished
  await aligned.finished

  const output = outputFolder(cluster, 'unaligned')
  const running = submit(output, 2, [], '--unaligned', ...slowStep, String(records))
  const jobId = await cluster.submitted(running)
  const fast = await watch(jobId, durations => durations.length >= 5)
  const median = fast.toSorted((a, b) => a - b)[Math.floor(fast.length / 2)] as number
  expect(median).toBeLessThan(slow / 2)

  const [victim] = await cluster.busyTaskManagers()
  await cluster.killTaskManager(victim as number)
  cluster.startTaskManager()
  const { code, stdout, stderr } = await running.finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(visibleRowsIn(output), countRows(records, KEYS))
  console.log(`aligned checkpoint: ${slow} ms; unaligned: ${fast.join(', ')} ms`)
})

test('a cancelled job goes on from an unaligned checkpoint at other parallelisms, exactly once: 2, 3, 1', async () => {
  const output = outputFolder(cluster, 'rescaled')
  let from: string[] = []
  for (const parallelism of [2, 3]) {
    const running = submit(output, parallelism, from, '--unaligned')
    const jobId = await cluster.submitted(running)
    await watch(jobId, durations => durations.length >= 3)
    await cluster.flink('cancel', jobId).finished
    await running.finished
    const checkpoints = await cluster.rest<CheckpointDurations>(`/jobs/${jobId}/checkpoints`)
    from = ['-s', checkpoints?.latest.completed?.external_path ?? '']
  }
  expect(visibleRowsIn(output).length).toBeLessThan(RECORDS)
  const last = submit(output, 1, from, '--slow-ms', '0.1')
  const { code, stdout, stderr } = await last.finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))
})

test('a savepoint of a job with unaligned checkpoints is aligned: the job stops with it and goes on from it', async () => {
  const output = outputFolder(cluster, 'stopped')
  const running = submit(output, 2, [], '--unaligned')
  const jobId = await cluster.submitted(running)
  await watch(jobId, durations => durations.length >= 2)
  const savepoints = join(cluster.folder, 'savepoints')
  const stopped = await cluster.flink('stop', '--savepointPath', savepoints, jobId).finished
  expect(stopped.code, stopped.stderr).toBe(0)
  await running.finished
  const [name = ''] = readdirSync(savepoints)
  const metadata = readFileSync(join(savepoints, name, '_metadata'), 'utf8')
  expect(JSON.parse(metadata).version).toBe(1)
  const last = submit(output, 1, ['-s', join(savepoints, name)], '--slow-ms', '0.1')
  const { code, stdout, stderr } = await last.finished
  expect(code, `${stdout}\n${stderr}`).toBe(0)
  expectRows(visibleRowsIn(output), countRows(RECORDS, KEYS))
})
