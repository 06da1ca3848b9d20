import { type ExecutionAttemptId, type Logger, serializeError } from '@flink-ts/common'
import type {
  CheckpointTrigger,
  TaskDeployment,
  TaskExecutionStatus,
  TaskIoMetrics,
} from '@flink-ts/gateways'
import type { JobVertex } from '@flink-ts/jobgraph'
import { MAX_WATERMARK, type Push } from '@flink-ts/operators'
import { type CheckpointedTask, TaskCheckpointing } from '../checkpoint/task-checkpointing.ts'
import { CheckpointNotPossible, InvalidDeployment } from '../errors.ts'
import type { ScheduledTask } from '../mailbox/slot-loop.ts'
import type { TaskOperatorEvent } from '../thread/slot-messages.ts'
import { Accumulators } from './accumulators.ts'
import { buildChain, buildInputs, buildOutputs } from './build-task.ts'
import { closeOperators } from './close-operators.ts'
import type { DirectConsumer } from './direct-channel.ts'
import { type EndInputCall, EndOfInput } from './end-of-input.ts'
import { OperatorActions } from './operator-actions.ts'
import type { ChainLink, OperatorChain } from './operator-chain.ts'
import type { ContextHost } from './operator-context.ts'
import { OperatorSequence } from './operator-sequence.ts'
import { Overdraft } from './overdraft.ts'
import { restoreBackends } from './restore-backends.ts'
import { SourceTurn } from './source-turn.ts'
import type { InputListener, TaskInputs } from './task-inputs.ts'
import type { TaskOutputs } from './task-outputs.ts'
import type { StreamTaskDependencies, StreamTaskOptions } from './task-ports.ts'
import { YieldDecision } from './yield-decision.ts'

/** Records that are taken between two looks at everything else. */
const BATCH = 256

/**
 * `starting`: state is restored, operators are opened. `running`: until all is done. `draining`: operators have
 * finished, the last output is on its way. `closing`: only close is called. `ended`: reported, over.
 */
type State = 'starting' | 'running' | 'draining' | 'closing' | 'ended'
type Outcome =
  | { readonly status: 'FINISHED' | 'CANCELED' }
  | { readonly status: 'FAILED'; readonly error: unknown }

/**
 * One attempt of one subtask: a chain of operators with its inputs and outputs, run in small steps by the slot's
 * loop. Takes records only when all outputs have room, no operator is behind and no life-cycle call is unfinished;
 * what is pushed into it directly meanwhile is queued. Owner: the slot thread.
 */
export class StreamTask implements ScheduledTask, DirectConsumer {
  readonly timestamp: Float64Array
  readonly deployment: TaskDeployment
  readonly #vertex: JobVertex
  readonly #program: StreamTaskOptions['program']
  readonly #ports: StreamTaskDependencies
  readonly #logger: Logger
  readonly #sequence: OperatorSequence
  readonly #actions: OperatorActions
  readonly #accumulators = new Accumulators()
  readonly #overdraft: Overdraft
  readonly #unavailable = new Set<number>()
  #state: State = 'starting'
  #outcome: Outcome | undefined
  #outputs: TaskOutputs | undefined
  // Set together when the chain is built.
  #chain!: OperatorChain
  #inputs!: TaskInputs
  #checkpointing!: TaskCheckpointing
  readonly #sourceTurn = new SourceTurn()
  readonly #ending: EndOfInput
  readonly #yielding: YieldDecision
  /** Watermarks must be worked off at once: a record may follow on the same stack. */
  #forced = false
  #betweenRecords = false
  #lastFlushMs = 0

