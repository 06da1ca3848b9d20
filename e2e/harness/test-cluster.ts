import { type ChildProcess, spawn } from 'node:child_process'
import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { freePort } from './free-port.ts'
import { TcpProxy } from './tcp-proxy.ts'

const ROOT = resolve(import.meta.dirname, '../..')
export const REPOSITORY = ROOT

export interface TestClusterOptions {
  readonly taskManagers: number
  readonly slots: number
  readonly configuration?: Readonly<Record<string, string>>
  /** Puts a proxy between the JobManager and everybody else. */
  readonly proxied?: boolean
}

interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A program that the test started, with what it printed so far. */
export interface Running {
  readonly process: ChildProcess
  readonly finished: Promise<Finished>
  output(): string
}

/** JobManager and TaskManagers as real processes, with ports, folders and logs of their own. */
export class TestCluster {
  readonly folder: string
  readonly restPort: number
  readonly rpcPort: number
  readonly proxy: TcpProxy | undefined
  readonly taskManagers: ChildProcess[] = []
  readonly #started: ChildProcess[] = []
  #taskManagerCount = 0

  private constructor(folder: string, ports: { rest: number; rpc: number }, proxy: TcpProxy | undefined) {
    this.folder = folder
    this.restPort = ports.rest
    this.rpcPort = ports.rpc
    this.proxy = proxy
  }

  static async start(options: TestClusterOptions): Promise<TestCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'flink-e2e-'))
    const bindPort = await freePort()
    const rest = await freePort()
    const proxy = options.proxied === true ? await TcpProxy.start(bindPort) : undefined
    const rpc = proxy?.port ?? bindPort
    const configuration: Record<string, string> = {
      'jobmanager.rpc.address': '127.0.0.1',
      'jobmanager.rpc.port': String(rpc),
      'jobmanager.rpc.bind-port': String(bindPort),
      'jobmanager.bind-host': '127.0.0.1',
      'taskmanager.host': '127.0.0.1',
      'taskmanager.bind-host': '127.0.0.1',
      'taskmanager.numberOfTaskSlots': String(options.slots),
      'rest.address': '127.0.0.1',
      'rest.port': String(rest),
      'execution.checkpointing.dir': `file://${folder}/checkpoints`,
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': '100',
      'restart-strategy.fixed-delay.delay': '100 ms',
      'io.tmp.dirs': join(folder, 'tmp'),
      ...options.configuration,
    }
    mkdirSync(join(folder, 'conf'))
    mkdirSync(join(folder, 'tmp'))
    writeFileSync(
      join(folder, 'conf', 'flink-conf.yaml'),
      Object.entries(configuration)
        .map(([key, value]) => `${key}: ${value}\n`)
        .join(''),
    )
    const cluster = new TestCluster(folder, { rest, rpc }, proxy)
    cluster.#spawn('jobmanager', 'packages/cluster/dist/entrypoint/jobmanager-main.js')
    for (let i = 0; i < options.taskManagers; i++) cluster.startTaskManager()
    await cluster.waitForSlots(options.taskManagers * options.slots)
    return cluster
  }

  startTaskManager(): ChildProcess {
    const child = this.#spawn(
      `taskmanager-${this.#taskManagerCount++}`,
      'packages/cluster/dist/entrypoint/taskmanager-main.js',
    )
    this.taskManagers.push(child)
    return child
  }

  /** Kills a TaskManager with SIGKILL and forgets it. */
  async killTaskManager(index: number): Promise<void> {
    const [child] = this.taskManagers.splice(index, 1)
    if (child === undefined) throw new Error(`no TaskManager ${index}`)
    const exited = new Promise(resolve => child.once('exit', resolve))
    child.kill('SIGKILL')
    await exited
  }

  /** Answer of a REST path; undefined if nobody answers. */
  async rest<T>(path: string): Promise<T | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.restPort}${path}`, {
        signal: AbortSignal.timeout(5000),
      })
      return response.ok ? ((await response.json()) as T) : undefined
    } catch {
      return undefined // not up yet
    }
  }

  async waitForSlots(total: number, timeoutMs = 20_000): Promise<void> {
    await this.until(`${total} slots`, timeoutMs, async () => {
      const overview = await this.rest<{ 'slots-total': number }>('/overview')
      return overview?.['slots-total'] === total
    })
  }

  /** Polls until `condition` holds; fails with what was waited for and the end of the logs. */
  async until(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await condition())) {
      if (performance.now() > deadline)
        throw new Error(`waited ${timeoutMs} ms for ${what}\n${this.logTails()}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** Runs `bin/flink` with `args` in the background. */
  flink(...args: string[]): Running {
    const child = spawn(join(ROOT, 'bin/flink'), args, {
      cwd: ROOT,
      env: { ...process.env, FLINK_CONF_DIR: join(this.folder, 'conf') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#started.push(child)
    let stdout = ''
    let stderr = ''
    child.stdout.on('data', chunk => {
      stdout += chunk
    })
    child.stderr.on('data', chunk => {
      stderr += chunk
    })
    const finished = new Promise<Finished>(resolve => {
      child.on('close', code => resolve({ code, stdout, stderr }))
    })
    return { process: child, finished, output: () => stdout + stderr }
  }

  logTails(lines = 30): string {
    return readdirSync(this.folder)
      .filter(name => name.endsWith('.log'))
      .map(
        name =>
          `== ${name}\n${readFileSync(join(this.folder, name), 'utf8').split('\n').slice(-lines).join('\n')}`,
      )
      .join('\n')
  }

  /** Ends everything and says what was left behind: nothing, if all is well. */
  async stop(): Promise<readonly string[]> {
    const left: string[] = []
    const alive = this.#started.filter(child => child.exitCode === null && child.signalCode === null)
    await Promise.all(
      alive.map(async child => {
        const exited = new Promise(resolve => child.once('exit', resolve))
        child.kill('SIGCONT')
        child.kill('SIGTERM')
        const timer = setTimeout(() => {
          left.push(
            `process ${child.pid} (${child.spawnargs.slice(1, 3).join(' ')}) did not end within 10 s after SIGTERM`,
          )
          child.kill('SIGKILL')
        }, 10_000)
        await exited
        clearTimeout(timer)
      }),
    )
    await this.proxy?.close()
    const temporary = join(this.folder, 'tmp')
    if (existsSync(temporary))
      left.push(...readdirSync(temporary).map(name => `file ${join(temporary, name)}`))
    if (left.length === 0) rmSync(this.folder, { recursive: true, force: true })
    return left
  }

  #spawn(name: string, entry: string): ChildProcess {
    const log = openSync(join(this.folder, `${name}.log`), 'a')
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', join(ROOT, entry), '--configDir', join(this.folder, 'conf')],
      { cwd: this.folder, stdio: ['ignore', log, log] },
    )
    closeSync(log)
    this.#started.push(child)
    return child
  }
}
