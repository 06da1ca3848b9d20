import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { expectFlightDelays, MAIN_JOB } from './harness/flight-delays.ts'
import { seededChoices } from './harness/random-moments.ts'
import { REPOSITORY } from './harness/test-cluster.ts'

/** Runs a program as `node job.ts args`, with slot threads ended on the way, and waits for the end of the process. */
function nodeJob(
  job: string,
  args: readonly string[],
  options: { readonly tmp: string; readonly kills: string },
): Promise<{ code: number | null; output: string }> {
  const preload = join(REPOSITORY, 'e2e/harness/kill-slot-threads.ts')
  const child = spawn(process.execPath, ['--import', preload, job, ...args], {
    env: { ...process.env, TMPDIR: options.tmp, KILL_SLOT_THREADS: options.kills },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      output += chunk
    })
  }
  return new Promise(resolve => child.on('close', code => resolve({ code, output })))
}

test('node job.ts gives the same result when slot threads die, ends by itself and leaves nothing', async () => {
  const random = seededChoices('node job.ts')
  const folder = mkdtempSync(join(tmpdir(), 'local-run-'))
  const tmp = join(folder, 'tmp')
  mkdirSync(tmp)
  let ended = 0
  for (let run = 0; run < 10; run++) {
    const output = join(folder, `output-${run}`)
    const parallelism = 1 + (run % 4)
    const args = ['--parallelism', String(parallelism), '--checkpoint-interval', '200 ms', '--output', output]
    const seed = Math.floor(random.next() * 1_000_000)
    const result = await nodeJob(MAIN_JOB, args, { tmp, kills: `${seed},2,600` })
    expect(result.code, result.output).toBe(0)
    expectFlightDelays(output)
    ended += Number(/slot threads ended: (\d+)/.exec(result.output)?.[1])
    expect(readdirSync(tmp)).toEqual([])
  }
  console.log(`node job.ts: 10 runs, ${ended} slot threads ended`)
  expect(ended).toBeGreaterThanOrEqual(10)
  rmSync(folder, { recursive: true })
})

test('node job.ts without execute says that nothing ran, one with a secret reads it in its slots, one that changes a record is told', async () => {
  const tmp = mkdtempSync(join(tmpdir(), 'local-run-'))
  const job = (name: string): string => join(REPOSITORY, `e2e/jobs/${name}.ts`)
  const forgotten = await nodeJob(job('no-execute'), [], { tmp, kills: '1,0,0' })
  expect(forgotten.code).toBe(1)
  expect(forgotten.output).toContain('no-execute.ts made an execution environment, but ended without calling')
  process.env['E2E_TOKEN'] = 'of this host'
  const secret = await nodeJob(job('secret'), [], { tmp, kills: '1,0,0' })
  delete process.env['E2E_TOKEN']
  expect(secret).toMatchObject({ code: 0, output: expect.stringContaining('of this host: 12') })
  const changed = await nodeJob(job('changed-record'), [], { tmp, kills: '1,0,0' })
  expect(changed.code).toBe(1)
  expect(changed.output).toContain(
    "Operator 'add one' (subtask 0): the map function changes the field 'count'",
  )
  expect(changed.output).toMatch(/at .*changed-record\.ts:9:17/)
  rmSync(tmp, { recursive: true })
})

test('a local job with a web page is seen and cancelled there', async () => {
  execFileSync(process.execPath, [join(REPOSITORY, 'tools/build-web.mjs')])
  const tmp = mkdtempSync(join(tmpdir(), 'local-run-'))
  const child = spawn(process.execPath, [join(REPOSITORY, 'e2e/jobs/with-web-page.ts')], {
    env: { ...process.env, TMPDIR: tmp },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  const ended = new Promise<number | null>(resolve => child.on('close', resolve))
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', chunk => {
      output += chunk
      const found = /^Web page: (\S+)\n/m.exec(output)?.[1]
      if (found !== undefined) resolve(found)
    })
    void ended.then(() => reject(new Error(output)))
  })
  let jobs: readonly { readonly jid: string; readonly name: string; readonly state: string }[] = []
  while (jobs[0]?.state !== 'RUNNING')
    ({ jobs } = (await (await fetch(`${url}jobs/overview`)).json()) as { jobs: typeof jobs })
  expect(jobs).toMatchObject([{ name: 'seen at home' }])
  const page = await fetch(url)
  expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
  expect((await fetch(`${url}jobs/${jobs[0]?.jid}`, { method: 'PATCH' })).status).toBe(202)
  expect(await ended).toBe(1)
  expect(output).toContain('cancelled')
  expect(readdirSync(tmp)).toEqual([])
  rmSync(tmp, { recursive: true })
})
