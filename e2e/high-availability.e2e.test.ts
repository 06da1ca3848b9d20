import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { countRows, expectRows, outputFolder, rowsIn } from './harness/output.ts'
import { REPOSITORY, type Running, TestCluster } from './harness/test-cluster.ts'

const COUNTS = join(REPOSITORY, 'e2e/jobs/counts.ts')
const [RECORDS, KEYS] = [9000, 40]

/** Counts with an exactly-once file sink, for about three seconds. */
class Counts {
  readonly output: string
  readonly running: Running
  readonly #cluster: TestCluster

  constructor(cluster: TestCluster, name: string) {
    this.#cluster = cluster
    this.output = outputFolder(cluster, name)
    const options = ['--records', String(RECORDS), '--keys', String(KEYS), '--rate', '3000']
    this.running = cluster.flink('run', '-p', '2', COUNTS, '--output', this.output, ...options)
  }

  /** Waits until there is something to go on from. */
  async inTheMiddle(): Promise<string> {
    const jobId = await this.#cluster.submitted(this.running)
    await this.#cluster.firstCheckpoint(jobId)
    expect((await this.#cluster.job(jobId))?.state).toBe('RUNNING')
    return jobId
  }

  /** The client that has waited all the time gets the result, and each row is there once. */
  async expectResult(): Promise<void> {
    const { code, stderr } = await this.running.finished
    expect(code, `${stderr}\n${this.#cluster.logTails()}`).toBe(0)
    expectRows(rowsIn(this.output), countRows(RECORDS, KEYS))
  }
}

test('jobs outlive their JobManagers: killed and started again, taken over by a standby, frozen and thawed', async () => {
  const cluster = await TestCluster.start({
    taskManagers: 2,
    slots: 1,
    highAvailability: true,
    configuration: {
      'high-availability.filesystem.leader-election.lease-duration': '5 s',
      'high-availability.filesystem.leader-election.renew-deadline': '4 s',
      'heartbeat.timeout': '3 s',
    },
  })

  const restarted = new Counts(cluster, 'restarted')
  const first = await restarted.inTheMiddle()
  await cluster.endJobManager('SIGKILL')
  cluster.startJobManager()
  await restarted.expectResult()

  // A job that is over stays over, and is still known.
  await cluster.endJobManager('SIGKILL')
  cluster.startJobManager()
  await cluster.waitForSlots(2)
  await cluster.untilJob(first, 'FINISHED')
  expect(await cluster.freeSlots()).toBe(2)
  expectRows(rowsIn(restarted.output), countRows(RECORDS, KEYS))

  // The standby answers for the leader, then takes its place.
  const standby = await cluster.startStandby()
  const leaderPort = cluster.restPort
  cluster.restPort = standby.restPort
  await cluster.untilJob(first, 'FINISHED')
  const takenOver = new Counts(cluster, 'taken-over')
  await takenOver.inTheMiddle()
  await cluster.endJobManager('SIGKILL')
  await takenOver.expectResult()

  // Frozen until another one leads, then thawed in the middle of its work.
  cluster.startJobManager()
  const frozen = new Counts(cluster, 'frozen')
  const jobId = await frozen.inTheMiddle()
  standby.process.kill('SIGSTOP')
  cluster.restPort = leaderPort
  await cluster.untilJob(jobId, 'RUNNING', 30_000)
  standby.process.kill('SIGCONT')
  await cluster.until('the thawed one to notice', 20_000, async () =>
    cluster.log(`jobmanager-${standby.restPort}`).includes('Leadership lost'),
  )
  await frozen.expectResult()
  cluster.restPort = standby.restPort
  await cluster.untilJob(jobId, 'FINISHED')

  // Of jobs that are over only their records stay.
  for (const job of readdirSync(join(cluster.folder, 'ha/default/jobs'))) {
    const files = readdirSync(join(cluster.folder, 'ha/default/jobs', job))
    expect(files.filter(name => !name.startsWith('record-'))).toEqual([])
    expect(files.length).toBe(1)
  }
  expect(existsSync(join(cluster.folder, 'checkpoints', jobId))).toBe(false)
  expect(await cluster.stop()).toEqual([])
})
