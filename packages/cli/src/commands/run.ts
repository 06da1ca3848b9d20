import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Configuration } from '@flink-ts/common'
import {
  createBundle,
  createPlanningContext,
  type ExecutionContext,
  extractBundle,
  findRuntimeModuleDirs,
  installExecutionContext,
  looksLikeSecret,
  type PlanningRecorder,
  preloadRuntime,
  startPlanningRecorder,
} from '@flink-ts/jobgraph'
import { NoJobExecuted, TargetGivenTwice } from '../errors.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { configurationFor, connect, type SessionOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { RunConnection } from './run-connection.ts'
import { RunningJobs } from './running-jobs.ts'

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
  const connection = new RunConnection(configuration, terminal, await connect(configuration, terminal))
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
      {
        recorder,
        submit: (graph, program, _functions, target) => {
          if (target !== undefined) throw TargetGivenTwice({ target: target.type })
          return jobs.submit(bundleFile, graph, program)
        },
      },
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