  /** @param timestamp the register of this task, known to its direct channels */
  constructor(
    options: StreamTaskOptions & { timestamp: Float64Array },
    dependencies: StreamTaskDependencies,
  ) {
    const { deployment } = options
    const { graph } = deployment.job
    const vertex = graph.vertices.find(({ id }) => id === deployment.vertexId)
    if (vertex === undefined) {
      throw InvalidDeployment({
        task: deployment.attemptId,
        problem: `the job has no vertex ${deployment.vertexId}`,
      })
    }
    this.deployment = deployment
    this.timestamp = options.timestamp
    this.#vertex = vertex
    this.#program = options.program
    this.#ports = dependencies
    this.#logger = dependencies.logger.child({ task: this.name, attemptId: deployment.attemptId })
    this.#overdraft = new Overdraft({ task: this.name, limits: options.overdraftLimits })
    this.#ending = new EndOfInput(new Set(deployment.inputs.map(({ edge }) => edge.targetInput)).size)
    const { loop, clock } = dependencies
    this.#actions = new OperatorActions({ clock, wake: () => loop.wake() })
    this.#yielding = new YieldDecision(() => loop.sliceOver() || !(this.#outputs as TaskOutputs).available())
    this.#sequence = new OperatorSequence({
      post: action => loop.post(() => this.#guard(action)),
      onChange: () => this.#refresh(),
    })
  }

  /** As in messages: `Source -> Map (2/4)`. */
  get name(): string {
    return `${this.#vertex.name} (${this.deployment.subtaskIndex + 1}/${this.#vertex.parallelism})`
  }

  get attemptId(): ExecutionAttemptId {
    return this.deployment.attemptId
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  get metrics(): TaskIoMetrics {
    return {
      recordsIn: this.#inputs?.recordsIn ?? 0,
      recordsOut: this.#outputs?.recordsOut ?? 0,
      bytesIn: this.#inputs?.bytesIn ?? 0,
      bytesOut: this.#outputs?.bytesOut ?? 0,
    }
  }

  /** Restores, builds and opens. Every failure ends the task as FAILED. */
  async start(): Promise<void> {
    try {
      this.#report('INITIALIZING')
      const { deployment } = this
      const { backends: factories } = this.#ports
      const backends = await restoreBackends(
        this.#vertex,
        deployment.subtaskIndex,
        this.#program,
        deployment.restore?.state,
        factories,
      )
      if (this.#state !== 'starting') return
      const { loop, clock, reporter, storage, channels } = this.#ports
      const outputs = buildOutputs(deployment, this.#program, {
        channels,
        timestamp: this.timestamp,
        overdraft: this.#overdraft,
        logger: this.#logger,
      })
      this.#outputs = outputs
      this.#chain = buildChain(deployment, this.#vertex, this.#program, outputs, {
        host: this.#contextHost(),
        backends,
        logger: this.#logger,
      })
      this.#checkpointing = new TaskCheckpointing(
        {
          attemptId: this.attemptId,
          taskName: this.name,
          mode: deployment.job.graph.checkpointing.mode,
          channels: deployment.inputs.reduce((sum, edge) => sum + edge.channels.length, 0),
        },
        {
          ...{ backends, outputs, storage, clock, loop, reporter },
          task: this.#checkpointedTask(),
          inputs: () => this.#inputs,
          links: this.#chain.links,
          sequence: this.#sequence,
          logger: this.#logger,
        },
      )
      const { operator } = this.#chain.head
      const heads = [operator.processElement, operator.processElement2].filter(
        head => head !== undefined,
      ) as Push[]
      this.#inputs = buildInputs(deployment, channels, this.timestamp, {
        heads,
        consumer: this,
        listener: this.#inputListener(),
        barriers: this.#checkpointing.barriers,
      })
      // Back to front: what is opened may emit as soon as it is.
      const reversed = [...this.#chain.links].reverse()
      this.#sequence.run(
        reversed,
        link => link.operator.open?.(),
        () => this.#opened(),
        error => this.fail(error),
      )
    } catch (error) {
      this.fail(error)
    }
  }

  // Scheduling

  step(): boolean {
    try {
      if (this.#state === 'running') return this.#runningStep()
      if (this.#state === 'draining') return this.#drainingStep()
      return this.#state === 'starting' && this.#runActions()
    } catch (error) {
      this.fail(error)
      return true
    }
  }

  flushIdle(): void {
    if (this.#state !== 'running' || this.deployment.job.graph.bufferTimeoutMs < 0) return
    this.#guard(() => this.#outputs?.flush())
  }

  flushDue(nowMs: number): void {
    const { bufferTimeoutMs } = this.deployment.job.graph
    if (this.#state !== 'running' || bufferTimeoutMs < 0 || nowMs - this.#lastFlushMs < bufferTimeoutMs)
      return
    this.#lastFlushMs = nowMs
    this.#guard(() => this.#outputs?.flush())
  }

  takesRecords(): boolean {
    return (
      this.#state === 'running' &&
      !this.#sequence.active &&
      this.#unavailable.size === 0 &&
      !this.#chain.suspended &&
      (this.#outputs as TaskOutputs).available()
    )
  }

  #runningStep(): boolean {
    let progressed = this.#runActions()
    if (this.#sequence.active || this.#state !== 'running') {
      return this.#checkpointing.deliverAwaited() || progressed
    }
    const outputs = this.#outputs as TaskOutputs
    this.#yielding.restart()
    outputs.drainOverdraft()
    if (this.#chain.suspended && outputs.available()) {
      if (this.#chain.advance() || this.#yielding.yielded) progressed = true
    }
    const suspended = this.#chain.suspended
    if (!suspended && this.#endInputs()) progressed = true
    if (this.#sequence.active || this.#state !== 'running') return true
    if (this.#checkpointing.takeMail()) return true
    const room = !suspended && this.#unavailable.size === 0 && outputs.available()
    if (this.#chain.head.operator.source !== undefined) {
      if (room && this.#emitFromSource()) progressed = true
    } else if (this.#inputs.poll(room ? BATCH : 0)) {
      progressed = true
    }
    if (progressed) this.#refresh()
    return progressed
  }

  #emitFromSource(): boolean {
    const source = this.#chain.head.operator.source
    if (source === undefined || this.#ending.all) return false
    const answer = this.#sourceTurn.ask(source, BATCH)
    if (answer === undefined) return false
    if (answer === 'end') {
      this.#ending.sourceEnded()
      this.#emitWatermark(0, MAX_WATERMARK)
    }
    return true
  }

  #drainingStep(): boolean {
    if (!(this.#outputs as TaskOutputs).drainOverdraft()) return false
    this.#close({ status: 'FINISHED' })
    return true
  }

  #runActions(): boolean {
    this.#betweenRecords = true
    try {
      return this.#actions.runAllowed((operator, kind) => {
        const { waitingFor, active } = this.#sequence
        // A life-cycle call may wait for results that come back by execute.
        if (active) return kind === 'execute' && waitingFor?.index === operator
        return (
          this.#state === 'running' && !this.#chain.blockedBehind(this.#chain.links[operator] as ChainLink)
        )
      })
    } finally {
      this.#betweenRecords = false
    }
  }

  /** Opens and closes direct inputs as the task's readiness demands. */
  #refresh(): void {
    if (this.#inputs === undefined || this.#state === 'closing' || this.#state === 'ended') return
    this.#inputs.setDirectOpen(this.#state === 'running' && !this.#sequence.active && !this.#chain.suspended)
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.fail(error)
    }
  }

  // Event time

  #emitWatermark(index: number, watermark: number): void {
    const link = this.#chain.links[index] as ChainLink
    if (!this.#chain.emit(link, watermark)) return
    const before = this.timestamp[0] as number
    const forced = this.#forced
    this.#forced = !this.#betweenRecords && watermark !== MAX_WATERMARK
    this.#chain.advance(index + 1)
    this.#forced = forced
    this.timestamp[0] = before
    this.#refresh()
  }

  #shouldYield(): boolean {
    return !this.#forced && this.#yielding.ask()
  }

  // Checkpoints

  /** For tasks without running producers: sources, and others once all their channels are finished. */
  triggerCheckpoint(trigger: CheckpointTrigger): void {
    const { checkpointId } = trigger
    if (this.#state === 'starting') {
      const error = CheckpointNotPossible({ checkpointId, task: this.name, reason: 'it is not running yet' })
      this.#ports.reporter.decline({ attemptId: this.attemptId, checkpointId, reason: serializeError(error) })
    }
    // A task that is ending says so by its last state, which ends the checkpoint without counting as a failure of it.
    if (this.#state !== 'running') return
    this.#checkpointing.trigger(trigger)
    this.#ports.loop.wake()
  }

  notifyCheckpointComplete(checkpointId: number): void {
    if (this.#state === 'running') this.#guard(() => this.#checkpointing.complete(checkpointId))
  }

  notifyCheckpointAborted(checkpointId: number): void {
    if (this.#state === 'running') this.#guard(() => this.#checkpointing.aborted(checkpointId))
  }

  /** From the coordinator of one of its operators. */
  operatorEvent(event: TaskOperatorEvent): void {
    if (this.#state === 'running' || this.#state === 'starting') this.#checkpointing?.operatorEvent(event)
  }

  // End of input

  #inputListener(): InputListener {
    return {
      eventTime: watermark => {
        this.#chain.enter(watermark)
        this.#chain.advance()
      },
      idle: idle => {
        if (idle) this.#chain.setIdle(this.#chain.head)
        else this.#chain.setActive(this.#chain.head)
      },
      inputEnded: inputIndex => this.#ending.inputEnded(inputIndex),
      changed: () => this.#refresh(),
    }
  }

  /** Tells operators that inputs have ended, once event time is through. */
  #endInputs(): boolean {
    const calls = this.#ending.take(this.#chain.links)
    if (calls === undefined) return false
    const { all } = this.#ending
    let next = 0
    this.#sequence.run(
      calls.map(({ link }) => link),
      link => link.operator.endInput?.((calls[next++] as EndInputCall).input),
      () => {
        if (all) this.#endData()
      },
      error => this.fail(error),
    )
    return true
  }

  #endData(): void {
    this.#checkpointing.dataEnded()
    const outputs = this.#outputs as TaskOutputs
    outputs.event({ type: 'end-of-data' })
    outputs.flush()
    this.#ports.reporter.endOfData()
    // With checkpoints, one that covers the end has to be complete before.
    if (this.deployment.job.graph.checkpointing.intervalMs === undefined) this.#finish()
  }

  #finish(): void {
    this.#sequence.run(
      this.#chain.links,
      link => link.operator.finish?.(),
      () => {
        this.#outputs?.event({ type: 'end-of-partition' })
        this.#outputs?.flush()
        this.#state = 'draining'
        this.#ports.loop.wake()
      },
      error => this.fail(error),
    )
  }

  // Life cycle

  #opened(): void {
    this.#state = 'running'
    this.#lastFlushMs = this.#ports.clock.monotonicMs()
    this.#report('RUNNING')
    this.#refresh()
    this.#ports.loop.wake()
  }

  /** Ends the task as CANCELED, after an unfinished life-cycle call. Idempotent. */
  cancel(): void {
    this.#close({ status: 'CANCELED' })
  }

  /** Ends the task as FAILED. What comes after the first failure is only logged. */
  fail(error: unknown): void {
    if (this.#outcome !== undefined) {
      this.#logger.warn({ error }, 'error in a task that is ending')
      return
    }
    this.#logger.warn({ error }, 'task failed')
    this.#close({ status: 'FAILED', error })
  }

  #close(outcome: Outcome): void {
    if (this.#outcome !== undefined) return
    this.#outcome = outcome
    this.#state = 'closing'
    this.#ports.reporter.closing()
    this.#actions.stopTimers()
    this.#inputs?.discard()
    this.#checkpointing?.close()
    const done = (failure: { error: unknown } | undefined): void => this.#end(failure)
    this.#sequence.interrupt(() =>
      closeOperators(this.#sequence, this.#chain?.links ?? [], this.#logger, done),
    )
  }

  #end(closeFailure: { error: unknown } | undefined): void {
    this.#actions.close()
    this.#state = 'ended'
    const outcome = this.#outcome as Outcome
    if (outcome.status === 'FAILED') this.#report('FAILED', outcome.error)
    else if (outcome.status === 'FINISHED' && closeFailure !== undefined)
      this.#report('FAILED', closeFailure.error)
    else this.#report(outcome.status)
    this.#ports.onEnded()
  }

  #report(status: TaskExecutionStatus, error?: unknown): void {
    this.#ports.reporter.status({
      attemptId: this.attemptId,
      status,
      error: status === 'FAILED' ? serializeError(error) : undefined,
      accumulators: status === 'FINISHED' ? this.#accumulators.merged() : undefined,
      metrics: this.metrics,
    })
  }

  #checkpointedTask(): CheckpointedTask {
    return {
      isRunning: () => this.#state === 'running',
      finish: () => this.#finish(),
      fail: error => this.fail(error),
    }
  }

  #contextHost(): ContextHost {
    const { loop, clock, reporter } = this.#ports
    return {
      timestamp: this.timestamp,
      link: index => this.#chain?.links[index],
      emitWatermark: (index, watermark) => this.#emitWatermark(index, watermark),
      emitIdle: index => this.#chain.setIdle(this.#chain.links[index] as ChainLink),
      shouldYield: () => this.#shouldYield(),
      processingTime: () => clock.now(),
      scheduleProcessingTime: (index, time, action) => this.#actions.schedule(index, time, action),
      execute: (index, action) => this.#actions.execute(index, action),
      wake: () => {
        this.#sourceTurn.wake()
        loop.wake()
      },
      fail: error => loop.post(() => this.fail(error)),
      setAvailable: (index, available) => {
        if (available) this.#unavailable.delete(index)
        else this.#unavailable.add(index)
        loop.wake()
      },
      sendOperatorEvent: (operatorId, event) => reporter.operatorEvent(operatorId, event),
      setAccumulator: (index, name, value) => this.#accumulators.set(index, name, value),
    }
  }
}
