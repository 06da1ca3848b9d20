// What keeps a process from starting is told in the terminal of whoever starts it, in one line, with an exit code.
import { execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from './harness/free-port.ts'
import { REPOSITORY } from './harness/test-cluster.ts'

let folder: string
let taken: Server
let takenPort: number
let basics: string

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flink-starts-'))
  mkdirSync(join(folder, 'conf'))
  // Below a file nobody can make a folder, whatever their rights.
  writeFileSync(join(folder, 'file'), '')
  taken = createServer()
  await new Promise<void>(done => taken.listen(0, '127.0.0.1', done))
  takenPort = (taken.address() as { port: number }).port
  basics = `jobmanager.rpc.address: 127.0.0.1\njobmanager.rpc.port: ${await freePort()}\nrest.port: 0\n`
})
afterAll(() => {
  taken.close()
  rmSync(folder, { recursive: true, force: true })
})

async function run(
  script: string,
  args: readonly string[],
  configuration: string,
  env: NodeJS.ProcessEnv = {},
  temporary = join(folder, 'tmp'),
) {
  writeFileSync(join(folder, 'conf/flink-conf.yaml'), `io.tmp.dirs: ${temporary}\n${configuration}`)
  const child = spawn(join(REPOSITORY, 'bin', script), args, {
    env: {
      ...{
        PATH: process.env['PATH'],
        HOME: process.env['HOME'],
        USER: 'starts',
        FLINK_NODE: process.execPath,
      },
      ...{ FLINK_CONF_DIR: join(folder, 'conf'), FLINK_LOG_DIR: join(folder, 'log') },
      ...{ FLINK_PID_DIR: join(folder, 'pid'), ...env },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  child.stdout.setEncoding('utf8').on('data', data => (out += data))
  child.stderr.setEncoding('utf8').on('data', data => (out += data))
  const code = await new Promise<number | null>(done => child.on('close', done))
  return { code, out }
}

/** The line that says what is wrong; nothing runs, and no pid file is left. */
async function refusal(
  configuration: string,
  env: NodeJS.ProcessEnv = {},
  temporary?: string,
): Promise<string> {
  const { code, out } = await run('jobmanager.sh', ['start'], configuration, env, temporary)
  expect(code, out).toBe(1)
  const stopped = await run('jobmanager.sh', ['stop'], basics)
  expect(stopped.out).toContain('No standalonesession daemon to stop')
  const lines = out.split('\n').filter(line => line.startsWith('error: '))
  expect(lines, out).toHaveLength(1)
  return lines[0] as string
}

test('a port in use, the one of REST and the one of the JobManager', async () => {
  const rest = await refusal(basics.replace('rest.port: 0', `rest.port: ${takenPort}`))
  expect(rest).toMatch(
    /The REST API cannot listen on 127\.0\.0\.1:\d+: .*in use.* give another one by rest\.port\./,
  )
  const rpc = await refusal(basics.replace(/rpc\.port: \d+/, `rpc.port: ${takenPort}`))
  expect(rpc).toMatch(/Cannot listen on localhost:\d+: .*in use.*jobmanager\.rpc\.port/)
})

test('a second JobManager with the ports of the first is told of it, and what to do', async () => {
  try {
    expect(await run('jobmanager.sh', ['start'], basics)).toMatchObject({ code: 0 })
    const second = await run('jobmanager.sh', ['start'], basics)
    expect(second.code).toBe(1)
    expect(second.out).toMatch(
      /A JobManager of this installation runs here already \(pid \d+\): .*stop ends it\./,
    )
    expect(second.out).toContain('FLINK_CONF_DIR')
  } finally {
    await run('jobmanager.sh', ['stop'], basics)
  }
})

test('a configuration that is no YAML, or has a value that makes no sense', async () => {
  expect(await refusal(`${basics}a: 1\n  b: : x\n`)).toContain(`${join(folder, 'conf/flink-conf.yaml')}:`)
  expect(await refusal(basics.replace('rest.port: 0', 'rest.port: many'))).toContain(
    "'many' is no valid value of rest.port",
  )
})

test('folders that cannot be made: temporary files, logs, process ids', async () => {
  const below = join(folder, 'file/below')
  expect(await refusal(basics, {}, below)).toContain(`No folder for temporary files can be made in ${below}`)
  const logs = await refusal(basics, { FLINK_LOG_DIR: below })
  expect(logs).toContain(`the folder of logs, ${below}, cannot be made or written (Not a directory)`)
  expect(logs).toContain('set FLINK_LOG_DIR (env.log.dir) to another one')
  expect(await refusal(basics, { FLINK_PID_DIR: below })).toContain('set FLINK_PID_DIR (env.pid.dir)')
})

test('a host that does not exist', async () => {
  const { code, out } = await run('flink', ['list', '-m', 'no-such-host.invalid:6123'], basics)
  expect(code).toBe(3)
  expect(out).toContain('No JobManager answers at no-such-host.invalid:6123')
})

const asked = process.env['FLINK_TEST_SYSTEM'] === '1' || process.env['CI'] === 'true'
const system = asked && process.getuid?.() === 0

test.skipIf(!system)('a full disk', async () => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', disk])
  try {
    expect(() => writeFileSync(join(disk, 'fill'), Buffer.alloc(200_000))).toThrow('ENOSPC')
    expect(await refusal(basics, { FLINK_LOG_DIR: join(disk, 'log') })).toContain('(No space left on device)')
    expect(await refusal(basics, { FLINK_PID_DIR: join(disk, 'pid') })).toContain('(No space left on device)')
    expect(await refusal(basics, {}, join(disk, 'tmp'))).toContain('io.tmp.dirs')
  } finally {
    await run('jobmanager.sh', ['stop'], basics)
    execFileSync('umount', [disk])
  }
})

test.skipIf(!existsSync('/usr/bin/systemd-analyze'))(
  'the unit of the guide is one that systemd takes',
  () => {
    const guide = readFileSync(join(REPOSITORY, 'docs/guide/deployment.md'), 'utf8')
    const [, unit = ''] = /^```ini\n([\s\S]*?)^```$/m.exec(guide) ?? []
    const file = join(folder, 'flink-taskmanager.service')
    // Of the user and the folder in it there are none here.
    writeFileSync(file, unit.replace('/opt/flink-ts', REPOSITORY).replace('User=flink', 'User=root'))
    execFileSync('systemd-analyze', ['verify', file])
  },
)
