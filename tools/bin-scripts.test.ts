import { spawn } from 'node:child_process'
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { execute, install, type Result } from './fake-installation.ts'

let home: string
let pidDir: string

beforeEach(() => {
  home = install()
  pidDir = join(home, 'pids')
})

afterEach(async () => {
  await run('stop-cluster.sh')
  rmSync(home, { recursive: true, force: true })
})

const run = (script: string, args: string[] = [], env: NodeJS.ProcessEnv = {}, at = home): Promise<Result> =>
  execute(join(at, 'bin', script), args, { FLINK_PID_DIR: pidDir, ...env })

const pids = (service: string): number[] => {
  const file = join(pidDir, `flink-me-${service}.pid`)
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').map(Number) : []
}

const isAlive = (pid: number | undefined): boolean => existsSync(`/proc/${pid}/exe`)
const log = (service: string, id: number, kind: string) =>
  join(home, 'log', `flink-me-${service}-${id}-${hostname()}.${kind}`)

/** What the program wrote at its start. */
const note = (path: string) =>
  vi.waitFor(() => JSON.parse(readFileSync(path, 'utf8')), { timeout: 10_000, interval: 10 })

it('starts a cluster and ends it', async () => {
  const started = await run('start-cluster.sh')
  expect(started).toEqual({
    code: 0,
    out: `Starting cluster.
Starting standalonesession daemon on host ${hostname()}.
Starting taskexecutor daemon on host ${hostname()}.
`,
  })
  const all = [...pids('standalonesession'), ...pids('taskexecutor')]
  expect(all).toHaveLength(2)
  expect(all.every(isAlive)).toBe(true)
  expect(await note(log('standalonesession', 0, 'out'))).toEqual({
    args: ['--configDir', join(home, 'conf')],
    execArgv: ['--max-semi-space-size=2'],
    FLINK_CONF_DIR: join(home, 'conf'),
  })

  expect((await run('stop-cluster.sh')).code).toBe(0)
  expect(all.some(isAlive)).toBe(false)
  expect(readdirSync(pidDir).filter(name => name.endsWith('.pid'))).toEqual([])
})

it('starts a TaskManager for each line of conf/workers and names the remote hosts', async () => {
  writeFileSync(join(home, 'conf/workers'), '# hosts\nlocalhost\n\nnode7 # far away\n127.0.0.1\n')
  const { code, out } = await run('start-cluster.sh')
  expect(code).toBe(0)
  expect(out).toContain('node7: remote hosts are not supported by this version')
  expect(pids('taskexecutor')).toHaveLength(2)
})

it('keeps several instances apart; stop ends the last one, stop-all the rest', async () => {
  for (let i = 0; i < 3; i++) await run('taskmanager.sh', ['start'])
  const [first, second, third] = pids('taskexecutor')
  for (const id of [0, 1, 2]) await note(log('taskexecutor', id, 'out'))
  expect((await run('taskmanager.sh', ['stop'])).out).toContain(`(pid: ${third})`)
  expect([first, second, third].map(isAlive)).toEqual([true, true, false])
  const again = await run('taskmanager.sh', ['start'])
  expect(again.out).toContain('2 instance(s) of taskexecutor run already')
  await run('taskmanager.sh', ['stop-all'])
  expect([first, second].some(isAlive)).toBe(false)
  expect((await run('taskmanager.sh', ['stop-all'])).out).toContain('No taskexecutor daemon to stop')
})

it('gives instances that start at the same moment names of their own', async () => {
  await Promise.all(Array.from({ length: 5 }, () => run('taskmanager.sh', ['start'])))
  expect(new Set(pids('taskexecutor')).size).toBe(5)
  for (let id = 0; id < 5; id++) await note(log('taskexecutor', id, 'out'))
})

it('passes dynamic properties on and reads host and port as Flink does', async () => {
  await run('jobmanager.sh', ['start', 'example.org', '8082', '-Dparallelism.default=3', '-D', 'a=b c'])
  const { args } = await note(log('standalonesession', 0, 'out'))
  expect(args.slice(2)).toEqual([
    '-Djobmanager.rpc.address=example.org',
    '-Drest.port=8082',
    '-Dparallelism.default=3',
    '-D',
    'a=b c',
  ])
})

