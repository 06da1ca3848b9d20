import type { ExecutionAttemptId } from '@flink-ts/common'
import type { CheckpointTrigger } from '@flink-ts/gateways'
import type { CheckpointSettings } from '@flink-ts/jobgraph'
import { CheckpointNotPossible } from '../errors.ts'
import type { LifeCycleCall } from '../stream-task/operator-sequence.ts'
import type { TaskInputs } from '../stream-task/task-inputs.ts'
import type { TaskOperatorEvent } from '../thread/slot-messages.ts'
import { BarrierAligner } from './barrier-aligner.ts'
import type { BarrierHandler, BarrierListener } from './barrier-handler.ts'
import { BarrierTracker } from './barrier-tracker.ts'
import type { ChannelCapture } from './channel-capture.ts'
import { SubtaskCheckpoints, type SubtaskCheckpointsDependencies } from './subtask-checkpoints.ts'
import { UnalignedBarriers } from './unaligned-barriers.ts'

/** What checkpoints need to know of their task, and have it do. */
interface CheckpointedTask {
  /** Records are (or may be) taken: neither starting nor ending. */
  isRunning(): boolean
  /** The checkpoint that was waited for since the end of the data is complete. */
  finish(): void
  fail(error: unknown): void
}

interface TaskCheckpointingDependencies extends SubtaskCheckpointsDependencies {
  readonly task: CheckpointedTask
  readonly inputs: () => TaskInputs
}

/**
 * How a task takes part in checkpoints: barriers, triggers, notifications, and the last one before its end; and events
 * of coordinators, whose place among the triggers matters: one that was sent before a coordinator's snapshot has to be
 * in the snapshot of the task. Owner: the task.
 */
