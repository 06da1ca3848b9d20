// A cluster on two hosts, started and used from a third one; hosts are network namespaces with their own sshd.
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { NetworkHosts, whyNoHosts } from './harness/network-hosts.ts'

const ROOT = resolve(import.meta.dirname, '..')
const TOKEN = 'a-token-of-the-hosts-test'
const why = whyNoHosts()

describe.skipIf(why !== undefined)(`three hosts${why === undefined ? '' : ` (${why})`}`, () => {
  let folder: string
  let hosts: NetworkHosts

  const rest = async <T>(path: string): Promise<T> => {
    const response = await fetch(`http://${hosts.address('h1')}:8081${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
      signal: AbortSignal.timeout(5000),
    })
    if (!response.ok) throw new Error(`${path}: ${response.status}`)
    return (await response.json()) as T
  }
  interface Overview {
    readonly taskmanagers: number
    readonly 'slots-total': number
  }
  const expectSlots = (taskmanagers: number, slots: number): Promise<void> =>
    vi.waitFor(
      async () =>
        expect(await rest<Overview>('/overview')).toMatchObject({ taskmanagers, 'slots-total': slots }),
      { timeout: 60_000, interval: 50 },
    )
  const on = async (host: string, script: string): Promise<string> => {
    const ssh = `FLINK_SSH_OPTS='${hosts.sshOptions}'`
    const { code, out } = await hosts.run(host, `${ssh} ${hosts.home}/bin/${script}`)
    expect(code, out).toBe(0)
    return out
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'flink-hosts-'))
    mkdirSync(join(folder, 'hosts'))
    mkdirSync(join(folder, 'checkpoints'))
    const made = join(folder, 'dist')
    execFileSync(process.execPath, [join(ROOT, 'tools/dist.mjs'), made])
    hosts = await NetworkHosts.start(join(folder, 'hosts'), ['h1', 'h2', 'h3'])
    const [archive] = readdirSync(made).filter(name => name.endsWith('.tgz'))
    for (const name of ['h1', 'h2', 'h3']) {
      const home = hosts.folderOf(name)
      execFileSync('tar', ['-xzf', join(made, archive as string), '--strip-components=1', '-C', home])
      writeFileSync(join(home, 'conf/masters'), 'h1:8081\n')
      writeFileSync(join(home, 'conf/workers'), 'h1\nh2\n')
      writeFileSync(join(home, 'conf/token'), TOKEN)
      writeFileSync(
        join(home, 'conf/flink-conf.yaml'),
        `jobmanager.rpc.address: h1
jobmanager.bind-host: 0.0.0.0
rest.address: h1
rest.bind-address: 0.0.0.0
security.auth.token-file: ${hosts.home}/conf/token
taskmanager.numberOfTaskSlots: 4
heartbeat.interval: 500 ms
heartbeat.timeout: 3 s
restart-strategy.type: fixed-delay
restart-strategy.fixed-delay.attempts: 1000
restart-strategy.fixed-delay.delay: 100 ms
execution.checkpointing.interval: 200 ms
execution.checkpointing.dir: file://${folder}/checkpoints
env.pid.dir: ${hosts.home}/pids
io.tmp.dirs: ${hosts.home}
`,
      )
      cpSync(join(ROOT, 'e2e/jobs/endless.ts'), join(home, 'endless.ts'))
    }
  })

  afterAll(async () => {
    await hosts?.close()
    rmSync(folder, { recursive: true, force: true })
  })

  test('two hosts with four slots each, started from a third one, show eight slots', async () => {
    const out = await on('h3', 'start-cluster.sh')
    expect(out).toContain('Starting standalonesession daemon on host h1.')
    expect(out).toContain('Starting taskexecutor daemon on host h2.')
    await expectSlots(2, 8)
    const { taskmanagers } = await rest<{ taskmanagers: { path: string }[] }>('/taskmanagers')
    expect(JSON.stringify(taskmanagers)).toContain(hosts.address('h2'))
  })

  test('a host that is no member submits, and all slots of both hosts work together', async () => {
    const out = await on('h3', `flink run -p 8 ${hosts.home}/examples/word-count/src/job.ts`)
    expect(out).toContain('Job has been submitted')
    const printed = (): string =>
      ['h1', 'h2']
        .flatMap(name => {
          const log = join(hosts.folderOf(name), 'log')
          const outs = readdirSync(log).filter(file => file.includes('taskexecutor') && file.endsWith('.out'))
          return outs.map(file => readFileSync(join(log, file), 'utf8'))
        })
        .join('')
    await vi.waitFor(() => expect(printed()).toContain("{ word: 'be', count: 2 }"), { timeout: 30_000 })
  })

  test('a new host adds its slots, and takes them away', async () => {
    await on('h3', 'taskmanager.sh start')
    await expectSlots(3, 12)
    await on('h3', 'taskmanager.sh stop')
    await expectSlots(2, 8)
  })

  test('a job waits for a host that is cut off, and goes on when it is back', async () => {
    const out = await on('h3', `flink run -d -p 8 ${hosts.home}/endless.ts`)
    const job = /[0-9a-f]{32}/.exec(out)?.[0]
    const states = async () => {
      const { state, vertices } = await rest<{ state: string; vertices: { status: string }[] }>(
        `/jobs/${job}`,
      )
      return [state, ...vertices.map(vertex => vertex.status)]
    }
    const expectAll = (state: RegExp): Promise<void> =>
      vi.waitFor(async () => expect((await states()).join(' ')).toMatch(state), {
        timeout: 60_000,
        interval: 50,
      })
    await expectAll(/^RUNNING( RUNNING)+$/)
    hosts.cut('h2')
    await expectSlots(1, 4)
    await expectAll(/^(?!RUNNING( RUNNING)+$)/)
    hosts.heal('h2')
    await expectSlots(2, 8)
    await expectAll(/^RUNNING( RUNNING)+$/)
    await on('h3', `flink cancel ${job}`)
  })

  test('a TaskManager that died comes back; stop-cluster.sh ends everything on all hosts', async () => {
    const node = (host: string): Promise<string> =>
      hosts.run(host, 'pgrep -f "^[^ ]*node .*taskmanager-main"').then(({ out }) => out.trim())
    const before = await node('h2')
    expect(before).toMatch(/^\d+$/)
    await hosts.run('h2', `kill -9 ${before}`)
    await vi.waitFor(async () => expect(await node('h2')).toMatch(/^\d+$/), {
      timeout: 30_000,
      interval: 100,
    })
    expect(await node('h2')).not.toBe(before)
    await expectSlots(2, 8)
    await on('h3', 'stop-cluster.sh')
    for (const host of ['h1', 'h2', 'h3']) {
      expect((await hosts.run(host, 'pgrep -fa "[-]main.js|[s]upervise.sh"')).out, host).toBe('')
      const pids = join(hosts.folderOf(host), 'pids')
      expect(readdirSync(pids).filter(name => name.endsWith('.pid'))).toEqual([])
    }
  })
})