it('runs in the foreground without a pid file', async () => {
  const { code, out } = await run('taskmanager.sh', ['start-foreground', '-Dbrief=true'])
  expect(code).toBe(0)
  expect(JSON.parse(out).args).toEqual(['--configDir', join(home, 'conf'), '-Dbrief=true'])
  expect(pids('taskexecutor')).toEqual([])
})

it('runs the command line with its arguments unchanged, through a link', async () => {
  const link = join(home, 'elsewhere')
  mkdirSync(link)
  symlinkSync(join(home, 'bin/flink'), join(link, 'flink'))
  const { out } = await run('../elsewhere/flink', ['run', 'a job.ts', '-Dbrief=true'])
  expect(JSON.parse(out).args).toEqual(['run', 'a job.ts', '-Dbrief=true'])
})

it('never ends a process that got the pid of a dead instance', async () => {
  const bystander = spawn('sleep', ['60'])
  try {
    mkdirSync(pidDir)
    writeFileSync(join(pidDir, 'flink-me-taskexecutor.pid'), `${bystander.pid}\n`)
    expect((await run('taskmanager.sh', ['stop-all'])).out).toContain('No taskexecutor daemon to stop')
    expect(isAlive(bystander.pid)).toBe(true)
    expect(pids('taskexecutor')).toEqual([])
  } finally {
    bystander.kill()
  }
})

it('keeps the numbers of living instances when an earlier one was killed', async () => {
  await run('taskmanager.sh', ['start'])
  await run('taskmanager.sh', ['start'])
  const [first, second] = pids('taskexecutor')
  process.kill(first as number, 'SIGKILL')
  await vi.waitFor(() => expect(isAlive(first)).toBe(false), { timeout: 5000, interval: 10 })
  await run('taskmanager.sh', ['start'])
  expect(pids('taskexecutor').slice(0, 2)).toEqual([first, second])
  await note(log('taskexecutor', 2, 'out'))
})

it('leaves the daemons of another installation alone', async () => {
  const other = install()
  try {
    await run('taskmanager.sh', ['start'], {}, other)
    const [theirs] = pids('taskexecutor')
    await run('taskmanager.sh', ['start'])
    await run('taskmanager.sh', ['stop-all'])
    expect(isAlive(theirs)).toBe(true)
    expect(pids('taskexecutor')).toEqual([theirs])
  } finally {
    await run('stop-cluster.sh', [], {}, other)
    rmSync(other, { recursive: true })
  }
})

it('kills a process that ignores SIGTERM after 10 s, with a word', { timeout: 30_000 }, async () => {
  await run('taskmanager.sh', ['start', '-Dstubborn=true'])
  await note(log('taskexecutor', 0, 'out'))
  const [pid] = pids('taskexecutor')
  const { out } = await run('taskmanager.sh', ['stop'])
  expect(out).toContain('did not end within 10 s: killing it')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 10 })
})

it('keeps older logs, as many as env.log.max says', async () => {
  writeFileSync(join(home, 'conf/flink-conf.yaml'), 'env.log.max: 2 # few\n')
  for (let i = 0; i < 4; i++) {
    await run('taskmanager.sh', ['start', `-Drun=${i}`])
    await note(log('taskexecutor', 0, 'out'))
    await run('taskmanager.sh', ['stop'])
  }
  const outs = readdirSync(join(home, 'log')).filter(name => name.includes('.out'))
  const base = `flink-me-taskexecutor-0-${hostname()}.out`
  expect(outs.sort()).toEqual([base, `${base}.1`, `${base}.2`])
  expect(readFileSync(log('taskexecutor', 0, 'out.2'), 'utf8')).toContain('-Drun=1')
})

it('takes directories from flink-conf.yaml, and the environment before it', async () => {
  const conf = join(home, 'other-conf')
  mkdirSync(conf)
  writeFileSync(
    join(conf, 'flink-conf.yaml'),
    `env.log.dir: "${home}/my logs"\nenv.pid.dir: ${home}/my-pids\n`,
  )
  const env = { FLINK_CONF_DIR: conf, FLINK_PID_DIR: undefined }
  await run('taskmanager.sh', ['start'], env)
  const { args } = await note(join(home, 'my logs', `flink-me-taskexecutor-0-${hostname()}.out`))
  expect(args).toEqual(['--configDir', conf])
  expect(existsSync(join(home, 'my-pids/flink-me-taskexecutor.pid'))).toBe(true)
  await run('taskmanager.sh', ['stop'], env)
})