export class TaskCheckpointing {
  readonly barriers: BarrierHandler
  readonly #taskName: string
  readonly #ports: TaskCheckpointingDependencies
  readonly #checkpoints: SubtaskCheckpoints
  /** In order of arrival. */
  readonly #mail: (
    | { readonly trigger: CheckpointTrigger; readonly event?: never }
    | { readonly event: TaskOperatorEvent; readonly trigger?: never }
  )[] = []
  /** Records on their way that are being made part of a checkpoint. */
  #capture: ChannelCapture | undefined
  /** Bytes that had come in when the first channel was blocked. */
  #bytesBefore: number | undefined
  #dataEnded = false
  /** First checkpoint taken after that. */
  #lastCheckpointId: number | undefined
  /** Savepoint that the job is being stopped with. */
  #suspendedBy: number | undefined

  constructor(
    options: {
      readonly attemptId: ExecutionAttemptId
      readonly taskName: string
      readonly subtask: number
      readonly parallelism: number
      readonly mode: CheckpointSettings['mode']
      readonly unaligned?: CheckpointSettings['unaligned']
      readonly channels: number
      /** See {@link UnalignedBarriers}. */
      readonly alignedOnly: ReadonlySet<number>
    },
    dependencies: TaskCheckpointingDependencies,
  ) {
    this.#taskName = options.taskName
    this.#ports = dependencies
    const { clock, loop } = dependencies
    const { channels, alignedOnly, mode, unaligned } = options
    const ports = { listener: this.#listener(), clock, wake: () => loop.wake() }
    if (mode === 'at-least-once') this.barriers = new BarrierTracker({ channels }, ports)
    else if (unaligned === undefined) this.barriers = new BarrierAligner({ channels }, ports)
    else this.barriers = new UnalignedBarriers({ channels, alignedOnly, ...unaligned }, ports)
    this.#checkpoints = new SubtaskCheckpoints(options, dependencies)
  }

  /** The job is being stopped with a savepoint, and the snapshot for that was taken: nothing may change any more. */
  get suspended(): boolean {
    return this.#suspendedBy !== undefined
  }

  /** All is emitted: a checkpoint from now on covers it. */
  dataEnded(): void {
    this.#dataEnded = true
  }

  /** Notes a trigger; {@link TaskCheckpointing.takeMail} acts on it. */
  trigger(trigger: CheckpointTrigger): void {
    this.#mail.push({ trigger })
  }

  /** Notes an event; {@link TaskCheckpointing.takeMail} acts on it. */
  operatorEvent(event: TaskOperatorEvent): void {
    this.#mail.push({ event })
  }

  /**
   * Delivers the events before the oldest triggered checkpoint, and takes that, if there is one and nothing comes from
   * upstream any more. No life-cycle call may be under way.
   */
  takeMail(): boolean {
    let delivered = false
    for (let next = this.#mail[0]; next !== undefined; next = this.#mail[0]) {
      if (next.trigger !== undefined) {
        const { announce } = this.barriers
        const finished = this.#ports.inputs().allFinished
        if (!finished && announce === undefined) return delivered
        this.#mail.shift()
        if (finished) {
          this.#take(next.trigger, 0)
          return true
        }
        announce?.call(this.barriers, next.trigger)
        if (this.barriers.takeDue?.() === true) return true
        delivered = true
        continue
      }
      this.#mail.shift()
      this.#deliver(next.event)
      delivered = true
    }
    return this.barriers.takeDue?.() === true || delivered
  }

  /** Checkpoint under way and what it waits for, in words; undefined: none. */
  get waitsFor(): { readonly checkpointId: number; readonly what: string } | undefined {
    const { sequence, inputs } = this.#ports
    const waiting = this.barriers.waitingFor
    const checkpointId = waiting?.checkpointId ?? this.#checkpoints.running
    if (checkpointId === undefined) return undefined
    const { waitingFor } = sequence
    if (waitingFor !== undefined)
      return { checkpointId, what: `a call of operator '${waitingFor.node.name}'` }
    if (waiting === undefined || waiting.channels.length === 0) return { checkpointId, what: 'its files' }
    const labels = waiting.channels.map(channel => inputs().labelOf(channel))
    const [first, second] = labels
    const others = labels.length > 2 ? ` and ${labels.length - 2} others` : ''
    return { checkpointId, what: `the barrier from ${[first, second].filter(Boolean).join(', ')}${others}` }
  }

  /** Delivers what the operator whose promise is awaited may be waiting for. */
  deliverAwaited(): boolean {
    const operatorId = this.#ports.sequence.waitingFor?.node.operatorId
    if (operatorId === undefined) return false
    const index = this.#mail.findIndex(mail => mail.event?.operatorId === operatorId)
    if (index < 0) return false
    const [mail] = this.#mail.splice(index, 1)
    this.#deliver(mail?.event as TaskOperatorEvent)
    return true
  }

  complete(checkpointId: number): void {
    this.#checkpoints.completed(checkpointId)
    this.#notify(
      {
        step: 'notifyCheckpointComplete (commit)',
        on: link => link.operator.notifyCheckpointComplete?.(checkpointId),
      },
      () => {
        const last = this.#suspendedBy ?? this.#lastCheckpointId
        if (last !== undefined && checkpointId >= last) this.#ports.task.finish()
      },
    )
  }

  aborted(checkpointId: number): void {
    const index = this.#mail.findIndex(mail => mail.trigger?.checkpointId === checkpointId)
    if (index >= 0) this.#mail.splice(index, 1)
    if (this.#suspendedBy === checkpointId) this.#suspendedBy = undefined
    this.barriers.onAborted(checkpointId)
    if (this.#capture?.checkpointId === checkpointId) this.#stopCapture()
    this.#checkpoints.cancel(checkpointId)
    this.#notify(
      {
        step: 'notifyCheckpointAborted',
        on: link => link.operator.notifyCheckpointAborted?.(checkpointId),
      },
      () => {},
    )
  }

  /** The task is ending: nothing is taken or written any more. */
  close(): void {
    this.#mail.length = 0
    this.barriers.close?.()
    this.#stopCapture()
    this.#checkpoints.cancelAll()
  }

  #stopCapture(): void {
    if (this.#capture === undefined) return
    this.#capture.abandon()
    this.#capture = undefined
    this.#ports.inputs().stopCapture()
  }

  #deliver({ operatorId, event }: TaskOperatorEvent): void {
    const link = this.#ports.links.find(({ node }) => node.operatorId === operatorId)
    link?.operator.handleOperatorEvent?.(event)
  }

  #notify(call: LifeCycleCall, done: () => void): void {
    const { sequence, links, task } = this.#ports
    sequence.whenIdle(() => {
      if (task.isRunning()) sequence.run(links, call, done, error => task.fail(error))
    })
  }

  #take(barrier: CheckpointTrigger, alignmentMs: number, missing?: readonly number[]): void {
    if (barrier.savepoint !== false && barrier.savepoint.suspend) this.#suspendedBy = barrier.checkpointId
    if (this.#dataEnded) this.#lastCheckpointId ??= barrier.checkpointId
    const inputs = this.#ports.inputs()
    const alignment = {
      alignmentMs,
      processedBytes: inputs.bytesIn - (this.#bytesBefore ?? inputs.bytesIn),
      bufferedBytes: inputs.blockedBytes,
    }
    // What an older checkpoint still captures will not be complete any more.
    this.#stopCapture()
    if (missing !== undefined) this.#beginCapture(barrier.checkpointId, missing)
    this.#checkpoints.take(barrier, alignment, this.#capture)
  }

  #beginCapture(checkpointId: number, missing: readonly number[]): void {
    const capture = this.#ports.inputs().capture(checkpointId, this.#taskName, missing)
    this.#capture = capture
    const whole = (): void => {
      if (this.#capture === capture) this.#capture = undefined
    }
    // What was captured can be large: it is gone when it is written, and not with the next checkpoint. A capture that
    // fails is still to be stopped, and told to its checkpoint.
    capture.result.then(whole, () => {})
  }

  #listener(): BarrierListener {
    const { task, inputs, outputs } = this.#ports
    return {
      complete: (barrier, alignmentMs) => {
        if (task.isRunning()) this.#take(barrier, alignmentMs)
      },
      aborted: (checkpointId, reason, forward) => {
        if (!task.isRunning()) return
        if (forward) outputs.event({ type: 'cancel-barrier', checkpointId })
        const error = CheckpointNotPossible({ checkpointId, task: this.#taskName, reason })
        this.#checkpoints.decline(checkpointId, error)
      },
      overtake: (barrier, alignmentMs, missing) => {
        if (task.isRunning()) this.#take(barrier, alignmentMs, missing)
      },
      block: channel => {
        this.#bytesBefore ??= inputs().bytesIn
        inputs().block(channel)
      },
      unblockAll: () => {
        this.#bytesBefore = undefined
        inputs().unblockAll()
      },
    }
  }
}
