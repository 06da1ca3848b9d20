import {
  type Clock,
  deserializeError,
  type ExecutionAttemptId,
  type Logger,
  type Random,
  serializeError,
  type Timer,
} from '@flink-ts/common'
import { fileSystemFor, toUri } from '@flink-ts/filesystem'
import type { JobInformation, TaskDeployment, TaskIoMetrics } from '@flink-ts/gateways'
import {
  type ChannelEnds,
  createChannelReader,
  createChannelWriter,
  createRecordWriter,
} from '@flink-ts/network'
import type { ReplayedProgram } from '@flink-ts/operators'
import {
  type CheckpointStorage,
  createHashMapKeyedStateBackend,
  createOperatorStateBackend,
  FileCheckpointStorage,
  type StateLocation,
  type StateReader,
} from '@flink-ts/state'
import { CheckpointDirectoryMissing, InvalidDeployment } from '../errors.ts'
import type { SlotLoop } from '../mailbox/slot-loop.ts'
import { DirectChannel } from '../stream-task/direct-channel.ts'
import type { OperatorOverdraft, OverdraftLimits } from '../stream-task/overdraft.ts'
import { StreamTask } from '../stream-task/stream-task.ts'
import type { StateBackends, TaskChannels } from '../stream-task/task-ports.ts'
import { loadProgram, type ReplayFunction } from './load-program.ts'
import type { SlotCommand, SlotReport } from './slot-messages.ts'

const METRICS_INTERVAL_MS = 1000
const NO_METRICS: TaskIoMetrics = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }

export interface SlotRunnerOptions {
  readonly inlineThresholdBytes: number
  readonly overdraftLimits: OverdraftLimits
}

export interface SlotRunnerDependencies {
  readonly loop: SlotLoop
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
  readonly replay: ReplayFunction
  readonly report: (report: SlotReport) => void
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
    }
    this.#ports.loop.wake()
  }

  async #deploy({ tasks, moduleUrl, channels }: Extract<SlotCommand, { type: 'deploy' }>): Promise<void> {
    const [first] = tasks
    if (first === undefined) return
    try {
      const { job } = first
      const program = await loadProgram(job.graph, job.program, moduleUrl, this.#ports.replay)
      const storage = this.#storageOf(job)
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
    this.#ports.report({ type: 'status', update: { attemptId, metrics: NO_METRICS, ...end } })
  }

  #create(
    deployments: readonly TaskDeployment[],
    program: ReplayedProgram,
    rings: readonly ChannelEnds[],
    storage: CheckpointStorage | undefined,
  ): readonly StreamTask[] {
    const registers = new Map(deployments.map(({ attemptId }) => [attemptId, new Float64Array([Number.NaN])]))
    const channels = new SlotChannels(deployments, registers, rings, this.#ports.random)
    const backends = backendsOf(storage)
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
            status: update => this.#ports.report({ type: 'status', update }),
            closing: () => this.#ports.report({ type: 'closing', attemptId }),
            acknowledge: acknowledgement => this.#ports.report({ type: 'acknowledge', acknowledgement }),
            decline: decline => this.#ports.report({ type: 'decline', decline }),
            endOfData: () => this.#ports.report({ type: 'end-of-data', attemptId }),
            operatorEvent: (operatorId, event) =>
              this.#ports.report({ type: 'operator-event', attemptId, operatorId, event }),
          },
          channels,
          backends,
          storage,
          onEnded: () => this.#ended(task),
        },
      )
      this.#tasks.set(attemptId, task)
      return task
    })
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
    this.#ports.report({ type: 'metrics', metrics })
  }

  #storageOf(job: JobInformation): CheckpointStorage | undefined {
    const directory = job.checkpointDirectory
    if (directory === undefined) {
      if (job.graph.checkpointing.intervalMs === undefined) return undefined
      throw CheckpointDirectoryMissing({ job: job.graph.name })
    }
    const { random } = this.#ports
    const { inlineThresholdBytes } = this.#options
    return new FileCheckpointStorage(
      { directory, jobId: job.jobId, inlineThresholdBytes },
      { fileSystem: fileSystemFor(toUri(directory)), random },
    )
  }
}

/** The channels between the tasks of a thread, and the rings to all others. Owner: the slot thread. */
class SlotChannels implements TaskChannels {
  readonly #rings: ReadonlyMap<string, ChannelEnds>
  readonly #direct = new Map<string, DirectChannel>()
  readonly #random: Random

  constructor(
    deployments: readonly TaskDeployment[],
    registers: ReadonlyMap<ExecutionAttemptId, Float64Array>,
    rings: readonly ChannelEnds[],
    random: Random,
  ) {
    this.#rings = new Map(rings.map(ends => [ends.channelId, ends]))
    this.#random = random
    for (const { attemptId, outputs } of deployments) {
      for (const { channelId } of outputs.flatMap(edge => edge.channels)) {
        if (this.#rings.has(channelId)) continue
        this.#direct.set(channelId, new DirectChannel(registers.get(attemptId) as Float64Array))
      }
    }
  }

  reader(channelId: string, timestamp: Float64Array) {
    const ends = this.#rings.get(channelId)
    return ends === undefined ? this.#directChannel(channelId) : createChannelReader(ends, timestamp)
  }

  writer(channelId: string, timestamp: Float64Array, overdraft: OperatorOverdraft) {
    const ends = this.#rings.get(channelId)
    return ends === undefined
      ? this.#directChannel(channelId).bound(overdraft)
      : createChannelWriter(ends, { timestamp, overdraft })
  }

  recordWriter(...[partitioner, channels, options]: Parameters<TaskChannels['recordWriter']>) {
    // The generated function of a direct channel is called as it is, without the wrapper of a method call.
    const targets = channels.map(channel => (channel instanceof DirectChannel ? channel.write : channel))
    return createRecordWriter(partitioner, targets, { ...options, random: this.#random })
  }

  #directChannel(channelId: string): DirectChannel {
    const channel = this.#direct.get(channelId)
    if (channel !== undefined) return channel
    throw InvalidDeployment({
      task: channelId,
      problem: 'the producer of this direct channel is not in the same slot',
    })
  }
}

function backendsOf(storage: CheckpointStorage | undefined): StateBackends {
  const reader: StateReader & Pick<CheckpointStorage, 'read'> = storage ?? INLINE_ONLY
  return {
    keyed: (options, restored) => createHashMapKeyedStateBackend(options, restored, reader),
    operator: restored => createOperatorStateBackend(restored, reader),
  }
}

/** Without checkpoint storage there is nothing to restore but what came with the deployment. */
const INLINE_ONLY: StateReader & Pick<CheckpointStorage, 'read'> = {
  read: async location => inlineContent(location),
  readRange: async (location, start, end) => inlineContent(location).subarray(start, end),
}

function inlineContent(location: StateLocation): Buffer {
  if (location.type === 'inline') return Buffer.from(location.base64, 'base64')
  throw InvalidDeployment({
    task: location.path,
    problem: 'state is to be restored but there is no checkpoint directory',
  })
}