it("reads Flink's config.yaml, nested or flat, when there is no flink-conf.yaml", async () => {
  rmSync(join(home, 'conf/flink-conf.yaml'))
  writeFileSync(
    join(home, 'conf/config.yaml'),
    `# comment
env:
  pid:
    dir: "${home}/nested pids" # comment
  other: 1
rest:
  port: 8081
env.log.dir: ${home}/flat-logs
`,
  )
  const env = { FLINK_PID_DIR: undefined }
  await run('taskmanager.sh', ['start'], env)
  expect(existsSync(join(home, 'nested pids/flink-me-taskexecutor.pid'))).toBe(true)
  expect(readdirSync(join(home, 'flat-logs')).length).toBeGreaterThan(0)
  await run('taskmanager.sh', ['stop'], env)
})

it('passes options of Node on, and says which others it leaves out', async () => {
  appendFileSync(
    join(home, 'conf/flink-conf.yaml'),
    'env.java.opts.all: -Xmx1g --no-warnings\nenv.java.opts.taskmanager: --stack-size=900\n',
  )
  const env = { FLINK_ENV_JAVA_OPTS: '--trace-uncaught', FLINK_ENV_JAVA_OPTS_JM: '--no-deprecation' }
  const started = await run('taskmanager.sh', ['start'], env)
  expect(started.out).toContain('[WARN] -Xmx1g is no option of Node.js')
  const { execArgv } = await note(log('taskexecutor', 0, 'out'))
  expect(execArgv).toEqual(['--no-warnings', '--stack-size=900', '--trace-uncaught'])
  const { out } = await run('flink', ['-Dbrief=true'], { FLINK_ENV_JAVA_OPTS_CLI: '--no-deprecation' })
  expect(JSON.parse(out.split('\n')[1] as string).execArgv).toEqual(['--no-warnings', '--no-deprecation'])
})

it('refuses a Node that is too old, with a way out', async () => {
  const old = join(home, 'old-node')
  writeFileSync(old, '#!/bin/sh\necho v24.7.9\n')
  chmodSync(old, 0o755)
  const { code, out } = await run('taskmanager.sh', ['start'], { FLINK_NODE: old })
  expect(code).toBe(1)
  expect(out).toContain(`Node.js 24.8 or newer is required, but ${old} is v24.7.9`)
})

it('runs the bundle as long as no build is newer, and knows the daemons of both', async () => {
  const lib = join(home, 'packages/flink-ts/lib')
  const built = join(home, 'packages/cluster/dist')
  cpSync(join(built, 'entrypoint'), join(lib, 'entrypoint'), { recursive: true })
  writeFileSync(join(built, '.tsbuildinfo'), '')
  writeFileSync(join(lib, 'built'), '')
  utimesSync(join(built, '.tsbuildinfo'), 1000, 1000)
  const bundled = join(lib, 'entrypoint/taskmanager-main.js')
  const commandOf = (pid: number | undefined): string => readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  await run('taskmanager.sh', ['start'])
  expect(commandOf(pids('taskexecutor')[0])).toContain(bundled)
  utimesSync(join(lib, 'built'), 999, 999)
  const started = await run('taskmanager.sh', ['start'])
  expect(started.out).toContain('1 instance(s) of taskexecutor run already')
  expect(commandOf(pids('taskexecutor')[1])).not.toContain(bundled)
  await run('taskmanager.sh', ['stop-all'])
  expect(pids('taskexecutor')).toEqual([])
})

it('says what to do when nothing was built', async () => {
  rmSync(join(home, 'packages'), { recursive: true })
  const { code, out } = await run('flink', ['list'])
  expect(code).toBe(1)
  expect(out).toContain('packages/cli/dist/cli-main.js is missing: run npm run build first.')
})

it.each(['jobmanager.sh', 'taskmanager.sh'])('%s explains itself', async script => {
  const { code, out } = await run(script, [])
  expect(code).toBe(1)
  expect(out).toContain(`Usage: ${script}`)
})
