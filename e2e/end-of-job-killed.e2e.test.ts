import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { KillReport } from './harness/kill-report.ts'
import { countRows, expectRows, outputFolder, rowsIn } from './harness/output.ts'
import { randomPause, seededChoices } from './harness/random-moments.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/counts.ts')

// While the job takes its last checkpoint, commits its files and finishes task by task.
test('kill -9 of a TaskManager at the very end of a job changes nothing in the result', async () => {
  const name = 'killed at the end'
  const random = seededChoices(name)
  const cluster = await TestCluster.start({ taskManagers: 2, slots: 2 })
  const report = new KillReport(cluster, name)
  for (let moment = 0; moment < 6; moment++) {
    const output = outputFolder(cluster, String(moment))
    const marker = join(cluster.folder, `marker-${moment}`)
    const job = ['--output', output, '--marker', marker, '--records', '8000', '--rate', '20000']
    const running = cluster.flink('run', '-p', '4', JOB, ...job)
    const jobId = await cluster.submitted(running)
    await cluster.until('the last record', 10_000, async () => existsSync(marker))
    if (moment < 4) await randomPause(random, 0, 150)
    else {
      await cluster.until('the first task to finish', 10_000, async () => {
        const state = await cluster.job(jobId)
        const finished = state?.vertices.reduce((sum, v) => sum + (v.tasks['FINISHED'] ?? 0), 0) ?? 0
        return finished > 0 || state?.state === 'FINISHED'
      })
    }
    await cluster.killTaskManager(Math.floor(random.next() * 2))
    cluster.startTaskManager()
    const { code, stdout, stderr } = await running.finished
    expect(code, `${stdout}\n${stderr}`).toBe(0)
    expectRows(rowsIn(output), countRows(8000, 50))
    await report.add(jobId)
    await cluster.waitForSlots(4)
  }
  report.print()
  expect(report.restarted).toBeGreaterThanOrEqual(2)
  expect(await cluster.stop()).toEqual([])
})
