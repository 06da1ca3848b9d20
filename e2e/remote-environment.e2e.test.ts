import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { freePort } from './harness/free-port.ts'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const JOB = join(REPOSITORY, 'e2e/jobs/remote.ts')
const nodeJob = (...args: string[]): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, [JOB, ...args])
const RESULT = {
  count: 100,
  highest: 2550,
  status: 'FINISHED',
  told: ['submitted', 'executed first', 'submitted', 'executed second'],
}

test('node job.ts runs its jobs on the cluster that the program names, and ends', async () => {
  const cluster = await TestCluster.start({ taskManagers: 1, slots: 2 })
  const { stdout } = await nodeJob('--port', String(cluster.rpcPort))
  expect(JSON.parse(stdout)).toEqual(RESULT)
  const { code, stderr } = await cluster.flink('run', JOB, '--port', String(cluster.rpcPort)).finished
  expect(code).not.toBe(0)
  expect(stderr).toContain('The program asks for a remote environment, but flink run says where it runs')
  expect(await cluster.stop()).toEqual([])
})

test('without a cluster it says so; a local environment needs none', async () => {
  const failure = await nodeJob('--port', String(await freePort())).catch(
    (error: { stderr: string }) => error,
  )
  expect(failure.stderr).toContain('client.no-jobmanager')
  const { stdout } = await nodeJob('--local')
  expect(JSON.parse(stdout)).toEqual(RESULT)
})
