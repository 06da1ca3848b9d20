import {
  type AllocationId,
  type Clock,
  type ExecutionAttemptId,
  type JobId,
  type Logger,
  type LoggerOptions,
  type SerializedError,
  type SlotId,
  serializeError,
} from '@flink-ts/common'
import type { JobOver, TapAnswer, TapRequest, TaskDeployment, TaskSelection } from '@flink-ts/gateways'
import { type ChannelEnds, Doorbell } from '@flink-ts/network'
import type { StateSettings } from '@flink-ts/state'
import { CancellationTimedOut, SlotBusy, SlotOutOfMemory, SlotThreadDied } from '../errors.ts'
import { Pulse } from '../mailbox/pulse.ts'
import type { OverdraftLimits } from '../stream-task/overdraft.ts'
import type { SlotCommand, SlotReport } from '../thread/slot-messages.ts'
import type { ThreadMeasures } from '../thread/thread-metrics.ts'
import { LongCallWatch } from './long-call-watch.ts'
import { SlotInspection } from './slot-inspection.ts'
import type { SlotListener } from './slot-listener.ts'
import { SlotMemoryWatch } from './slot-memory-watch.ts'
import { SlotTasks } from './slot-tasks.ts'
import type { SlotThread, SlotThreadFactory } from './slot-thread.ts'
import type { TaskProfileBuilder } from './task-profile.ts'
import { UnfinishedFiles } from './unfinished-files.ts'

export interface AllocatedSlotOptions {
  readonly slotId: SlotId
  readonly allocationId: AllocationId
  readonly jobId: JobId
  readonly cancellationTimeoutMs: number
  readonly state: StateSettings
  /** See `SlotThreadData`. */
  readonly localStateFolders: readonly string[]
  readonly overdraftLimits: OverdraftLimits
  readonly memoryLimitBytes: number
  readonly threadLogger: LoggerOptions
}

/** A job that was cancelled or failed for good gives the slot back meanwhile: no thread is started for nothing. */
const RENEWAL_DELAY_MS = 20

/**
 * One slot while a job has it: its thread, a new one for each deployment, and the tasks in it. Tasks that do not stop
 * in time cost the thread. Owner: TaskExecutor main thread.
 */
export class AllocatedSlot {
  readonly slotId: SlotId
  readonly allocationId: AllocationId
  readonly jobId: JobId
  /** Rung by partners of the slot's channels; stays the same when the thread is replaced. */
  readonly bell: SharedArrayBuffer = Doorbell.allocate()
  readonly #options: AllocatedSlotOptions
  readonly #threads: SlotThreadFactory
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #listener: SlotListener
  readonly #tasks: SlotTasks
  readonly #leaving = new Set<Promise<void>>()
  readonly #files: UnfinishedFiles
  #thread: SlotThread | undefined
  #memory: SlotMemoryWatch | undefined
  #longCalls: LongCallWatch | undefined
  readonly #inspection: SlotInspection
  #measures: ThreadMeasures | undefined
  #pulse = Pulse.allocate()
  /** Why the thread said that it ends. */
  #crash: SerializedError | undefined
  /** For messages; known from the first deployment on. */
  #jobName: string
  #blobAddress: string | undefined
  /** The thread has got tasks: it cannot get others. */
  #used = false
  /** Deployed, but not handed to the thread yet: commands wait. */
  #waiting: SlotCommand[] | undefined
  #released = false

