import { Configuration } from '@flink-ts/common'
import { PlannedProgram } from '@flink-ts/jobgraph'
import { NoJobExecuted, TargetGivenTwice } from '../errors.ts'
import { EXIT_CODES } from '../exit-codes.ts'
import { configurationFor, connect, type SessionOptions, settingsConfiguration } from '../session.ts'
import type { Terminal } from '../terminal.ts'
import { RunConnection } from './run-connection.ts'
import { RunningJobs } from './running-jobs.ts'

export interface RunOptions extends SessionOptions {
  readonly detached?: boolean
  readonly parallelism?: number
  /** Checkpoint or savepoint to start from. */
  readonly fromSavepoint?: string
  readonly allowNonRestoredState?: boolean
  /** As `fromSavepoint`, or `latest`. */
  readonly from?: string
  readonly claimMode?: string
  /** An export of the program that is its main. */
  readonly entry?: string
  /** Ctrl-C cancels the jobs instead of leaving them. */
  readonly shutdownOnAttachedExit?: boolean
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
  const configuration = configurationFor(options, terminal).with(settingsOf(options))
  // Loading takes about as long as connecting does.
  const program = new PlannedProgram({ job, args, configuration, entryFunction: options.entry })
  // Without a cluster nothing of the program may run.
  const connection = new RunConnection(
    configuration,
    terminal,
    await connect(configuration, terminal, { patient: true }),
  )
  const jobs = new RunningJobs(
    connection,
    { detached: options.detached === true, cancelAtInterrupt: options.shutdownOnAttachedExit === true },
    terminal,
    runProcess,
  )
  for (const [signal, exitCode] of [
    ['SIGINT', EXIT_CODES.interrupted],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => jobs.interrupt(exitCode))
  }
  const slow = setTimeout(() => {
    if (jobs.count === 0) terminal.complain(describeSlowMain(job))
  }, SLOW_MAIN_MS)
  slow.unref()
  // By process.exit, which a program may have meant for the end of its own.
  const exited = (code: number): void => {
    if (code !== 0) return
    if (jobs.count > 0 && !jobs.exited()) return
    if (jobs.count === 0) terminal.complain(NoJobExecuted({ program: job }).message)
    process.exitCode = EXIT_CODES.failed
  }
  process.once('exit', exited)
  try {
    await program.evaluate(async (bundleFile, graph, replayable, target) => {
      if (target !== undefined) throw TargetGivenTwice({ target: target.type })
      return await jobs.submit(bundleFile, graph, replayable)
    })
  } catch (error) {
    jobs.explainFailure()
    throw error
  } finally {
    clearTimeout(slow)
    await connection.mainEnded()
  }
  // A part of main that is not awaited may still call execute; without one the process has nothing left to do.
  process.once('beforeExit', () => {
    if (jobs.count > 0) return
    terminal.complain(NoJobExecuted({ program: job }).message)
    process.exitCode = EXIT_CODES.failed
  })
}

/** After which a main without a job is talked about. */
const SLOW_MAIN_MS = 10_000

function describeSlowMain(program: string): string {
  return (
    `${program} has run for ${SLOW_MAIN_MS / 1000} s without calling env.execute(). It goes on; Ctrl-C ends it. If it ` +
    'waits for something, await only what is sure to come; what takes long to read belongs into env.capture.'
  )
}

/** What the options of the command say, by Flink's keys. */
function settingsOf(options: RunOptions): Configuration {
  const settings: Record<string, string> = {}
  const from = options.fromSavepoint ?? options.from
  if (from !== undefined) settings['execution.state-recovery.path'] = from
  if (options.claimMode !== undefined) settings['execution.state-recovery.claim-mode'] = options.claimMode
  if (options.allowNonRestoredState === true) {
    settings['execution.state-recovery.ignore-unclaimed-state'] = 'true'
  }
  return settingsConfiguration(options).with(Configuration.of(settings, 'command line'))
}
