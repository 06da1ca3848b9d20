import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { ClusterClient } from '@flink-ts/client'
import { Configuration, isFlinkError, type JobId } from '@flink-ts/common'
import {
  createBundle,
  createPlanningContext,
  type ExecutionContext,
  extractBundle,
  findRuntimeModuleDirs,
  installExecutionContext,
  type JobClient,
  type JobGraph,
  looksLikeSecret,
  type PlanningRecorder,
  preloadRuntime,
  type ReplayableProgram,
  startPlanningRecorder,
} from '@flink-ts/jobgraph'
import { NoJobExecuted } from '../errors.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { formatElapsed } from '../format.ts'
import { configurationFor, connect, type SessionOptions } from '../session.ts'
import { JobStatusLine } from '../status-line.ts'
import type { Terminal } from '../terminal.ts'

export interface RunOptions extends SessionOptions {
  readonly detached?: boolean
  readonly parallelism?: number
  /** Checkpoint or savepoint to start from. */
  readonly fromSavepoint?: string
  readonly allowNonRestoredState?: boolean
}

/** What of the process a run takes hold of; tests give their own. */
export interface RunProcess {
  /** Ends the process. */
  exit(code: number): never
}

/**
 * `flink run job.ts args...`: bundles the program, runs its main here to plan its jobs, submits them and waits for
 * their ends. The code that runs here is that of the bundle, so that replays run the same.
 */
export async function runCommand(
  job: string,
  args: readonly string[],
  options: RunOptions,
  terminal: Terminal,
  runProcess: RunProcess = process,
): Promise<void> {
  const configuration = configurationFor(options).with(settingsOf(options))
  const runtimeModuleDirs = findRuntimeModuleDirs()
  // Takes about as long as connecting does.
  const startPlanning = loadRuntime(runtimeModuleDirs['flink-ts'], args)
  // Without a cluster nothing of the program may run.
  const connection = new RunConnection(configuration, await connect(configuration))
  const temporary = mkdtempSync(join(tmpdir(), 'flink-run-'))
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))
  // Without a listener these end the process without its 'exit'. A program may have listeners that do something else.
  for (const [signal, exitCode] of [
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => {
      if (process.listenerCount(signal) === 1) process.exit(exitCode)
    })
  }

  const entry = resolve(job)
  const bundleFile = /\.(tgz|tar\.gz)$/.test(entry)
    ? entry
    : (await createBundle({ entry, outFile: join(temporary, 'job.tgz') })).file
  const { moduleUrl } = await extractBundle(bundleFile, join(temporary, 'job'), { runtimeModuleDirs })

  const jobs = new RunningJobs(connection, { detached: options.detached === true }, terminal, runProcess)
  process.setSourceMapsEnabled(true)
  process.argv = [process.argv[0] as string, entry, ...args]
  const recorder = await startPlanning(moduleUrl, recorder =>
    createPlanningContext(
      { args, configuration: travelling(configuration), code: { type: 'bundle', blobKey: '' } },
      { recorder, submit: (graph, program) => jobs.submit(bundleFile, graph, program) },
    ),
  )
  process.on('SIGINT', () => jobs.interrupt())
  try {
    await import(moduleUrl)
  } catch (error) {
    jobs.explainFailure()
    throw error
  } finally {
    recorder.stop()
    await connection.mainEnded()
  }
  // A part of main that is not awaited may still call execute; without one the process has nothing left to do.
  process.once('beforeExit', () => {
    if (jobs.count > 0) return
    terminal.complain(NoJobExecuted({ program: job }).message)
    process.exitCode = EXIT_CODES.failed
  })
}

/**
 * Begins to load the runtime, unobserved. The answer starts the recording, in the context that `contextOf` makes, as
 * soon as the runtime of the program at `moduleUrl` is there.
 * @param runtimeDir folder of the package flink-ts; undefined: not known before the program is
 */
function loadRuntime(
  runtimeDir: string | undefined,
  args: readonly string[],
): (
  moduleUrl: string,
  contextOf: (recorder: PlanningRecorder) => ExecutionContext,
) => Promise<PlanningRecorder> {
  let context: ExecutionContext | undefined
  const current = (): ExecutionContext => {
    if (context === undefined) throw new Error('The program is not started yet')
    return context
  }
  // The runtime must find a context while it loads, or it would take this process for that of a local program.
  installExecutionContext({
    mode: 'planning',
    args,
    configuration: {},
    capture: (name, read) => current().capture(name, read),
    executor: { execute: (graph, functions) => current().executor.execute(graph, functions) },
  })
  const early =
    runtimeDir === undefined
      ? Promise.resolve()
      : preloadRuntime(pathToFileURL(join(runtimeDir, 'package.json')).href)
  early.catch(() => {}) // A runtime that does not load fails again below, or its loss is of no interest any more.
  return async (moduleUrl, contextOf) => {
    await early
    await preloadRuntime(moduleUrl)
    const recorder = startPlanningRecorder({ args })
    context = contextOf(recorder)
    installExecutionContext(context)
    return recorder
  }
}

