import {
  type Clock,
  deserializeError,
  type ExecutionAttemptId,
  type Logger,
  type Random,
  type SerializedError,
  serializeError,
  type Timer,
} from '@flink-ts/common'
import type {
  CheckpointAcknowledgement,
  TaskDeployment,
  TaskExecutionStateUpdate,
  TaskIoMetrics,
} from '@flink-ts/gateways'
import type { ChannelEnds } from '@flink-ts/network'
import type { AttemptFiles, ReplayedProgram } from '@flink-ts/operators'
import { floatCells } from '@flink-ts/serialization'
import type { CheckpointStorage, StateSettings } from '@flink-ts/state'
import type { SlotLoop } from '../mailbox/slot-loop.ts'
import type { OverdraftLimits } from '../stream-task/overdraft.ts'
import { StreamTask } from '../stream-task/stream-task.ts'
import { splitResults } from './large-results.ts'
import { largestStates } from './largest-states.ts'
import { loadProgram, type ReplayFunction } from './load-program.ts'
import { SlotChannels } from './slot-channels.ts'
import type { LocalCopiesMade, SlotCommand, SlotReport } from './slot-messages.ts'
import { backendsOf, savepointStorageOf, storageOf } from './slot-storage.ts'
import { sourcePathsOf } from './source-paths.ts'
import type { ThreadMetrics } from './thread-metrics.ts'
import { type UncaughtOrigin, uncaughtFailure } from './uncaught-errors.ts'

const METRICS_INTERVAL_MS = 1000
const NO_METRICS: TaskIoMetrics = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }

export interface SlotRunnerOptions {
  readonly slotId: string
  readonly state: StateSettings
  /** See `SlotThreadData`. */
  readonly localStateFolders: readonly string[]
  readonly overdraftLimits: OverdraftLimits
}

export interface SlotRunnerDependencies {
  readonly loop: SlotLoop
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly replay: ReplayFunction
  readonly report: (report: SlotReport) => void
  /** Absent: the thread is not this one's alone. */
  readonly threadMetrics?: Pick<ThreadMetrics, 'read'>
}

/**
 * The tasks of one slot thread: one deployment of one job, from its program to the end of its last task. Commands for
 * tasks that have ended are ignored. Owner: the slot thread.
 */
export class SlotRunner {
  readonly #options: SlotRunnerOptions
  readonly #ports: SlotRunnerDependencies
  readonly #tasks = new Map<ExecutionAttemptId, StreamTask>()
  /** Of tasks whose program is still being loaded: how they are to end. */
  readonly #endedEarly = new Map<ExecutionAttemptId, { readonly error: unknown } | undefined>()
  readonly #loading = new Set<ExecutionAttemptId>()
  #metricsTimer: Timer | undefined
  #jobName = 'unknown'
  #sourcePaths: (error: SerializedError) => SerializedError = error => error

  constructor(options: SlotRunnerOptions, dependencies: SlotRunnerDependencies) {
    this.#options = options
    this.#ports = dependencies
  }

