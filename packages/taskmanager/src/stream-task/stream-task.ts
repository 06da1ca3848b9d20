import { type ExecutionAttemptId, type Logger, serializeError } from '@flink-ts/common'
import type {
  CheckpointTrigger,
  TapAnswer,
  TapRequest,
  TaskDeployment,
  TaskIoMetrics,
} from '@flink-ts/gateways'
import type { JobVertex } from '@flink-ts/jobgraph'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import { CheckpointNotPossible } from '../errors.ts'
import type { ScheduledTask } from '../mailbox/slot-loop.ts'
import type { TaskOperatorEvent } from '../thread/slot-messages.ts'
import { taskFunctionName } from '../thread/task-function-name.ts'
import { Accumulators } from './accumulators.ts'
import { assembleTask, type TaskParts } from './assemble-task.ts'
import { vertexOf } from './build-task.ts'
import { closeOperators } from './close-operators.ts'
import type { DirectConsumer } from './direct-channel.ts'
import { generateCode } from './generated-code.ts'
import { InputTap } from './input-tap.ts'
import { OperatorActions } from './operator-actions.ts'
import type { ChainLink, OperatorFailureMaker } from './operator-chain.ts'
import { operatorFailure } from './operator-failure.ts'
import { OperatorSequence } from './operator-sequence.ts'
import { type RestoredTask, restoreTask } from './restore-task.ts'
import { type StateSize, stateSizes, taskMetrics } from './task-metrics.ts'
import { finalOutcome, type Outcome, stateUpdate } from './task-outcome.ts'
import type { StreamTaskDependencies, StreamTaskOptions } from './task-ports.ts'

/**
 * `starting`: state is restored, operators are opened. `running`: until all is done. `draining`: operators have
 * finished, the last output is on its way. `closing`: only close is called. `ended`: reported, over.
 */
type State = 'starting' | 'running' | 'draining' | 'closing' | 'ended'
/**
 * One attempt of one subtask: a chain of operators with its inputs and outputs, run in small steps by the slot's
 * loop. Takes records only when all outputs have room, no operator is behind and no life-cycle call is unfinished;
 * what is pushed into it directly meanwhile is queued. Owner: the slot thread.
 */
export class StreamTask implements ScheduledTask, DirectConsumer {
  readonly timestamp: Float64Array
  readonly deployment: TaskDeployment
  /** See {@link ScheduledTask.step}; code of this task's own, by which profiles tell whose calls they show. */
  readonly step: () => boolean
  readonly #vertex: JobVertex
  readonly #program: StreamTaskOptions['program']
  readonly #overdraftLimits: StreamTaskOptions['overdraftLimits']
  readonly #ports: StreamTaskDependencies
  readonly #logger: Logger
  readonly #sequence: OperatorSequence
  readonly #actions: OperatorActions
  readonly #accumulators = new Accumulators()
  #state: State = 'starting'
  #outcome: Outcome | undefined
  #backends: readonly OperatorBackends[] = []
  /** From when the state is restored. */
  #parts: TaskParts | undefined
  #lastFlushMs = 0
  /** Those who look at what comes in. */
  readonly #taps = new Set<InputTap>()

