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

// A test that fails does not come to its `stop`. Everything that a test file started ends with it.
const everything = new Set<ChildProcess>()
const endEverything = (): void => {
  for (const child of everything) child.kill('SIGKILL')
}
// Benchmarks use clusters outside of tests.
if (process.env['VITEST'] === undefined) process.on('exit', endEverything)
else (await import('vitest')).afterAll(endEverything)

const ROOT = resolve(import.meta.dirname, '../..')
export const REPOSITORY = ROOT
const BUNDLE = 'packages/flink-ts/lib'

export interface TestClusterOptions {
  readonly taskManagers: number
  readonly slots: number
  readonly configuration?: Readonly<Record<string, string>>
  /** Whether jobs leave checkpoints on purpose. */
  readonly retainedCheckpoints?: boolean
  /** Jobs outlive JobManagers. */
  readonly highAvailability?: boolean
  /** Puts a proxy between the JobManager and everybody else. */
  readonly proxied?: boolean
  /** Runs what `tools/bundle-runtime.mjs` makes, as the start scripts do, instead of what it is made from. */
  readonly bundled?: boolean
  /** `-D` arguments of the first JobManager alone. */
  readonly jobManagerProperties?: readonly string[]
  /** Variables of all processes but the clients. */
  readonly environment?: Readonly<Record<string, string>>
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

/** A TaskManager with the id under which REST shows it. */
export type TaskManagerProcess = ChildProcess & { readonly resourceId: string }

/** What REST says of a job. */
export interface JobState {
  readonly jid: string
  readonly name: string
  readonly state: string
  readonly vertices: readonly {
    readonly name: string
    readonly parallelism: number
    readonly tasks: Readonly<Record<string, number>>
    readonly metrics: Readonly<Record<'read-records' | 'write-records', number>>
  }[]
}

/** What REST says of the checkpoints of a job. */
export interface Checkpoints {
  readonly counts: Readonly<Record<'restored' | 'completed' | 'failed', number>>
  readonly latest: { readonly completed: { readonly id: number; readonly external_path: string } | null }
}

/** JobManager and TaskManagers as real processes, with ports, folders and logs of their own. */
export class TestCluster {
  readonly folder: string
  /** Of the JobManager that is asked; tests with several change it. */
  restPort: number
  readonly rpcPort: number
  readonly proxy: TcpProxy | undefined
  readonly taskManagers: TaskManagerProcess[] = []
  readonly #started: ChildProcess[] = []
  #jobManager: ChildProcess | undefined
  readonly #options: TestClusterOptions
  #taskManagerCount = 0
  /** The last answers of REST by path, the latest at the end: what a test saw while it waited. */
  readonly #seen = new Map<string, string>()

  private constructor(
    folder: string,
    ports: { rest: number; rpc: number },
    proxy: TcpProxy | undefined,
    options: TestClusterOptions,
  ) {
    this.folder = folder
    this.#options = options
    this.restPort = ports.rest
    this.rpcPort = ports.rpc
    this.proxy = proxy
  }

  static async start(options: TestClusterOptions): Promise<TestCluster> {
    const folder = mkdtempSync(join(tmpdir(), 'flink-e2e-'))
    const bindPort = await freePort()
    // The system may hand out the same one again.
    let rest = await freePort()
    while (rest === bindPort) rest = await freePort()
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
      ...(options.highAvailability === true && {
        'high-availability.type': 'filesystem',
        'high-availability.storageDir': `file://${folder}/ha`,
      }),
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
    const cluster = new TestCluster(folder, { rest, rpc }, proxy, options)
    cluster.startJobManager()
    for (let i = 0; i < options.taskManagers; i++) cluster.startTaskManager()
    await cluster.waitForSlots(options.taskManagers * options.slots)
    return cluster
  }

  startJobManager(): void {
    this.#jobManager = this.#spawn('jobmanager', 'jobmanager-main.js', this.#options.jobManagerProperties)
  }