  handle(command: SlotCommand): void {
    switch (command.type) {
      case 'deploy':
        for (const { attemptId } of command.tasks) this.#loading.add(attemptId)
        // Reports every failure as the end of the tasks.
        void this.#deploy(command)
        break
      case 'cancel':
        if (this.#loading.has(command.attemptId)) this.#endedEarly.set(command.attemptId, undefined)
        else this.#tasks.get(command.attemptId)?.cancel()
        break
      case 'fail': {
        const error = deserializeError(command.error)
        if (this.#loading.has(command.attemptId)) this.#endedEarly.set(command.attemptId, { error })
        else this.#tasks.get(command.attemptId)?.fail(error)
        break
      }
      case 'trigger':
        for (const id of command.attemptIds) this.#tasks.get(id)?.triggerCheckpoint(command.trigger)
        break
      case 'drain':
        for (const id of command.attemptIds) this.#tasks.get(id)?.drainSource()
        break
      case 'complete':
        for (const id of command.attemptIds)
          this.#tasks.get(id)?.notifyCheckpointComplete(command.checkpointId)
        break
      case 'aborted':
        for (const id of command.attemptIds)
          this.#tasks.get(id)?.notifyCheckpointAborted(command.checkpointId)
        break
      case 'operator-event':
        this.#tasks.get(command.attemptId)?.operatorEvent(command)
        break
      case 'tap':
        // Never rejects.
        void this.#tap(command)
        break
      case 'describe-states':
        this.#ports.report({ type: 'states', largest: largestStates(this.#tasks.values()) })
        break
    }
    this.#ports.loop.wake()
  }

  async #tap({ tapId, attemptIds, request }: Extract<SlotCommand, { type: 'tap' }>): Promise<void> {
    const taps = attemptIds.map(id => this.#tasks.get(id)?.tap(request))
    const answers = await Promise.all(taps.filter(tap => tap !== undefined))
    this.#ports.report({ type: 'tapped', tapId, answers })
  }

  /** The failure of the tasks if the thread has to end because of this error. */
  describeCrash(error: unknown, origin: UncaughtOrigin): SerializedError {
    return this.#sourcePaths(
      uncaughtFailure({ job: this.#jobName, slot: this.#options.slotId }, error, origin),
    )
  }

  async #deploy({ tasks, moduleUrl, channels }: Extract<SlotCommand, { type: 'deploy' }>): Promise<void> {
    const [first] = tasks
    if (first === undefined) return
    try {
      const { job } = first
      this.#jobName = job.graph.name
      this.#sourcePaths = sourcePathsOf(job, moduleUrl)
      const program = await loadProgram(job.graph, job.program, moduleUrl, this.#ports.replay)
      const settings = { ...this.#options.state, ...job.graph.state }
      const storage = storageOf(job, settings, this.#options.localStateFolders, this.#ports)
      const created = this.#create(tasks, program, channels, storage)
      this.#loading.clear()
      for (const task of created) {
        const early = this.#endedEarly.has(task.attemptId)
        if (!early) continue
        const outcome = this.#endedEarly.get(task.attemptId)
        if (outcome === undefined) task.cancel()
        else task.fail(outcome.error)
      }
      for (const task of created) {
        if (task.ended) continue
        this.#ports.loop.add(task)
        // Failures are reported as the task's state.
        void task.start()
      }
      this.#metricsTimer = this.#ports.clock.scheduleEvery(METRICS_INTERVAL_MS, () => this.#reportMetrics(), {
        unref: true,
      })
    } catch (error) {
      this.#ports.logger.warn({ error }, 'deployment failed')
      this.#loading.clear()
      for (const { attemptId } of tasks) this.#reportUnstarted(attemptId, error)
    }
  }

  #reportUnstarted(attemptId: ExecutionAttemptId, error: unknown): void {
    const cancelled = this.#endedEarly.has(attemptId) && this.#endedEarly.get(attemptId) === undefined
    const end = cancelled
      ? { status: 'CANCELED' as const }
      : { status: 'FAILED' as const, error: serializeError(this.#endedEarly.get(attemptId)?.error ?? error) }
    this.#reportStatus({ attemptId, metrics: NO_METRICS, ...end })
  }

  #reportStatus(update: TaskExecutionStateUpdate): void {
    const { error } = update
    const named = error === undefined ? update : { ...update, error: this.#sourcePaths(error) }
    if (named.accumulators === undefined) {
      this.#ports.report({ type: 'status', update: named })
      return
    }
    const { accumulators, large } = splitResults(named.accumulators)
    const rest = Object.keys(large).length === 0 ? {} : { large }
    this.#ports.report({ type: 'status', update: { ...named, accumulators }, ...rest })
  }

  #create(
    deployments: readonly TaskDeployment[],
    program: ReplayedProgram,
    rings: readonly ChannelEnds[],
    storage: CheckpointStorage | undefined,
  ): readonly StreamTask[] {
    const registers = new Map(deployments.map(({ attemptId }) => [attemptId, floatCells([Number.NaN])]))
    const channels = new SlotChannels(deployments, registers, rings, this.#ports.random)
    const savepoints = savepointStorageOf(this.#options.state, this.#ports)
    const settings = { ...this.#options.state, ...deployments[0]?.job.graph.state }
    const backends = backendsOf(storage, savepoints, settings)
    const copied = this.#options.localStateFolders.length > 0 && settings.localCopies?.write === true
    return deployments.map(deployment => {
      const { attemptId } = deployment
      const task: StreamTask = new StreamTask(
        {
          deployment,
          program,
          timestamp: registers.get(attemptId) as Float64Array,
          overdraftLimits: this.#options.overdraftLimits,
        },
        {
          loop: this.#ports.loop,
          clock: this.#ports.clock,
          logger: this.#ports.logger.child({ jobId: deployment.job.jobId }),
          reporter: {
            status: update => this.#reportStatus(update),
            closing: () => this.#ports.report({ type: 'closing', attemptId }),
            acknowledge: acknowledgement => {
              if (copied) this.#ports.report({ type: 'local-copies', ...madeCopies(acknowledgement) })
              this.#ports.report({ type: 'acknowledge', acknowledgement })
            },
            decline: ({ reason, ...rest }) =>
              this.#ports.report({
                type: 'decline',
                decline: { ...rest, reason: this.#sourcePaths(reason) },
              }),
            endOfData: () => this.#ports.report({ type: 'end-of-data', attemptId }),
            files: this.#files,
            operatorEvent: (operatorId, event) =>
              this.#ports.report({ type: 'operator-event', attemptId, operatorId, event }),
          },
          channels,
          backends,
          storage,
          savepoints,
          onEnded: () => this.#ended(task),
        },
      )
      this.#tasks.set(attemptId, task)
      return task
    })
  }

  readonly #files: AttemptFiles = {
    made: uri => this.#ports.report({ type: 'files', uris: [uri], state: 'made' }),
    covered: (uris, checkpointId) => {
      if (uris.length > 0) this.#ports.report({ type: 'files', uris, state: 'covered', checkpointId })
    },
    gone: uris => {
      if (uris.length > 0) this.#ports.report({ type: 'files', uris, state: 'gone' })
    },
  }

  #ended(task: StreamTask): void {
    this.#ports.loop.remove(task)
    this.#tasks.delete(task.attemptId)
    if (this.#tasks.size > 0) return
    this.#metricsTimer?.cancel()
  }

  #reportMetrics(): void {
    const metrics: Record<string, TaskIoMetrics> = {}
    for (const [attemptId, task] of this.#tasks) metrics[attemptId] = task.metrics
    const thread = this.#ports.threadMetrics?.read()
    this.#ports.report({ type: 'metrics', metrics, ...(thread && { thread }) })
  }
}

function madeCopies({ checkpointId, state }: CheckpointAcknowledgement): LocalCopiesMade {
  const origins = state.operators.flatMap(({ keyed }) => keyed.map(({ origin }) => origin ?? checkpointId))
  return { checkpointId, origins: [...new Set([checkpointId, ...origins])] }
}
