import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Checkpoints, Running } from '../harness/test-cluster.ts'
import type { ChaosCluster } from './chaos-cluster.ts'
import type { ChaosReport } from './chaos-report.ts'
import { compareRows, finishedRows } from './compare-rows.ts'
import type { JobMonitor } from './job-monitor.ts'
import { WORKLOADS, type Workload } from './workloads.ts'

/** What somebody does to a job that runs. */
export type Operation = 'savepoint' | 'rescale' | 'resume'

export interface JobRunDependencies {
  readonly chaos: ChaosCluster
  readonly monitor: JobMonitor
  readonly report: ChaosReport
}

interface ClientResult {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A client that nobody answers ends by itself long before. */
const CLIENT_LIMIT_MS = 180_000
/** Of a job, beside the time that it takes undisturbed: it comes to its end however it was disturbed. */
const GRACE_MS = 300_000

/**
 * One job from its submission to the comparison of what it wrote, over all savepoints, cancellations and starts at
 * other parallelisms, which make it several jobs for the cluster. Errors are thrown and end it.
 */
export class JobRun {
  readonly name: string
  readonly #deps: JobRunDependencies
  readonly #workload: Workload
  readonly #output: string
  readonly #savepoints: string
  readonly #deadlineMs: number
  readonly #cancelled: string[] = []
  #jobId: string | undefined
  #parallelism = 1
  /** What was tried with the job that runs, and may have worked although its client says otherwise. */
  readonly #tried = new Set<'stop' | 'cancel'>()

