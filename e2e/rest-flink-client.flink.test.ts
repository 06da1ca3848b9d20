import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { officialFlink, type Said, whyNoFlink } from './harness/flink-release.ts'
import { type Checkpoints, REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/observed.ts')
const reason = whyNoFlink()

describe.skipIf(reason !== undefined)(
  `the command line client of Apache Flink${reason === undefined ? '' : ` (${reason})`}`,
  () => {
    let cluster: TestCluster
    beforeAll(async () => {
      cluster = await TestCluster.start({ taskManagers: 1, slots: 4, retainedCheckpoints: true })
    })
    afterAll(async () => {
      expect(await cluster?.stop()).toEqual([])
    })
    const flink = (...args: readonly string[]): Promise<Said> =>
      officialFlink(join(cluster.folder, 'conf'), ...args)
    const submit = async (name: string): Promise<string> => {
      const jobId = await cluster.submitted(cluster.flink('run', '-d', '-p', '1', JOB, '--name', name))
      await cluster.firstCheckpoint(jobId)
      return jobId
    }
    const savepointIn = ({ code, output }: Said): string => {
      expect(code, output).toBe(0)
      return /(?:Path: |stored in )(file:\S+?)\.?$/m.exec(output)?.[1] ?? output
    }

    test('lists jobs, takes checkpoints and savepoints, removes them, stops and cancels', async () => {
      const [stopped, cancelled, drained] = await Promise.all(['one', 'two', 'three'].map(submit))
      if (stopped === undefined || cancelled === undefined || drained === undefined) throw new Error('no job')
      const listed = await flink('list')
      expect(listed.output).toMatch(
        new RegExp(`^\\d\\d\\.\\d\\d\\.\\d{4} [\\d:]{8} : ${stopped} : one \\(RUNNING\\)$`, 'm'),
      )
      expect(listed.code, listed.output).toBe(0)

      const savepoints = join(cluster.folder, 'savepoints')
      const savepoint = savepointIn(await flink('savepoint', stopped, savepoints))
      expect(existsSync(join(fileURLToPath(savepoint), '_metadata'))).toBe(true)
      const removed = await flink('savepoint', '-d', savepoint)
      expect(removed.code, removed.output).toBe(0)
      expect(existsSync(fileURLToPath(savepoint))).toBe(false)
      const again = await flink('savepoint', '-d', savepoint)
      expect(again.code).not.toBe(0)
      expect(again.output).toContain('There is no complete checkpoint at')

      const { counts } = (await cluster.rest<Checkpoints>(`/jobs/${stopped}/checkpoints`)) ?? {}
      const checkpoint = await flink('checkpoint', stopped)
      expect(checkpoint.output).toMatch(/Checkpoint \d+ for job/)
      expect(counts?.failed).toBe(0)

      expect(existsSync(fileURLToPath(savepointIn(await flink('stop', '-p', savepoints, stopped))))).toBe(
        true,
      )
      await cluster.untilJob(stopped, 'FINISHED')
      savepointIn(await flink('stop', '-d', '-p', savepoints, drained))
      await cluster.untilJob(drained, 'FINISHED')
      const cancel = await flink('cancel', cancelled)
      expect(cancel.code, cancel.output).toBe(0)
      await cluster.untilJob(cancelled, 'CANCELED')
      const all = await flink('list', '-a')
      expect(all.output).toMatch(new RegExp(`${cancelled} : two \\(CANCELED\\)`))
      expect(all.output).toMatch(new RegExp(`${stopped} : one \\(FINISHED\\)`))
    })

    test('says what this cluster says of an unknown job, and of a savepoint that cannot be written', async () => {
      const unknown = await flink('cancel', 'f'.repeat(32))
      expect(unknown.code).not.toBe(0)
      expect(unknown.output).toContain('f'.repeat(32))
      const jobId = await submit('four')
      const failed = await flink('savepoint', jobId, join(cluster.folder, 'conf/flink-conf.yaml'))
      expect(failed.code).not.toBe(0)
      expect(failed.output).toContain('savepoint')
      const ended = savepointIn(await flink('cancel', '-s', join(cluster.folder, 'savepoints'), jobId))
      expect(existsSync(fileURLToPath(ended))).toBe(true)
      await cluster.untilJob(jobId, 'CANCELED')
    })
  },
)
