import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { MainJobRun } from './harness/flight-delays.ts'
import { KillReport } from './harness/kill-report.ts'
import { randomPause, seededChoices } from './harness/random-moments.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

test('kill -9 of the job host at random moments changes nothing in the result', async () => {
  const name = 'job host killed'
  const random = seededChoices(name)
  const cluster = await TestCluster.start({ taskManagers: 2, slots: 2 })
  const report = new KillReport(cluster, name)
  let killed = 0
  for (let moment = 0; moment < 6; moment++) {
    const run = new MainJobRun(cluster, { parallelism: 1 + (moment % 4), checkpointIntervalMs: 100 })
    const jobId = await cluster.submitted(run.running)
    if (moment % 2 === 1) await cluster.firstCheckpoint(jobId)
    await randomPause(random, 0, moment % 2 === 1 ? 500 : 1000)
    for (const pid of cluster.jobHosts()) {
      process.kill(pid, 'SIGKILL')
      killed++
    }
    await run.expectResult()
    await report.add(jobId)
  }
  report.print()
  expect(killed).toBe(6)
  expect(report.restarted).toBeGreaterThanOrEqual(3)
  expect(report.restored).toBeGreaterThanOrEqual(2)
  expect(await cluster.stop()).toEqual([])
})

test('a TaskManager and the job host killed together change nothing in the result', async () => {
  const cluster = await TestCluster.start({ taskManagers: 3, slots: 1 })
  for (let moment = 0; moment < 3; moment++) {
    const run = new MainJobRun(cluster, { parallelism: 2, checkpointIntervalMs: 100 })
    await cluster.firstCheckpoint(await cluster.submitted(run.running))
    const [busy = 0] = await cluster.busyTaskManagers()
    for (const pid of cluster.jobHosts()) process.kill(pid, 'SIGKILL')
    await cluster.killTaskManager(busy)
    cluster.startTaskManager()
    await run.expectResult()
    await cluster.waitForSlots(3)
  }
  expect(await cluster.stop()).toEqual([])
})

test('a job host that is frozen is given up and ended, and changes nothing in the result', async () => {
  const cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'heartbeat.timeout': '2 s' },
  })
  const run = new MainJobRun(cluster, { parallelism: 2, checkpointIntervalMs: 100 })
  const jobId = await cluster.submitted(run.running)
  await cluster.until('the job host', 10_000, async () => cluster.jobHosts().length > 0)
  const [frozen] = cluster.jobHosts()
  process.kill(frozen as number, 'SIGSTOP')
  await run.expectResult()
  const exceptions = await cluster.rest<{ exceptionHistory: { entries: readonly unknown[] } }>(
    `/jobs/${jobId}/exceptions`,
  )
  expect(exceptions?.exceptionHistory.entries.length).toBeGreaterThanOrEqual(1)
  await cluster.until('the frozen process to be gone', 10_000, async () => !isAlive(frozen as number))
  expect(await cluster.stop()).toEqual([])
})

test('a job host is there only for jobs that need one, ends when it is idle, and never outlives its JobManager', async () => {
  const output = mkdtempSync(join(tmpdir(), 'job-host-'))
  const cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 1,
    configuration: { 'jobmanager.job-host.idle-timeout': '300 ms' },
    retainedCheckpoints: true,
  })
  const counts = cluster.flink(
    ...['run', join(REPOSITORY, 'e2e/jobs/counts.ts'), '--output', output, '--records', '1000'],
  )
  expect((await counts.finished).code).toBe(0)
  expect(cluster.logTails(1000)).not.toContain('Job host is being started')
  const first = new MainJobRun(cluster, { parallelism: 1, checkpointIntervalMs: 200 })
  await cluster.submitted(first.running)
  expect(cluster.jobHosts()).toHaveLength(1)
  await first.expectResult()
  await cluster.until('the idle job host to end', 5000, async () => cluster.jobHosts().length === 0)
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const run = new MainJobRun(cluster, { parallelism: 1, checkpointIntervalMs: 200 })
    await cluster.firstCheckpoint(await cluster.submitted(run.running))
    const [pid] = cluster.jobHosts()
    expect(pid).toBeDefined()
    await cluster.endJobManager(signal)
    await cluster.until(`the job host to end after ${signal}`, 5000, async () => !isAlive(pid as number))
    run.running.process.kill('SIGTERM')
    await run.running.finished
    rmSync(run.output, { recursive: true, force: true })
    cluster.startJobManager()
    await cluster.waitForSlots(1)
  }
  rmSync(output, { recursive: true })
  expect(await cluster.stop()).toEqual([])
})
