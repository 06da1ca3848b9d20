import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

const WORDS = join(REPOSITORY, 'examples/word-count/src/job.ts')

let folder: string
let cluster: TestCluster
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flink-token-'))
  for (const name of ['token', 'other'])
    writeFileSync(join(folder, name), `${randomBytes(16).toString('hex')}\n`)
  cluster = await TestCluster.start({
    taskManagers: 1,
    slots: 2,
    configuration: { 'security.auth.token-file': join(folder, 'token') },
  })
})
afterAll(async () => {
  expect(await cluster.stop()).toEqual([])
  rmSync(folder, { recursive: true })
})

test('with the token of the configuration a job runs: bundle, sessions and slots', async () => {
  const { code, stderr } = await cluster.flink('run', WORDS).finished
  expect(code, stderr).toBe(0)
})

test('a program that names the cluster gets in with the token that it gives', async () => {
  const job = (token: string): Promise<{ stdout: string }> =>
    promisify(execFile)(process.execPath, [
      join(REPOSITORY, 'e2e/jobs/remote.ts'),
      ...['--port', String(cluster.rpcPort), '--token-file', join(folder, token)],
    ])
  expect(JSON.parse((await job('token')).stdout)).toMatchObject({ count: 100, status: 'FINISHED' })
  await expect(job('other')).rejects.toMatchObject({ stderr: expect.stringContaining('shows another one') })
})

test('without it, or with another one, neither a client nor a browser gets in', async () => {
  const without = await cluster.flink('list', '-Dsecurity.auth.token-file=').finished
  expect(without).toMatchObject({ code: 1, stderr: expect.stringContaining('the connecting one shows none') })
  const other = await cluster.flink('run', `-Dsecurity.auth.token-file=${join(folder, 'other')}`, WORDS)
    .finished
  expect(other).toMatchObject({ code: 1, stderr: expect.stringContaining('shows another one') })
  expect(other.stdout).not.toContain('submitted')
  const gone = await cluster.flink('list', `-Dsecurity.auth.token-file=${join(folder, 'gone')}`).finished
  expect(gone).toMatchObject({ code: 2, stderr: expect.stringContaining('ENOENT') })
  const response = await fetch(`http://127.0.0.1:${cluster.restPort}/jobs`)
  expect(response.status).toBe(401)
})

test('a TaskManager with another token does not get in', async () => {
  const stranger = cluster.startTaskManager([
    `-Dsecurity.auth.token-file=${join(folder, 'other')}`,
    '-Dtaskmanager.registration.timeout=2 s',
  ])
  const code = await new Promise(resolve => stranger.once('exit', resolve))
  expect(code).toBe(1)
  expect(await cluster.rest('/overview')).toMatchObject({ taskmanagers: 1 })
})
