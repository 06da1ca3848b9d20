// What is shipped, used where nothing of this repository is: an archive for hosts that have only Node.js, and the npm
// package for those who write jobs.
import { execFile, spawn } from 'node:child_process'
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { freePort } from './harness/free-port.ts'

const ROOT = resolve(import.meta.dirname, '..')
const JOB = `import { StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromElements('to be', 'or not', 'to be')
  .flatMap((line: string) => line.split(' '))
  .map(word => ({ word, count: 1 }))
  .keyBy(entry => entry.word)
  .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
  .print()
await env.execute('word count')
`

let folder: string
let home: string
let project: string
let npmPackage: string
let rpcPort: number

interface Result {
  readonly code: number | null
  readonly out: string
}

/** Runs a program where only this Node.js and the system's programs are to be found. */
async function run(command: string, args: readonly string[], cwd: string, path = dirname(process.execPath)) {
  const env = {
    PATH: `${path}:/usr/bin:/bin`,
    HOME: process.env['HOME'],
    USER: 'me',
    FLINK_PID_DIR: join(folder, 'pids'),
  }
  return new Promise<Result>((done, failed) => {
    const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    child.stdout.setEncoding('utf8').on('data', data => (out += data))
    child.stderr.setEncoding('utf8').on('data', data => (out += data))
    child.on('error', failed)
    child.on('close', code => done({ code, out }))
  })
}

const install = (cwd: string, ...what: string[]) =>
  run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', ...what], cwd)

const printed = (): string =>
  readdirSync(join(home, 'log'))
    .filter(name => name.endsWith('.out'))
    .map(name => readFileSync(join(home, 'log', name), 'utf8'))
    .join('')

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flink-packages-'))
  await promisify(execFile)(process.execPath, [join(ROOT, 'tools/dist.mjs'), join(folder, 'dist')])
  const [archive] = readdirSync(join(folder, 'dist')).filter(name => name.endsWith('.tgz'))
  npmPackage = join(folder, 'dist/npm', archive as string)
  await promisify(execFile)('tar', ['-xzf', join(folder, 'dist', archive as string), '-C', folder])
  home = join(folder, (archive as string).replace('.tgz', ''))
  rpcPort = await freePort()
  const file = join(home, 'conf/flink-conf.yaml')
  const defaults = readFileSync(file, 'utf8').replace(/^(jobmanager\.rpc|rest)\.port:.*$/gm, '')
  writeFileSync(file, `${defaults}\njobmanager.rpc.port: ${rpcPort}\nrest.port: 0\n`)
  appendFileSync(file, `io.tmp.dirs: ${folder}\n`)
  project = join(folder, 'elsewhere')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "name": "elsewhere", "private": true, "type": "module" }')
  writeFileSync(join(project, 'job.ts'), JOB)
  const installed = await install(project, npmPackage)
  expect(installed.code, installed.out).toBe(0)
  const started = await run(join(home, 'bin/start-cluster.sh'), [], folder)
  expect(started.code, started.out).toBe(0)
})

afterAll(async () => {
  await run(join(home, 'bin/stop-cluster.sh'), [], folder)
  rmSync(folder, { recursive: true, force: true })
})

it('the archive has all that a host needs to run a cluster and to submit to it', async () => {
  expect(readdirSync(home)).toEqual(expect.arrayContaining(['bin', 'conf', 'examples', 'lib']))
  const job = join(home, 'examples/word-count/src/job.ts')
  const { code, out } = await run(join(home, 'bin/flink'), ['run', job], folder)
  expect(code, out).toBe(0)
  await vi.waitFor(() => expect(printed()).toContain("{ word: 'be', count: 2 }"), { timeout: 30_000 })
  const explained = await run(join(home, 'bin/flink'), ['config', 'explain', 'rest.port'], folder)
  expect(explained.out).toContain('Default: 8081')
})

it('a job runs by node job.ts where only the npm package is installed', async () => {
  const { code, out } = await run('node', ['job.ts'], project)
  expect(code, out).toBe(0)
  expect(out).toContain("{ word: 'be', count: 2 }")
})

it('a job runs on the cluster by npx flink run', async () => {
  const before = printed().length
  const { code, out } = await run('npx', ['flink', 'run', '-m', `localhost:${rpcPort}`, 'job.ts'], project)
  expect(code, out).toBe(0)
  const now = (): string => printed().slice(before)
  await vi.waitFor(() => expect(now()).toContain("{ word: 'be', count: 2 }"), { timeout: 30_000 })
})

it('npx under an old Node.js says which one is needed, and takes one that it is pointed at', async () => {
  const old = join(folder, 'old')
  mkdirSync(old)
  const preload = `Object.defineProperty(process, 'version', { value: 'v20.20.2' })`
  writeFileSync(join(old, 'old.cjs'), preload)
  const node = `#!/bin/sh\nexec "${process.execPath}" --require "${join(old, 'old.cjs')}" "$@"\n`
  writeFileSync(join(old, 'node'), node, { mode: 0o755 })
  const { code, out } = await run(join(project, 'node_modules/.bin/flink'), ['--version'], project, old)
  expect(code).toBe(1)
  expect(out).toContain('flink-ts needs Node.js 24.8 or newer, but this is v20.20.2')

  const pinned = join(project, `node_modules/node-${process.platform}-${process.arch}/bin`)
  mkdirSync(pinned, { recursive: true })
  writeFileSync(join(pinned, 'node'), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 })
  const again = await run(join(project, 'node_modules/.bin/flink'), ['--version'], project, old)
  expect(again.out).toMatch(/^flink-ts \d/)
})

it('flink-ts init makes a project whose tests pass and whose job runs', async () => {
  const made = await run('npx', ['flink-ts', 'init', 'my-jobs'], project)
  expect(made.code, made.out).toBe(0)
  const jobs = join(project, 'my-jobs')
  // The pinned Node.js is what runs here anyway, and large.
  const installed = await install(jobs, '--omit=optional')
  expect(installed.code, installed.out).toBe(0)
  const tested = await run('npm', ['test'], jobs)
  expect(tested.code, tested.out).toBe(0)
  expect(tested.out).toMatch(/pass 2\n/)
  const ran = await run('npm', ['start'], jobs)
  expect(ran.out).toContain("{ word: 'be', count: 2 }")

  appendFileSync(join(jobs, 'src/count-words.ts'), '\nexport enum Size {\n  Small,\n}\n')
  const refused = await run('npm', ['test'], jobs)
  expect(refused.code).not.toBe(0)
  expect(refused.out).toMatch(/count-words\.ts\(\d+,13\): error TS1294: Node\.js only removes types/)
})
