import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Clock, Logger } from '@flink-ts/common'
import type { JobHostLauncher, LaunchedJobHost } from '@flink-ts/jobmanager'

/** How a job host learns who started it. In the environment, where other users of the machine do not see it. */
export const JOB_HOST_ENVIRONMENT = {
  address: 'FLINK_JOB_HOST_ADDRESS',
  token: 'FLINK_JOB_HOST_TOKEN',
} as const

/** What a job host may take to end after it was asked to. */
const END_TIMEOUT_MS = 3000

export interface JobHostProcessesOptions {
  /** Where the JobManager listens, as this machine reaches it. */
  readonly jobManagerAddress: () => string
  /** Arguments of the JobManager: the job host gets the same configuration. */
  readonly args: readonly string[]
  /** The job host has its folder below this one. */
  readonly temporaryFolder: string
}

/**
 * Starts job hosts as children of this process. A channel to each tells it when this process is gone, whatever ended
 * it. They log where this process logs.
 */
export class JobHostProcesses implements JobHostLauncher {
  readonly #options: JobHostProcessesOptions
  readonly #clock: Clock
  readonly #logger: Logger

  constructor(
    options: JobHostProcessesOptions,
    dependencies: { readonly clock: Clock; readonly logger: Logger },
  ) {
    this.#options = options
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger
  }

  launch(token: string): LaunchedJobHost {
    const { jobManagerAddress, args, temporaryFolder } = this.#options
    const child = spawn(
      process.execPath,
      [...process.execArgv, jobHostMain(), ...args, `-Dio.tmp.dirs=${temporaryFolder}`],
      {
        env: {
          ...process.env,
          [JOB_HOST_ENVIRONMENT.address]: jobManagerAddress(),
          [JOB_HOST_ENVIRONMENT.token]: token,
        },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      },
    )
    const ended = endOf(child)
    // Logged only; never rejects.
    void ended.then(reason => this.#logger.debug({ pid: child.pid, reason }, 'Job host process ended'))
    return { ended, stop: () => this.#stop(child, ended) }
  }

  async #stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill('SIGTERM')
      const timer = this.#clock.schedule(END_TIMEOUT_MS, () => child.kill('SIGKILL'))
      await ended
      timer.cancel()
    }
  }
}

/** Settles when the process is gone or could not be started, with what is known of it. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise(resolve => {
    child.once('error', error => resolve(`its process could not be started or reached: ${error.message}`))
    child.once('exit', (code, signal) =>
      resolve(signal === null ? `its process ended with code ${code}` : `its process ended by ${signal}`),
    )
  })
}

/** Sources run as they are, built packages from `dist`. */
function jobHostMain(): string {
  const extension = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return fileURLToPath(new URL(`../entrypoint/jobhost-main.${extension}`, import.meta.url))
}