/** The configuration as the replays get it. Secrets stay here: the processes of the cluster have their own. */
function travelling(configuration: Configuration): Record<string, string> {
  return Object.fromEntries(Object.entries(configuration.toRecord()).filter(([key]) => !looksLikeSecret(key)))
}

/** What the options of the command say, by Flink's keys. */
function settingsOf(options: RunOptions): Configuration {
  const settings: Record<string, string> = {}
  if (options.parallelism !== undefined) settings['parallelism.default'] = String(options.parallelism)
  if (options.fromSavepoint !== undefined) settings['execution.state-recovery.path'] = options.fromSavepoint
  if (options.allowNonRestoredState === true) {
    settings['execution.state-recovery.ignore-unclaimed-state'] = 'true'
  }
  return Configuration.of(settings, 'command line')
}

/** Nothing is sent if the cluster has the bundle. */
async function submitWithBundle(
  cluster: ClusterClient,
  bundleFile: string,
  graph: JobGraph,
  program: ReplayableProgram,
): Promise<JobClient> {
  for (let attempt = 1; ; attempt++) {
    const blobKey = await cluster.uploadBundle(bundleFile)
    try {
      return await cluster.submitJob({ graph, program: { ...program, code: { type: 'bundle', blobKey } } })
    } catch (error) {
      // The JobManager was started anew in between, with an empty store.
      if (attempt === 3 || !isFlinkError(error) || error.code !== 'dispatcher.bundle-missing') throw error
    }
  }
}

/** The cluster of a run. Closed when main has ended and no job runs, so that it does not keep the process alive. */
class RunConnection {
  readonly #configuration: Configuration
  #cluster: Promise<ClusterClient> | undefined
  #users = 0
  #mainEnded = false

  constructor(configuration: Configuration, cluster: ClusterClient) {
    this.#configuration = configuration
    this.#cluster = Promise.resolve(cluster)
  }

  acquire(): Promise<ClusterClient> {
    this.#users++
    this.#cluster ??= connect(this.#configuration)
    return this.#cluster
  }

  async done(): Promise<void> {
    this.#users--
    await this.#release()
  }

  /** Main has come to its last line; what of it is not awaited may still submit jobs. */
  async mainEnded(): Promise<void> {
    this.#mainEnded = true
    await this.#release()
  }

  async #release(): Promise<void> {
    if (this.#users > 0 || !this.#mainEnded) return
    const cluster = this.#cluster
    this.#cluster = undefined
    await (await cluster)?.close()
  }
}

/** The jobs that a program has submitted. Owner: the main thread. */
class RunningJobs {
  count = 0
  readonly #connection: RunConnection
  readonly #detached: boolean
  readonly #terminal: Terminal
  readonly #process: RunProcess
  /** Submitted and not over. */
  readonly #open = new Set<string>()
  #lastFailed: string | undefined

  constructor(
    connection: RunConnection,
    options: { readonly detached: boolean },
    terminal: Terminal,
    runProcess: RunProcess,
  ) {
    this.#connection = connection
    this.#detached = options.detached
    this.#terminal = terminal
    this.#process = runProcess
  }

  /** What `execute` of the program does. */
  async submit(bundleFile: string, graph: JobGraph, program: ReplayableProgram): Promise<JobClient> {
    this.count++
    const cluster = await this.#connection.acquire()
    try {
      return this.#attach(cluster, graph, await submitWithBundle(cluster, bundleFile, graph, program))
    } catch (error) {
      await this.#connection.done()
      throw error
    }
  }

  /** Ctrl-C. */
  interrupt(): void {
    for (const jobId of this.#open) {
      this.#terminal.complain(`Job ${jobId} goes on. To cancel it: flink cancel ${jobId}`)
    }
    this.#process.exit(EXIT_CODES.interrupted)
  }

  explainFailure(): void {
    if (this.#lastFailed !== undefined)
      process.once('exit', () => this.#terminal.complain(this.#lastFailed as string))
  }

  #attach(cluster: ClusterClient, graph: JobGraph, client: JobClient): JobClient {
    const { jobId } = client
    this.#terminal.print(`Job has been submitted with JobID ${jobId}`)
    // Code behind execute expects a result, which a detached run does not wait for.
    if (this.#detached) this.#process.exit(EXIT_CODES.ok)
    this.#open.add(jobId)
    const statusLine = new JobStatusLine(graph.name, this.#terminal)
    const stop = statusLine.follow(() => cluster.jobDetails(jobId as JobId))
    const result = client.result().then(
      outcome => {
        this.#terminal.print(`Job ${jobId} finished in ${formatElapsed(outcome.netRuntimeMs)}`)
        return outcome
      },
      (error: unknown) => {
        this.#lastFailed = `Job ${jobId} (${graph.name}) did not finish.`
        throw error
      },
    )
    const settled = result.finally(async () => {
      stop()
      this.#open.delete(jobId)
      await this.#connection.done()
    })
    // The failure is the program's to handle, by awaiting the result; a program that never does must not end by it.
    settled.catch(() => undefined)
    return { jobId, status: () => client.status(), cancel: () => client.cancel(), result: () => settled }
  }
}
