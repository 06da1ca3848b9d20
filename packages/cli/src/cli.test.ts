import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { NoJobManager } from '@flink-ts/client'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type Commands, runCli } from './cli.ts'
import type { Terminal } from './terminal.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'cli-test-'))
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function recorded() {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    print: line => out.push(line),
    complain: line => err.push(line),
    showStatus: () => {},
    interactive: false,
  }
  return { terminal, out, err }
}

/** The command line with commands that only note how they were called. */
async function parse(...args: string[]) {
  const calls: unknown[][] = []
  const note =
    (name: string) =>
    async (...given: unknown[]): Promise<void> => {
      calls.push([name, ...given.slice(0, -1)])
    }
  const commands = {
    run: note('run'),
    list: note('list'),
    cancel: note('cancel'),
    bundle: note('bundle'),
  } as Commands
  const { terminal, out, err } = recorded()
  return { code: await runCli(args, terminal, commands), calls, out: out.join('\n'), err: err.join('\n') }
}

describe('the command line', () => {
  it('parts its own options from those of the program', async () => {
    const args = [
      'run',
      '-d',
      '-p',
      '4',
      '-Da=b',
      '-D',
      'c=d',
      '-s',
      '/sp',
      '-n',
      'job.ts',
      '-p',
      '7',
      '--output',
      'x',
      '-d',
      '--',
      'y',
    ]
    expect((await parse(...args)).calls).toEqual([
      [
        'run',
        'job.ts',
        ['-p', '7', '--output', 'x', '-d', '--', 'y'],
        {
          detached: true,
          parallelism: 4,
          property: ['a=b', 'c=d'],
          fromSavepoint: '/sp',
          allowNonRestoredState: true,
        },
      ],
    ])
  })

  it('knows the other commands', async () => {
    expect((await parse('list')).calls).toEqual([['list', { property: [] }]])
    expect((await parse('list', '-a', '--json', '-m', 'host:1')).calls).toEqual([
      ['list', { all: true, json: true, jobmanager: 'host:1', property: [] }],
    ])
    expect((await parse('cancel', 'abc', '-D', 'x=1')).calls).toEqual([
      ['cancel', 'abc', { property: ['x=1'] }],
    ])
    expect((await parse('bundle', 'job.ts', '-o', 'a.tgz')).calls).toEqual([
      ['bundle', 'job.ts', { output: 'a.tgz' }],
    ])
  })

  it('prints version and help, with the exit codes', async () => {
    expect(await parse('--version')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^flink-ts \d+\.\d+\.\d+$/),
    })
    for (const args of [['--help'], ['run', '--help']]) {
      const { code, out } = await parse(...args)
      expect(code).toBe(0)
      expect(out).toMatch(/Exit codes:\n\s+0 .*\n\s+1 .*\n\s+2 .*\n\s+3 .*\n\s+130 /)
    }
  })

  it.each([
    [[]],
    [['fly']],
    [['run']],
    [['run', '-p', '0', 'job.ts']],
    [['run', '-p', 'many', 'job.ts']],
    [['run', '--unknown', 'job.ts']],
    [['cancel']],
    [['cancel', 'a', 'b']],
    [['bundle', 'job.ts']],
    [['list', 'surplus']],
  ])('exits with 2 on %j and says why', async args => {
    const { code, calls, err } = await parse(...args)
    expect(code).toBe(2)
    expect(calls).toEqual([])
    expect(err).not.toBe('')
  })

  it('turns errors into exit codes', async () => {
    const failing = async (error: unknown) => {
      const { terminal, err } = recorded()
      const fail = () => Promise.reject(error)
      const code = await runCli(['list'], terminal, { run: fail, list: fail, cancel: fail, bundle: fail })
      return { code, err: err.join('\n') }
    }
    const user = new RangeError('bad record')
    user.stack = 'RangeError: bad record\n    at parse (/home/me/job.ts:7:3)'
    expect(await failing(user)).toEqual({ code: 1, err: user.stack })
    const noCluster = await failing(NoJobManager({ address: 'x:1', waitedMs: 5, reason: 'refused' }))
    expect(noCluster.code).toBe(3)
    expect(noCluster.err).toMatch(/^No JobManager answers at x:1 .*\[client\.no-jobmanager\]$/)
    const wrapped = await failing(new Error('outer', { cause: user }))
    expect(wrapped.err).toMatch(/Error: outer[\s\S]*\nCaused by: RangeError: bad record/)
    expect(await failing('text')).toEqual({ code: 1, err: 'text' })
  })
})

// The real thing, as a process of its own.
const MAIN = fileURLToPath(new URL('./cli-main.ts', import.meta.url))

async function flink(args: string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--conditions=@flink-ts/source', MAIN, ...args], {
    env: { ...process.env, TMPDIR: join(dir, 'tmp'), FLINK_CONF_DIR: '', ...env },
    cwd: dir,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', chunk => {
    stdout += chunk
  })
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  const code = await new Promise(resolve => child.once('close', resolve))
  return { code, stdout, stderr }
}

async function closedPort(): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return port
}

describe('the process', { timeout: 30_000 }, () => {
  beforeEach(() => mkdirSync(join(dir, 'tmp')))

  it('exits with 3 without a cluster, before anything of the program runs', async () => {
    const marker = join(dir, 'ran')
    const job = join(dir, 'job.mjs')
    writeFileSync(
      job,
      `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(marker)}, '')\n`,
    )
    const { code, stderr } = await flink(['run', '-m', `127.0.0.1:${await closedPort()}`, job])
    expect(stderr).toContain('No JobManager answers at 127.0.0.1:')
    expect(stderr).toContain('bin/start-cluster.sh')
    expect(code).toBe(3)
    expect(existsSync(marker)).toBe(false)
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  })

  it('exits with 2 on a broken configuration and names its line', async () => {
    writeFileSync(join(dir, 'flink-conf.yaml'), 'a: 1\na: 2\n')
    const { code, stderr } = await flink(['list'], { FLINK_CONF_DIR: dir })
    expect(stderr).toContain(`${join(dir, 'flink-conf.yaml')}:2:`)
    expect(code).toBe(2)
    const missing = await flink(['list'], { FLINK_CONF_DIR: join(dir, 'gone') })
    expect(missing).toMatchObject({ code: 2, stderr: expect.stringContaining('FLINK_CONF_DIR') })
    const badOption = await flink(['list', '-Djobmanager.rpc.port=high'])
    expect(badOption).toMatchObject({ code: 2, stderr: expect.stringContaining('jobmanager.rpc.port') })
  })

  it('exits with 2 on what is no job id', async () => {
    expect(await flink(['cancel', 'mine'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("'mine'"),
    })
  })

  it('makes bundles, and names file and line of what is wrong in a program', async () => {
    const job = join(dir, 'job.ts')
    writeFileSync(job, 'export const x: number = 1\n')
    const output = join(dir, 'out/job.tgz')
    const made = await flink(['bundle', job, '-o', output])
    expect(made).toMatchObject({ code: 0, stderr: '', stdout: expect.stringMatching(/SHA-256 [0-9a-f]{64}/) })
    expect(existsSync(output)).toBe(true)
    writeFileSync(job, 'const x = = 1\n')
    const broken = await flink(['bundle', job, '-o', output])
    expect(broken).toMatchObject({ code: 1, stderr: expect.stringContaining(`${job}:1:11:`) })
    const gone = await flink(['bundle', join(dir, 'gone.ts'), '-o', output])
    expect(gone).toMatchObject({ code: 2, stderr: expect.stringContaining('there is no such file') })
    expect(readdirSync(join(dir, 'tmp'))).toEqual([])
  })
})
