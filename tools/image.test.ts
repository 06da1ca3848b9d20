import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { execute, install } from './fake-installation.ts'

const folders: string[] = []

it('a script that takes too long ends with all that it started', async () => {
  const started = Date.now()
  const timeout = AbortSignal.timeout(300)
  const { code } = await execute('sh', ['-c', '(sleep 60; true) & echo started; wait'], {}, timeout)
  expect(code).toBe(null)
  // The sleep holds the pipe: only when it is gone, too, does the wait for the script end.
  expect(Date.now() - started).toBeLessThan(20_000)
})

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

describe('entrypoint', () => {
  const start = async (args: string[], env: NodeJS.ProcessEnv) => {
    const home = install()
    folders.push(home)
    const { code, out } = await execute(join(home, 'docker/entrypoint.sh'), args, env)
    const conf = parse(readFileSync(join(home, 'conf/flink-conf.yaml'), 'utf8'))
    return { home, code, out, conf }
  }

  it('configures a JobManager that is reached from other containers', async () => {
    const { code, out, conf, home } = await start(['jobmanager', '-Dbrief=true'], {
      FLINK_PROPERTIES: 'rest.port: 9999\n# a comment\n\nexecution.checkpointing.dir: file:///checkpoints',
    })
    expect(code).toBe(0)
    expect(JSON.parse(out.split('\n')[1] as string).args).toEqual([
      '--configDir',
      join(home, 'conf'),
      '-Dbrief=true',
    ])
    expect(conf).toMatchObject({
      'jobmanager.rpc.address': hostname(),
      'jobmanager.bind-host': '0.0.0.0',
      'rest.bind-address': '0.0.0.0',
      'rest.port': 9999,
      'execution.checkpointing.dir': 'file:///checkpoints',
    })
  })

  it('configures a TaskManager that finds the JobManager', async () => {
    const { conf } = await start(['taskmanager', '-Dbrief=true'], {
      JOB_MANAGER_RPC_ADDRESS: 'jobmanager',
      TASK_MANAGER_NUMBER_OF_TASK_SLOTS: '4',
    })
    expect(conf).toMatchObject({
      'jobmanager.rpc.address': 'jobmanager',
      'taskmanager.host': hostname(),
      'taskmanager.numberOfTaskSlots': 4,
    })
  })

  it('runs any other program', async () => {
    expect((await start(['echo', 'a  b'], {})).out).toBe('a  b\n')
  })

  it('explains itself', async () => {
    expect((await start([], {})).out).toContain('Usage: (jobmanager | taskmanager)')
  })
})

it('the steps of the image make an installation that runs', { timeout: 120_000 }, async ({ signal }) => {
  const [step] =
    readFileSync('Dockerfile', 'utf8').match(/(?<=^RUN )docker\/build\.sh(?= \/opt\/flink$)/m) ?? []
  const target = mkdtempSync(join(tmpdir(), 'flink-image-'))
  folders.push(target)
  const home = { HOME: process.env['HOME'] }
  const build = await execute(join(process.cwd(), step as string), [target], home, signal)
  expect(build.code, build.out).toBe(0)

  const help = await execute(join(target, 'docker/entrypoint.sh'), ['flink', '--help'], {})
  expect(help.code, help.out).toBe(0)
  for (const program of ['jobmanager-main.js', 'taskmanager-main.js']) {
    expect(existsSync(join(target, 'lib/entrypoint', program)), program).toBe(true)
  }
})

describe('docker-compose.yml', () => {
  const compose = [['docker', 'compose'], ['docker-compose']].find(
    ([command, ...args]) => spawnSync(command as string, [...args, 'version']).status === 0,
  )

  it.skipIf(!compose)('is understood by docker compose', async () => {
    const [command, ...args] = compose as string[]
    const { code, out } = await execute(command as string, [...args, 'config'], {})
    expect(code, out).toBe(0)
    const { services } = parse(out)
    expect(Object.keys(services).sort()).toEqual(['jobmanager', 'taskmanager'])
  })

  it('publishes ports on loopback only, none of them for the service that is scaled', () => {
    const { services } = parse(readFileSync('docker-compose.yml', 'utf8'), { merge: true })
    expect(services.jobmanager.ports).toEqual(['127.0.0.1:8081:8081', '127.0.0.1:6123:6123'])
    expect(services.taskmanager.ports).toBeUndefined()
    expect(services.taskmanager.volumes).toEqual(services.jobmanager.volumes)
  })
})
