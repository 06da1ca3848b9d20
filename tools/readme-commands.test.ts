import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'

const readme = readFileSync('README.md', 'utf8')
const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }

/** What the README's `sh` blocks have the reader type. */
const commands = [...readme.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block = '']) => block.split('\n'))
  .map(line => line.replace(/\s+#.*$/, '').trim())
  .filter(line => line !== '')

let state: string
let restPort: number
let environment: NodeJS.ProcessEnv

beforeEach(async () => {
  // Ports, pid files, logs and temporary files of its own: other clusters of this machine stay as they are.
  state = mkdtempSync(join(tmpdir(), 'flink-readme-'))
  const [rpc, rest] = await freePorts(2)
  restPort = rest as number
  cpSync('conf', join(state, 'conf'), { recursive: true })
  const file = join(state, 'conf/flink-conf.yaml')
  const configuration = readFileSync(file, 'utf8')
    .replace(/^(jobmanager\.rpc\.port:).*$/m, `$1 ${rpc}`)
    .replace(/^(rest\.port:).*$/m, `$1 ${rest}`)
  writeFileSync(file, `${configuration}\nio.tmp.dirs: ${join(state, 'tmp')}\n`)
  environment = {
    PATH: process.env['PATH'],
    HOME: process.env['HOME'],
    USER: 'readme',
    FLINK_NODE: process.execPath,
    FLINK_CONF_DIR: join(state, 'conf'),
    FLINK_LOG_DIR: join(state, 'log'),
    FLINK_PID_DIR: join(state, 'pid'),
  }
})

afterEach(async () => {
  await run('bin/stop-cluster.sh')
  rmSync(state, { recursive: true, force: true })
})

async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer())
  await Promise.all(servers.map(server => new Promise<void>(done => server.listen(0, '127.0.0.1', done))))
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(done => server.close(done))))
  return ports
}

/** Runs a command as a reader would, with this Node first on the path. */
async function run(
  command: string,
  cwd = '.',
): Promise<{ readonly code: number | null; readonly out: string }> {
  const path = `${resolve('node_modules/.bin')}:${environment['PATH']}`
  const child = spawn('bash', ['-c', command], {
    cwd,
    env: { ...environment, PATH: path },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', data => (out += data))
  child.stderr.setEncoding('utf8').on('data', data => (out += data))
  const code = await new Promise<number | null>(done => child.on('close', done))
  return { code, out }
}

const logs = (pattern: RegExp): string =>
  readdirSync(join(state, 'log'))
    .filter(name => pattern.test(name))
    .map(name => readFileSync(join(state, 'log', name), 'utf8'))
    .join('')

const counts = [
  "{ word: 'be', count: 2 }",
  "{ word: 'not', count: 1 }",
  "{ word: 'or', count: 1 }",
  "{ word: 'to', count: 2 }",
]

/** By command: what it must print. Each is run, in this order, which is the reader's. */
const walkthrough: Readonly<Record<string, readonly (string | RegExp)[]>> = {
  'node examples/word-count/src/job.ts': counts,
  'bin/start-cluster.sh': ['Starting standalonesession daemon', 'Starting taskexecutor daemon'],
  'bin/flink run -p 2 examples/word-count/src/job.ts': [/^Job [0-9a-f]{32} finished in /m],
  'bin/flink list --all': [/[0-9a-f]{32} : word count \(FINISHED\)/],
  'bin/stop-cluster.sh': ['Stopping taskexecutor daemon', 'Stopping standalonesession daemon'],
}

it('the README has no other commands than those that are run here and npm scripts', () => {
  const others = commands.filter(command => !command.startsWith('npm '))
  expect(others).toEqual(Object.keys(walkthrough))
  const npm = [...readme.matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g)].map(([, script = '']) => script)
  expect(npm.length).toBeGreaterThan(2)
  expect(npm.filter(script => scripts[script] === undefined)).toEqual([])
})

it("the README's program is the example", () => {
  const [, program] = /^```ts\n([\s\S]*?)^```$/m.exec(readme) as RegExpExecArray
  expect(readFileSync('examples/word-count/src/job.ts', 'utf8')).toContain(program)
})

it('the commands of the README do what it says', { timeout: 120_000 }, async () => {
  for (const [command, expected] of Object.entries(walkthrough)) {
    const { code, out } = await run(command)
    expect(code, `${command}\n${out}`).toBe(0)
    for (const text of expected) expect(out).toMatch(text)
  }
  for (const count of counts) expect(logs(/taskexecutor.*\.out$/)).toContain(count)
  expect(readdirSync(join(state, 'pid')).filter(name => name.endsWith('.pid'))).toEqual([])
  expect(readdirSync(join(state, 'tmp'))).toEqual([])
})

it('npm start runs the flight example and says how to go on', { timeout: 180_000 }, async () => {
  const { code, out } = await run(`node ${resolve('tools/start.mjs')}`, state)
  expect(code, out).toBe(0)
  expect(out).toMatch(/^ +STL +2001-06-04 +382 +102\.98/m)
  expect(out).toContain(`39,952 rows in ${join(state, 'output/flight-delays')}`)
  expect(out).toContain('stop the cluster:       npm stop')
  const address = /^ +REST API: +(\S+)$/m.exec(out)?.[1]
  expect(address).toBe(`http://localhost:${restPort}/jobs/overview`)
  const overview = (await (await fetch(address as string)).json()) as { jobs: readonly object[] }
  expect(overview.jobs).toMatchObject([{ name: 'flight delays', state: 'FINISHED' }])

  const stop = await run(scripts['stop'] as string)
  expect(stop.code, stop.out).toBe(0)
})