  constructor(
    options: { readonly kind: string; readonly name: string; readonly seconds: number },
    dependencies: JobRunDependencies,
  ) {
    const { kind, name, seconds } = options
    const { storage } = dependencies.chaos
    this.name = name
    this.#deps = dependencies
    this.#output = join(storage, 'output', name)
    this.#savepoints = join(storage, 'savepoints', name)
    mkdirSync(this.#output, { recursive: true })
    const workload = WORKLOADS[kind]
    if (workload === undefined) throw new Error(`no such kind of job: ${kind}`)
    const input = join(dependencies.chaos.folder, 'input', name)
    this.#workload = workload({ output: this.#output, input, seconds })
    this.#deadlineMs = performance.now() + seconds * 10_000 + GRACE_MS
  }

  /** Of the cluster, now. */
  get jobId(): string | undefined {
    return this.#jobId
  }

  /** Submits the job until somebody takes it. */
  async start(parallelism: number, from: readonly string[] = []): Promise<void> {
    this.#parallelism = parallelism
    const { monitor, report } = this.#deps
    const before = await monitor.idsOf(this.name)
    this.#tried.clear()
    this.#jobId = undefined
    for (;;) {
      const { code, stdout, stderr } = await this.#client(
        ...['run', '-d', '-p', String(parallelism), ...from, ...this.#workload.args, '--name', this.name],
      )
      this.#jobId = /submitted with JobID ([0-9a-f]{32})/.exec(stdout + stderr)?.[1]
      if (this.#jobId !== undefined) return
      // What became of it may be unknown to the client.
      this.#jobId = (await monitor.idsOf(this.name)).find(id => !before.includes(id))
      report.event(`${this.name}: submission exit ${code}: ${firstLine(stderr)}`)
      if (this.#jobId !== undefined) return
      this.#check(() => `could not be submitted: ${stderr}`)
      await new Promise(resolve => setTimeout(resolve, 500))
    }
  }

  /** Whether all is over, and right; goes on by itself where a client was not told of its success. */
  async isOver(): Promise<boolean> {
    const { monitor } = this.#deps
    const jobId = this.#jobId as string
    const state = monitor.stateOf(jobId)
    switch (state) {
      case 'FINISHED': {
        const difference = compareRows(finishedRows(this.#output), this.#workload.expected())
        if (difference === undefined) {
          this.#finish()
          return true
        }
        const savepoint = this.#tried.has('stop') ? this.#completeSavepoints()[0] : undefined
        if (savepoint !== undefined) {
          await this.start(this.#parallelism, ['-s', savepoint])
          return false
        }
        throw new Error(`job ${jobId} wrote something else: ${JSON.stringify(difference, undefined, 1)}`)
      }
      case 'CANCELED':
        if (!this.#tried.has('cancel'))
          throw new Error(`job ${jobId} was cancelled, and nobody had asked for it`)
        // Its checkpoints are ours from now on.
        this.#cancelled.push(jobId)
        await this.start(this.#parallelism, ['--from', 'latest'])
        return false
      case 'FAILED':
        throw new Error(`job ${jobId} FAILED: ${await this.#exceptions(jobId)}`)
      default:
        this.#check(() => `job ${jobId} is ${state ?? 'not known to the cluster'}`)
        return false
    }
  }

  /** Does something to the job that runs; what came of it shows in {@link isOver}. */
  async operate(operation: Operation, parallelism: number): Promise<void> {
    const { report } = this.#deps
    const jobId = this.#jobId as string
    if (operation === 'resume' && !(await this.#hasCheckpoint(jobId))) return
    const savepoints = join(this.#savepoints, String(Date.now()))
    const result = await this.#client(
      ...(operation === 'resume'
        ? ['cancel', jobId]
        : [
            ...(operation === 'savepoint'
              ? ['savepoint', jobId, savepoints]
              : ['stop', '-p', savepoints, jobId]),
          ]),
    )
    if (operation === 'rescale') this.#tried.add('stop')
    if (operation === 'resume') this.#tried.add('cancel')
    if (result.code !== 0) {
      report.event(`${this.name}: ${operation} exit ${result.code}: ${firstLine(result.stderr)}`)
      return
    }
    report.operated(operation)
    if (operation === 'resume') {
      this.#parallelism = parallelism
      return
    }
    const uri = /Savepoint completed\. Path: (\S+)/.exec(result.stdout)?.[1]
    const path = uri === undefined ? '' : fileURLToPath(uri)
    if (!existsSync(join(path, '_metadata')))
      throw new Error(`the savepoint has no metadata: ${result.stdout}`)
    if (operation === 'savepoint') rmSync(path, { recursive: true })
    else await this.start(parallelism, ['-s', path])
  }

  async #hasCheckpoint(jobId: string): Promise<boolean> {
    const checkpoints = await this.#deps.chaos.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
    return checkpoints?.latest.completed != null
  }

  async #exceptions(jobId: string): Promise<string> {
    return JSON.stringify(await this.#deps.chaos.rest(`/jobs/${jobId}/exceptions`))?.slice(0, 4000) ?? ''
  }

  /** Newest first. */
  #completeSavepoints(): readonly string[] {
    if (!existsSync(this.#savepoints)) return []
    return readdirSync(this.#savepoints, { recursive: true, encoding: 'utf8' })
      .filter(name => name.endsWith('_metadata'))
      .sort()
      .reverse()
      .map(name => join(this.#savepoints, name, '..'))
  }

  #finish(): void {
    const { report } = this.#deps
    const hidden = readdirSync(this.#output).filter(name => !name.startsWith('part-'))
    if (hidden.length > 0) report.left(hidden.map(name => `${this.name}: ${name}`))
    report.finished(this.name)
    rmSync(this.#output, { recursive: true, force: true })
    rmSync(this.#savepoints, { recursive: true, force: true })
    const { storage } = this.#deps.chaos
    for (const jobId of this.#cancelled)
      rmSync(join(storage, 'checkpoints', jobId), { recursive: true, force: true })
  }

  async #client(...args: string[]): Promise<ClientResult> {
    const running: Running = this.#deps.chaos.cluster.flink(...args)
    const timer = setTimeout(() => {
      this.#deps.report.failed(`client did not end: flink ${args.slice(0, 3).join(' ')}\n${running.output()}`)
      running.process.kill('SIGKILL')
    }, CLIENT_LIMIT_MS)
    try {
      return await running.finished
    } finally {
      clearTimeout(timer)
    }
  }

  #check(what: () => string): void {
    if (performance.now() > this.#deadlineMs) throw new Error(`does not come to its end: ${what()}`)
  }
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? ''
