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
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
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
  vi.waitFor(() => JSON.parse(readFileSync(path, 'utf8').split('\n')[0] as string), {
    timeout: 10_000,
    interval: 10,
  })

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
    pid: pids('standalonesession')[0],
  })

  expect((await run('stop-cluster.sh')).code).toBe(0)
  expect(all.some(isAlive)).toBe(false)
  expect(readdirSync(pidDir).filter(name => name.endsWith('.pid'))).toEqual([])
})

it('starts a TaskManager for each line of conf/workers', async () => {
  writeFileSync(
    join(home, 'conf/workers'),
    `# hosts\nlocalhost\n\n127.0.0.1\n${hostname()} # this one, too\n`,
  )
  const { code } = await run('start-cluster.sh')
  expect(code).toBe(0)
  expect(pids('taskexecutor')).toHaveLength(3)
})

describe('other hosts', () => {
  /** Takes the place of ssh: notes what it is asked for, and runs it here. node9 is not reached. */
  const fakeSsh = `#!/bin/bash
echo "$*" >>"$(dirname "$0")/calls"
while [ $# -gt 2 ]; do shift; done
[ "$1" != node9 ] || exit 255
HOSTNAME=$1 exec bash -c "$2"
`
  let env: NodeJS.ProcessEnv
  beforeEach(() => {
    mkdirSync(join(home, 'fake'))
    writeFileSync(join(home, 'fake/ssh'), fakeSsh, { mode: 0o755 })
    env = { PATH: `${join(home, 'fake')}:${process.env['PATH']}`, FLINK_SSH_OPTS: '-F my-config -p 2222' }
  })
  const calls = () => readFileSync(join(home, 'fake/calls'), 'utf8').trim().split('\n').sort()

  it('get their daemons by ssh, with the folders and arguments of this one, and are stopped once', async () => {
    writeFileSync(join(home, 'conf/masters'), 'node1:8081\n')
    writeFileSync(join(home, 'conf/workers'), 'localhost\nnode7\nnode7\n')
    const started = await run('start-cluster.sh', ['-Da=b c'], env)
    expect(started.code, started.out).toBe(0)
    const ssh = (host: string) =>
      `-n -F my-config -p 2222 -o BatchMode=yes -o ConnectTimeout=10 ${host} bash -c `
    expect(calls().map(call => call.slice(0, ssh('node1').length))).toEqual(
      ['node1', 'node7', 'node7'].map(ssh),
    )
    expect(pids('standalonesession')).toHaveLength(1)
    expect(pids('taskexecutor')).toHaveLength(3)
    const outs = readdirSync(join(home, 'log')).filter(name => name.endsWith('-node7.out'))
    expect(outs).toHaveLength(2)
    const { args, FLINK_CONF_DIR } = await note(join(home, 'log', outs[0] as string))
    expect(args).toEqual(['--configDir', join(home, 'conf'), '-Da=b c'])
    expect(FLINK_CONF_DIR).toBe(join(home, 'conf'))

    rmSync(join(home, 'fake/calls'))
    const stopped = await run('stop-cluster.sh', [], env)
    expect(stopped.code, stopped.out).toBe(0)
    expect(calls().map(call => /node\d/.exec(call)?.[0])).toEqual(['node1', 'node7'])
    expect(pids('taskexecutor')).toEqual([])
  })

  it('that are not reached are named, and the others start all the same', async () => {
    writeFileSync(join(home, 'conf/workers'), 'node9\nnode7\n')
    const { code, out } = await run('start-cluster.sh', [], env)
    expect(code).toBe(1)
    expect(out).toContain('node9: ssh failed. Try: ssh -F my-config -p 2222 node9 true.')
    expect(pids('taskexecutor')).toHaveLength(1)
  })

  it('of conf/masters all get a JobManager with high availability, without only the first', async () => {
    writeFileSync(join(home, 'conf/masters'), 'node1:8081\nnode2:8082\n')
    writeFileSync(join(home, 'conf/workers'), '')
    expect((await run('start-cluster.sh', [], env)).out).toContain('only node1:8081 is started')
    await run('stop-cluster.sh', [], env)
    appendFileSync(join(home, 'conf/flink-conf.yaml'), 'high-availability.type: filesystem\n')
    const { out } = await run('start-cluster.sh', [], env)
    expect(out).toContain('Starting HA cluster with 2 masters.')
    const [name] = readdirSync(join(home, 'log')).filter(file => file.endsWith('-node2.out'))
    const { args } = await note(join(home, 'log', name as string))
    expect(args.slice(2)).toEqual(['-Djobmanager.rpc.address=node2', '-Drest.port=8082'])
  })
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
  const { out } = await run('taskmanager.sh', ['stop', '--now'])
  expect(out).toContain('did not end within 10 s: killing it')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 5000, interval: 10 })
})

it('brings back a TaskManager that died, after a pause, and none that ended or failed at its start', async () => {
  const out = log('taskexecutor', 0, 'out')
  const text = (): string => readFileSync(out, 'utf8')
  const startedPids = (): number[] => [...text().matchAll(/"pid":(\d+)/g)].map(match => Number(match[1]))
  await run('taskmanager.sh', ['start'])
  const first = (await note(out)).pid as number
  const [supervisor] = pids('taskexecutor')
  process.kill(first, 'SIGABRT')
  await vi.waitFor(() => expect(startedPids()).toHaveLength(2), { timeout: 30_000, interval: 20 })
  expect(text()).toContain('The process died (exit code 134)')
  expect(text()).toContain('starting it again in 1 s.')
  expect(pids('taskexecutor')).toEqual([supervisor])
  await run('taskmanager.sh', ['stop'])
  expect(startedPids().some(isAlive)).toBe(false)

  const failed = await run('taskmanager.sh', ['start', '-Dfail=true'])
  expect(failed.code).toBe(1)
  expect(failed.out).toContain('The taskexecutor daemon failed at its start:')
  expect(failed.out).toContain('failed at its start (exit code 3): not started again')
  expect(isAlive(pids('taskexecutor')[0])).toBe(false)
  expect(readdirSync(pidDir).filter(name => name.startsWith('flink-starting'))).toEqual([])
})

it('a TaskManager does not outlive its supervisor', async () => {
  await run('taskmanager.sh', ['start'])
  const { pid } = await note(log('taskexecutor', 0, 'out'))
  process.kill(pids('taskexecutor')[0] as number, 'SIGKILL')
  await vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 30_000, interval: 10 })
})

it('drains at stop unless told otherwise, and supervises nothing if env.supervise is false', async () => {
  writeFileSync(join(home, 'conf/flink-conf.yaml'), 'env.supervise: false\n')
  const out = log('taskexecutor', 0, 'out')
  for (const [args, signal] of [
    [[], 'SIGUSR2'],
    [['--now'], 'SIGTERM'],
  ] as const) {
    await run('taskmanager.sh', ['start', '-Dtell=true'])
    expect((await note(out)).pid).toBe(pids('taskexecutor')[0])
    await run('taskmanager.sh', ['stop', ...args])
    expect(readFileSync(out, 'utf8')).toContain(signal)
  }
  expect((await run('taskmanager.sh', ['stop', '--soon'])).out).toContain("stop takes no '--soon'")
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