  constructor(
    options: AllocatedSlotOptions,
    dependencies: { threads: SlotThreadFactory; clock: Clock; logger: Logger; listener: SlotListener },
  ) {
    this.slotId = options.slotId
    this.allocationId = options.allocationId
    this.jobId = options.jobId
    this.#options = options
    this.#jobName = options.jobId
    this.#threads = dependencies.threads
    this.#clock = dependencies.clock
    this.#listener = dependencies.listener
    const { slotId, allocationId, jobId } = options
    this.#logger = dependencies.logger.child({ slotId, allocationId, jobId })
    this.#files = new UnfinishedFiles({ logger: this.#logger })
    this.#tasks = new SlotTasks(options, {
      clock: dependencies.clock,
      ended: (update, large) => this.#listener.taskEnded(this, update, large),
      stuck: attemptId => this.#stuck(attemptId),
    })
    this.#inspection = new SlotInspection({
      clock: this.#clock,
      post: command => this.#thread?.post(command),
    })
    // Before there is anything to run: the first deployment then finds a thread that is up.
    this.#startThread()
  }

  /** Where the job of the last deployment has its blobs. */
  get blobAddress(): string | undefined {
    return this.#blobAddress
  }

  /** Its tasks have begun files that are no results yet. */
  get hasUnfinishedFiles(): boolean {
    return this.#files.size > 0
  }

  /** What its thread last told of itself; undefined: nothing yet. */
  get measures(): ThreadMeasures | undefined {
    return this.#measures
  }

  get liveTasks(): readonly ExecutionAttemptId[] {
    return this.#tasks.ids
  }

  /**
   * Runs tasks in a fresh thread, once the code is there. Throws `taskmanager.slot-busy` while tasks of an earlier
   * deployment have not ended; every other failure ends the tasks as FAILED.
   * @param prepare opens the channels
   */
  deploy(
    tasks: readonly TaskDeployment[],
    prepare: () => readonly ChannelEnds[],
    moduleUrl: () => Promise<string>,
  ): void {
    const [running] = this.#tasks.ids
    if (running !== undefined) throw SlotBusy({ allocation: this.allocationId, running })
    const channels = prepare()
    this.#jobName = tasks[0]?.job.graph.name ?? this.#jobName
    this.#files.restored(tasks[0]?.restore?.checkpointId)
    this.#blobAddress = tasks[0]?.job.blobAddress
    for (const { attemptId } of tasks) this.#tasks.add(attemptId)
    this.#inspection.deployed(tasks)
    const waiting: SlotCommand[] = []
    this.#waiting = waiting
    moduleUrl().then(
      url => {
        // Released, or the tasks have ended meanwhile for lack of a thread.
        if (this.#released || this.#waiting !== waiting) return
        if (this.#used || this.#thread === undefined) {
          this.#leaveThread()
          this.#startThread()
        }
        this.#used = true
        this.#waiting = undefined
        const live = tasks.filter(({ attemptId }) => this.#tasks.has(attemptId))
        this.post({ type: 'deploy', tasks: live, moduleUrl: url, channels })
        this.#inspection.running(this.#thread, url)
        this.#watchCalls(url)
        for (const command of waiting) this.post(command)
      },
      (error: unknown) => {
        if (this.#waiting !== waiting) return
        this.#waiting = undefined
        this.#tasks.endAll(serializeError(error))
      },
    )
  }

  /**
   * Stops a task; if it takes too long, the thread is terminated. One whose code is not there yet has nothing to stop:
   * it ends at once, however long its code takes. Idempotent; unknown tasks are ignored.
   */
  cancel(attemptId: ExecutionAttemptId): void {
    if (!this.#tasks.cancel(attemptId)) return
    if (this.#waiting === undefined) {
      this.post({ type: 'cancel', attemptId })
      return
    }
    this.#tasks.endCancelled(attemptId)
    if (this.#tasks.size === 0) this.#waiting = undefined
  }

  fail(attemptId: ExecutionAttemptId, error: SerializedError): void {
    if (this.#tasks.has(attemptId)) this.post({ type: 'fail', attemptId, error })
  }

  /** A command for tasks of this slot. */
  post(command: SlotCommand): void {
    if (this.#waiting !== undefined) this.#waiting.push(command)
    else this.#thread?.post(command)
  }

  /**
   * Ends the thread; its tasks end as FAILED with `error`. Resolves when all threads of the slot are gone, and with
   * `jobOver` unfinished files of its tasks.
   */
  async release(error: SerializedError, jobOver?: JobOver): Promise<void> {
    this.#released = true
    this.#leaveThread()
    this.#waiting = undefined
    this.#tasks.endAll(error)
    await Promise.all(this.#leaving)
    if (jobOver !== undefined) await this.#files.removeUncovered(jobOver)
  }

  /** Adds what the thread does to the profile of a vertex, if that has a task here. Never rejects. */
  profile(selection: TaskSelection, durationMs: number, into: TaskProfileBuilder): Promise<void> {
    return this.#inspection.profile(selection, durationMs, into)
  }

  /** See `StreamTask.tap`. Empty if no task of the selection runs here. Never rejects. */
  tap(selection: TaskSelection, request: TapRequest): Promise<readonly TapAnswer[]> {
    return this.#inspection.tap(selection, request)
  }

  #watchCalls(moduleUrl: string): void {
    this.#longCalls?.stop()
    const thread = this.#thread
    if (thread === undefined) return
    const pulse = new Pulse(this.#pulse)
    this.#longCalls = new LongCallWatch(
      { moduleUrl },
      { thread, pulse, clock: this.#clock, logger: this.#logger },
    )
  }

  #startThread(): void {
    this.#pulse = Pulse.allocate()
    const { slotId, jobId, threadLogger, memoryLimitBytes, ...settings } = this.#options
    const { state, localStateFolders, overdraftLimits } = settings
    const data = { state, localStateFolders, overdraftLimits, memoryLimitBytes, logger: threadLogger }
    const thread: SlotThread = this.#threads.start(
      { slotId, jobId, bell: this.bell, pulse: this.#pulse, ...data },
      {
        report: report => {
          if (this.#thread === thread) this.#onReport(report)
        },
        ended: (exitCode, error) => {
          if (this.#thread === thread) this.#onDied(exitCode, error)
        },
      },
    )
    this.#thread = thread
    this.#measures = undefined
    this.#crash = undefined
    this.#used = false
    this.#memory?.stop()
    this.#memory = new SlotMemoryWatch(
      { limitBytes: memoryLimitBytes },
      {
        ...{ thread, clock: this.#clock, logger: this.#logger },
        exceeded: usedBytes => {
          if (this.#thread === thread) this.#outOfMemory(usedBytes)
        },
      },
    )
  }

  /** Has a thread that can take tasks, once the earlier ones have ended and unless the slot is freed at once. */
  #renewThreadSoon(): void {
    if (this.#tasks.size > 0) return
    const renew = (): void => {
      if (this.#released || this.#tasks.size > 0 || (this.#thread !== undefined && !this.#used)) return
      this.#leaveThread()
      this.#startThread()
    }
    this.#clock.schedule(RENEWAL_DELAY_MS, renew, { unref: true })
  }

  /** @param usedBytes undefined: V8 has ended the thread already */
  #outOfMemory(usedBytes: number | undefined): void {
    const { memoryLimitBytes: limitBytes } = this.#options
    const largestStates = this.#memory?.largestStates ?? []
    const memory = { usedBytes, limitBytes, largestStates }
    const error = SlotOutOfMemory({ job: this.#jobName, slot: this.slotId, ...memory })
    this.#logger.error({ error }, 'slot is out of memory, its thread is terminated')
    this.#leaveThread()
    this.#waiting = undefined
    this.#tasks.endAll(serializeError(error))
    this.#renewThreadSoon()
  }

  /** Lets the thread go: nothing it says counts any more. */
  #leaveThread(): void {
    const thread = this.#thread
    if (thread === undefined) return
    this.#memory?.stop()
    this.#longCalls?.stop()
    this.#inspection.stopped()
    // First: its end is no surprise any more.
    this.#thread = undefined
    const gone = thread.terminate().catch((error: unknown) => {
      this.#logger.error({ error }, 'slot thread could not be terminated')
    })
    this.#leaving.add(gone)
    // `gone` never rejects.
    void gone.then(() => this.#leaving.delete(gone))
  }

  #onReport(report: SlotReport): void {
    switch (report.type) {
      case 'status': {
        const { update, large } = report
        const { status } = update
        if (status !== 'FINISHED' && status !== 'CANCELED' && status !== 'FAILED') {
          this.#listener.report(this, report)
          break
        }
        this.#tasks.end(update, large)
        // A failed job will be deployed again: the thread for that starts while the job still waits.
        if (status !== 'FINISHED') this.#renewThreadSoon()
        break
      }
      case 'closing':
        this.#tasks.closing(report.attemptId)
        break
      case 'files':
        this.#files.note(report)
        break
      case 'states':
        this.#memory?.described(report.largest)
        break
      case 'tapped':
        this.#inspection.tapped(report)
        break
      case 'crash':
        this.#crash = report.error
        break
      case 'metrics':
        this.#measures = report.thread
        this.#listener.report(this, report)
        break
      default:
        this.#listener.report(this, report)
    }
  }

  #stuck(attemptId: ExecutionAttemptId): void {
    const { cancellationTimeoutMs: timeoutMs } = this.#options
    const error = CancellationTimedOut({ task: attemptId, timeoutMs })
    this.#logger.error({ attemptId, error }, 'task did not stop, its slot thread is terminated')
    this.#leaveThread()
    this.#waiting = undefined
    this.#tasks.endAll(serializeError(error))
    this.#renewThreadSoon()
  }

  #onDied(exitCode: number, error: unknown): void {
    if ((error as NodeJS.ErrnoException | undefined)?.code === 'ERR_WORKER_OUT_OF_MEMORY') {
      this.#outOfMemory(undefined)
      return
    }
    this.#memory?.stop()
    this.#longCalls?.stop()
    this.#inspection.stopped()
    this.#thread = undefined
    this.#waiting = undefined
    const cause = this.#crash ?? serializeError(SlotThreadDied({ slot: this.slotId, exitCode }, error))
    this.#crash = undefined
    this.#logger.error({ exitCode, error: cause }, 'slot thread ended by itself')
    this.#tasks.endAll(cause)
    this.#listener.threadDied(this, cause)
  }
}
