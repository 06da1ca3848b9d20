import { type Clock, type Logger, type LoggerOptions, serializeError } from '@flink-ts/common'
import type { CoordinatorCommand, CoordinatorReport, CoordinatorsDeployment } from '@flink-ts/gateways'
import type { ThreadCommand, ThreadReport } from '../coordinators/thread-messages.ts'
import { CoordinatorThreadDied } from '../errors.ts'
import type { CoordinatorThread, CoordinatorThreadFactory } from './coordinator-thread.ts'

/** What coordinators may take to close before their thread is ended. */
const CLOSE_TIMEOUT_MS = 1000

interface HostedJobDependencies {
  readonly threads: CoordinatorThreadFactory
  readonly clock: Clock
  readonly logger: Logger
  readonly report: (report: CoordinatorReport) => void
}

/** One run of the coordinators of a job in a thread of its own. Owner: main thread of the job host. */
export class HostedJob {
  readonly deployment: CoordinatorsDeployment
  readonly #threadLogger: LoggerOptions
  readonly #ports: HostedJobDependencies
  readonly #thread: CoordinatorThread
  readonly #gone = Promise.withResolvers<void>()
  /** Commands until the code is there. */
  #waiting: ThreadCommand[] | undefined = []
  #stopping = false
  #failed = false
  #dead = false
  #closed: (() => void) | undefined

  /** Starts the thread at once: it is up when the code comes. */
  constructor(
    options: { readonly deployment: CoordinatorsDeployment; readonly threadLogger: LoggerOptions },
    dependencies: HostedJobDependencies,
  ) {
    this.deployment = options.deployment
    this.#threadLogger = options.threadLogger
    this.#ports = dependencies
    this.#thread = dependencies.threads.start({
      report: report => this.#onReport(report),
      ended: (exitCode, error) => this.#ended(exitCode, error),
    })
  }

  /** Replays the program and starts the coordinators. */
  run(moduleUrl: string): void {
    const waiting = this.#waiting ?? []
    this.#waiting = undefined
    this.#thread.post({ type: 'run', deployment: this.deployment, moduleUrl, logger: this.#threadLogger })
    for (const command of waiting) this.#thread.post(command)
  }

  fail(error: unknown): void {
    this.#report({ type: 'failed', error: serializeError(error) })
  }

  tell(command: CoordinatorCommand): void {
    this.#post({ type: 'command', command: owned(command) })
  }

  /** Closes the coordinators, or gives up on them after a while; resolves when the thread is gone. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#stopping) {
      this.#stopping = true
      if (this.#waiting === undefined && !this.#dead) await this.#close()
      await this.#thread.terminate()
    }
    await this.#gone.promise
  }

  async #close(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#closed = resolve
    const timer = this.#ports.clock.schedule(CLOSE_TIMEOUT_MS, resolve)
    this.#thread.post({ type: 'close' })
    await promise
    timer.cancel()
  }

  #post(command: ThreadCommand): void {
    if (this.#waiting !== undefined) this.#waiting.push(command)
    else this.#thread.post(command)
  }

  #onReport(report: ThreadReport): void {
    if (report.type === 'closed') this.#closed?.()
    else this.#report(report.report)
  }

  #report(report: CoordinatorReport): void {
    if (this.#stopping || this.#failed) return
    if (report.type === 'failed') this.#failed = true
    this.#ports.report(report)
  }

  #ended(exitCode: number, error: unknown): void {
    this.#dead = true
    this.#gone.resolve()
    this.#closed?.()
    if (this.#stopping || this.#failed) return
    const reason = error instanceof Error ? error.message : 'no error was reported'
    this.#ports.logger.error({ jobId: this.deployment.jobId, exitCode, error }, 'Coordinator thread ended')
    const job = this.deployment.job.graph.name
    this.#report({
      type: 'failed',
      error: serializeError(CoordinatorThreadDied({ job, exitCode, reason }, error)),
    })
  }
}

/** Bytes of their own: posting a part of a buffer would copy the whole. */
function owned(command: CoordinatorCommand): CoordinatorCommand {
  return command.type === 'event' ? { ...command, event: new Uint8Array(command.event) } : command
}