  /** Starts one more JobManager, and does not wait for it. */
  startAnotherJobManager(restPort: number, properties: readonly string[] = []): ChildProcess {
    return this.#spawn(`jobmanager-${restPort}`, 'jobmanager-main.js', [
      `-Drest.port=${restPort}`,
      ...properties,
    ])
  }

  /** Starts one more JobManager, with a REST port of its own, and waits until that answers. */
  async startStandby(): Promise<{ readonly process: ChildProcess; readonly restPort: number }> {
    const restPort = await freePort()
    const child = this.startAnotherJobManager(restPort)
    const name = `jobmanager-${restPort}`
    await this.until(`JobManager at REST port ${restPort}`, 60_000, async () =>
      this.log(name).includes('JobManager is ready'),
    )
    return { process: child, restPort }
  }

  /** What a process has logged. */
  log(name: string): string {
    return readFileSync(join(this.folder, `${name}.log`), 'utf8')
  }

  /** Ends the JobManager and waits until its process is gone. */
  async endJobManager(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const child = this.#jobManager
    if (child === undefined) throw new Error('no JobManager')
    this.#jobManager = undefined
    await end(child, signal)
  }

  /** The first JobManager, or the one that was started in its place. */
  get jobManager(): ChildProcess | undefined {
    return this.#jobManager
  }

  /** Undefined: there is none. */
  get jobManagerPid(): number | undefined {
    return this.#jobManager?.pid
  }

  /** Process ids of the job hosts that a JobManager has now. */
  jobHosts(parent = this.#jobManager?.pid): readonly number[] {
    if (parent === undefined) return []
    return childrenOf(parent).filter(pid => commandOf(pid).includes('jobhost-main'))
  }

  /** @param properties `-D` arguments of this one alone */
  startTaskManager(properties: readonly string[] = []): TaskManagerProcess {
    const resourceId = `taskmanager-${this.#taskManagerCount++}`
    const own = [`-Dtaskmanager.resource-id=${resourceId}`, ...properties]
    const child = this.#spawn(resourceId, 'taskmanager-main.js', own)
    const taskManager = Object.assign(child, { resourceId })
    this.taskManagers.push(taskManager)
    return taskManager
  }

  /** Kills a TaskManager with SIGKILL and forgets it. */
  async killTaskManager(index: number): Promise<void> {
    const [child] = this.taskManagers.splice(index, 1)
    if (child === undefined) throw new Error(`no TaskManager ${index}`)
    await end(child, 'SIGKILL')
  }

  /** Indices of the TaskManagers that have slots in use. */
  async busyTaskManagers(): Promise<readonly number[]> {
    const answer = await this.rest<{
      taskmanagers: readonly { id: string; slotsNumber: number; freeSlots: number }[]
    }>('/taskmanagers')
    const busy = new Set(answer?.taskmanagers.filter(t => t.freeSlots < t.slotsNumber).map(t => t.id))
    return this.taskManagers.flatMap((child, index) => (busy.has(child.resourceId) ? [index] : []))
  }

  /** Answer of a REST path; undefined if nobody answers in that time. */
  async rest<T>(path: string, timeoutMs = 5000): Promise<T | undefined> {
    const tokenFile = this.#options.configuration?.['security.auth.token-file']
    try {
      const response = await fetch(`http://127.0.0.1:${this.restPort}${path}`, {
        headers:
          tokenFile === undefined
            ? {}
            : { authorization: `Bearer ${readFileSync(tokenFile, 'utf8').trim()}` },
        signal: AbortSignal.timeout(timeoutMs),
      })
      const text = await response.text()
      this.#see(path, `${response.status} ${text}`)
      return response.ok ? (JSON.parse(text) as T) : undefined
    } catch (error) {
      this.#see(path, String(error))
      return undefined // not up yet
    }
  }

  async freeSlots(): Promise<number | undefined> {
    return (await this.rest<{ 'slots-available': number }>('/overview'))?.['slots-available']
  }

  job(jobId: string, timeoutMs?: number): Promise<JobState | undefined> {
    return this.rest<JobState>(`/jobs/${jobId}`, timeoutMs)
  }

  /**
   * Waits until the job has the state. A question to a leader that stands still is asked again before the job can have
   * gone on, and left the state, under another one.
   */
  async untilJob(jobId: string, state: string, timeoutMs = 60_000): Promise<void> {
    await this.until(
      `job ${jobId} to be ${state}`,
      timeoutMs,
      async () => (await this.job(jobId, 1000))?.state === state,
    )
  }

  /** Waits until the program says that its (first) job was submitted, and answers the job's id. */
  async submitted(running: Running): Promise<string> {
    let over = false
    void running.finished.then(() => {
      over = true
    })
    for (;;) {
      const jobId = /submitted with JobID ([0-9a-f]{32})/.exec(running.output())?.[1]
      if (jobId !== undefined) return jobId
      if (over) throw new Error(`no job was submitted:\n${running.output()}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  /** Waits until the job has completed a checkpoint, or is over. */
  async firstCheckpoint(jobId: string): Promise<void> {
    await this.until(`a checkpoint of job ${jobId}`, 60_000, async () => {
      const checkpoints = await this.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
      return (checkpoints?.counts.completed ?? 0) > 0 || (await this.job(jobId))?.state === 'FINISHED'
    })
  }

  /** Records that left the first task of a job so far. */
  async recordsRead(jobId: string): Promise<number> {
    return (await this.job(jobId))?.vertices[0]?.metrics['write-records'] ?? 0
  }

  async waitForSlots(total: number, timeoutMs = 60_000): Promise<void> {
    await this.until(`${total} slots`, timeoutMs, async () => {
      const overview = await this.rest<{ 'slots-total': number }>('/overview')
      return overview?.['slots-total'] === total
    })
  }

  /** Polls until `condition` holds; fails with what was waited for, what was seen last, and the end of the logs. */
  async until(what: string, timeoutMs: number, condition: () => Promise<boolean>): Promise<void> {
    const deadline = performance.now() + timeoutMs
    while (!(await condition())) {
      if (performance.now() > deadline)
        throw new Error(`waited ${timeoutMs} ms for ${what}\n${this.#lastSeen()}\n${this.logTails()}`)
      await new Promise(resolve => setTimeout(resolve, 20))
    }
  }

  /** Runs `bin/flink` with `args` in the background. */
  flink(...args: string[]): Running {
    const child = spawn(join(ROOT, 'bin/flink'), args, {
      cwd: ROOT,
      env: { ...process.env, FLINK_CONF_DIR: join(this.folder, 'conf'), TMPDIR: join(this.folder, 'tmp') },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.#track(child)
    let stdout = ''
    let stderr = ''
    // A character may lie in two chunks.
    child.stdout.setEncoding('utf8')
    child.stderr.setEncoding('utf8')
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

  /**
   * Ends everything and says what was left behind: nothing, if all is well.
   * @param keep the folder stays even then
   */
  async stop(keep = false): Promise<readonly string[]> {
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
    const checkpoints = join(this.folder, 'checkpoints')
    if (this.#options.retainedCheckpoints !== true && existsSync(checkpoints))
      left.push(
        ...readdirSync(checkpoints, { recursive: true, withFileTypes: true })
          .filter(entry => entry.isFile())
          .map(entry => `file ${join(entry.parentPath, entry.name)}`),
      )
    if (left.length === 0 && !keep) rmSync(this.folder, { recursive: true, force: true })
    return left
  }

  #see(path: string, answer: string): void {
    this.#seen.delete(path)
    this.#seen.set(path, answer.length > 2000 ? `${answer.slice(0, 2000)} ...` : answer)
  }

  #lastSeen(): string {
    const answers = [...this.#seen].slice(-3).map(([path, answer]) => `   ${path}: ${answer}`)
    return `== last answers of REST\n${answers.join('\n')}`
  }

  #track(child: ChildProcess): void {
    this.#started.push(child)
    everything.add(child)
    child.once('exit', () => everything.delete(child))
  }

  #spawn(name: string, main: string, properties: readonly string[] = []): ChildProcess {
    const entry = join(
      ROOT,
      this.#options.bundled === true ? BUNDLE : 'packages/cluster/dist',
      'entrypoint',
      main,
    )
    const log = openSync(join(this.folder, `${name}.log`), 'a')
    const child = spawn(
      process.execPath,
      ['--enable-source-maps', entry, '--configDir', join(this.folder, 'conf'), ...properties],
      {
        cwd: this.folder,
        env: { ...process.env, TMPDIR: join(this.folder, 'tmp'), ...this.#options.environment },
        stdio: ['ignore', log, log],
      },
    )
    closeSync(log)
    this.#track(child)
    return child
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  const exited = new Promise(resolve => child.once('exit', resolve))
  child.kill(signal)
  await exited
}

function childrenOf(pid: number): readonly number[] {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    return children.split(' ').filter(Boolean).map(Number)
  } catch {
    return [] // it has ended
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return '' // it has ended
  }
}