  /** @param timestamp the register of this task, known to its direct channels */
  constructor(
    options: StreamTaskOptions & { timestamp: Float64Array },
    dependencies: StreamTaskDependencies,
  ) {
    const { deployment } = options
    this.deployment = deployment
    this.timestamp = options.timestamp
    const name = taskFunctionName(deployment.vertexId, deployment.subtaskIndex)
    this.step = generateCode(['step'], `return function ${name}() { return step() }`, [() => this.#step()])
    this.#vertex = vertexOf(deployment)
    this.#program = options.program
    this.#ports = dependencies
    this.#logger = dependencies.logger.child({ task: this.name, attemptId: deployment.attemptId })
    this.#overdraftLimits = options.overdraftLimits
    const { loop, clock } = dependencies
    this.#actions = new OperatorActions({
      clock,
      wake: () => loop.wake(),
      failure: (index, step, thrown) =>
        this.#operatorFailure(this.#parts?.chain.links[index] as ChainLink, step, thrown),
    })
    this.#sequence = new OperatorSequence({
      post: action => loop.post(() => this.#guard(action)),
      onChange: () => this.#refresh(),
      failure: this.#operatorFailure,
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
    return taskMetrics(this.#parts, this.#state === 'starting', this.#accumulators.small())
  }

  /** Entries of the keyed states of its operators. */
  stateSizes(): readonly StateSize[] {
    return stateSizes(this.#parts, this.#backends)
  }

  /** Restores, builds and opens. Every failure ends the task as FAILED. */
  async start(): Promise<void> {
    try {
      this.#report({ status: 'INITIALIZING' })
      const task = { deployment: this.deployment, vertex: this.#vertex, program: this.#program }
      const restored = await restoreTask(task, this.timestamp, this.#ports.backends)
      if (this.#state !== 'starting') {
        this.#closeBackends(restored.backends)
        return
      }
      this.#backends = restored.backends
      const { chain } = this.#assemble(restored)
      // Back to front: what is opened may emit as soon as it is.
      this.#sequence.run(
        [...chain.links].reverse(),
        { step: 'open', on: link => link.operator.open?.() },
        () => this.#opened(),
        error => this.fail(error),
      )
    } catch (error) {
      this.fail(error)
    }
  }

  #assemble(restored: RestoredTask): TaskParts {
    const { deployment } = this
    const parts = assembleTask(
      {
        ...{ deployment, vertex: this.#vertex, taskName: this.name, program: this.#program },
        overdraftLimits: this.#overdraftLimits,
      },
      {
        ...this.#ports,
        ...{ restored, consumer: this, logger: this.#logger, accumulators: this.#accumulators },
        ...{ sequence: this.#sequence, actions: this.#actions, failure: this.#operatorFailure },
        isRunning: () => this.#state === 'running',
        refresh: () => this.#refresh(),
        drain: () => {
          this.#state = 'draining'
          this.#ports.loop.wake()
        },
        fail: error => this.fail(error),
      },
    )
    this.#parts = parts
    return parts
  }

  readonly #operatorFailure: OperatorFailureMaker = ({ node }, step, thrown) =>
    operatorFailure({ operator: node.name, task: this.name }, step, thrown)

  /** Looks at what comes in; undefined: nothing can, now. */
  tap(request: TapRequest): Promise<TapAnswer> | undefined {
    const parts = this.#parts
    if (this.#state !== 'running' || parts === undefined) return undefined
    const { subtaskIndex } = this.deployment
    const { maxParallelism } = this.#vertex
    const { nodeId } = parts.chain.head.node
    const tap = new InputTap(
      { request, subtaskIndex, maxParallelism },
      {
        inputs: parts.inputs,
        keySelector: input => this.#program.keySelector(nodeId, input),
        timestamp: this.timestamp,
        clock: this.#ports.clock,
      },
    )
    this.#taps.add(tap)
    // Never rejects.
    void tap.answer.then(() => this.#taps.delete(tap))
    return tap.answer
  }

  // Scheduling

  #step(): boolean {
    try {
      if (this.#parts === undefined) return false
      const { work } = this.#parts
      if (this.#state === 'running') return work.step()
      if (this.#state === 'draining') return this.#drainingStep()
      return this.#state === 'starting' && work.runActions()
    } catch (error) {
      this.fail(error)
      return true
    }
  }

  flushIdle(): void {
    this.#parts?.outputs.announce()
    if (this.#state !== 'running' || this.deployment.job.graph.bufferTimeoutMs < 0) return
    this.#guard(() => this.#parts?.outputs.flush())
  }

  flushDue(nowMs: number): void {
    this.#parts?.outputs.announce()
    const { bufferTimeoutMs } = this.deployment.job.graph
    if (this.#state !== 'running' || bufferTimeoutMs < 0 || nowMs - this.#lastFlushMs < bufferTimeoutMs)
      return
    this.#lastFlushMs = nowMs
    this.#guard(() => this.#parts?.outputs.flush())
  }

  takesRecords(): boolean {
    return this.#state === 'running' && (this.#parts as TaskParts).work.takesRecords()
  }

  #drainingStep(): boolean {
    if (this.#parts?.outputs.drainOverdraft() !== true) return false
    this.#close({ status: 'FINISHED' })
    return true
  }

  /** Opens and closes direct inputs as the task's readiness demands. */
  #refresh(): void {
    if (this.#parts === undefined || this.#state === 'closing' || this.#state === 'ended') return
    const { inputs, chain } = this.#parts
    inputs.setDirectOpen(this.#state === 'running' && !this.#sequence.active && !chain.suspended)
  }

  #guard(action: () => void): void {
    try {
      action()
    } catch (error) {
      this.fail(error)
    }
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
    this.#parts?.checkpointing.trigger(trigger)
    this.#ports.loop.wake()
  }

  /** Ends the source as if there were nothing more to read. Ignored by tasks without one. */
  drainSource(): void {
    if (this.#state !== 'running' || this.#parts?.chain.head.operator.source === undefined) return
    this.#parts?.work.drainSource()
    this.#ports.loop.wake()
  }

  notifyCheckpointComplete(checkpointId: number): void {
    if (this.#state === 'running') this.#guard(() => this.#parts?.checkpointing.complete(checkpointId))
  }

  notifyCheckpointAborted(checkpointId: number): void {
    if (this.#state === 'running') this.#guard(() => this.#parts?.checkpointing.aborted(checkpointId))
  }

  /** From the coordinator of one of its operators. */
  operatorEvent(event: TaskOperatorEvent): void {
    if (this.#state === 'running' || this.#state === 'starting')
      this.#parts?.checkpointing.operatorEvent(event)
  }

  // Life cycle

  #opened(): void {
    this.#state = 'running'
    this.#lastFlushMs = this.#ports.clock.monotonicMs()
    this.#parts?.work.start()
    this.#report({ status: 'RUNNING' })
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
    for (const tap of this.#taps) tap.end()
    this.#actions.stopTimers()
    this.#parts?.inputs.discard()
    this.#parts?.checkpointing.close()
    const done = (failure: { error: unknown } | undefined): void => this.#end(failure)
    this.#sequence.waitingFor?.operator.cancel?.()
    this.#sequence.interrupt(() =>
      closeOperators(
        this.#sequence,
        this.#parts?.chain.links ?? [],
        this.#logger,
        this.#operatorFailure,
        done,
      ),
    )
  }

  #end(closeFailure: { error: unknown } | undefined): void {
    this.#actions.close()
    this.#closeBackends(this.#backends)
    this.#state = 'ended'
    this.#report(finalOutcome(this.#outcome as Outcome, closeFailure))
    this.#ports.onEnded()
  }

  #closeBackends(backends: readonly OperatorBackends[]): void {
    for (const { keyed } of backends) {
      try {
        keyed?.close?.()
      } catch (error) {
        this.#logger.warn({ error }, 'closing a state backend failed')
      }
    }
  }

  #report(state: Parameters<typeof stateUpdate>[1]): void {
    const { metrics } = this
    this.#ports.reporter.status(
      stateUpdate(this.attemptId, state, { accumulators: this.#accumulators, metrics }),
    )
  }
}
