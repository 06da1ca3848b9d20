import type { Clock } from '@flink-ts/common'
import type { ActivityMs, TaskIoMetrics, TaskRates } from '@flink-ts/gateways'
import { MAX_WATERMARK } from '@flink-ts/operators'
import type { TaskParts } from './assemble-task.ts'
import { BatchSize } from './batch-size.ts'
import type { OperatorActions } from './operator-actions.ts'
import type { ChainLink, OperatorFailureMaker } from './operator-chain.ts'
import type { OperatorMetrics } from './operator-metrics.ts'
import type { OperatorSequence } from './operator-sequence.ts'
import { RateWindow } from './rate-window.ts'
import type { SourceTurn } from './source-turn.ts'
import { type ActivityTimes, type TaskActivity, TaskTimes } from './task-times.ts'
import type { YieldDecision } from './yield-decision.ts'

type WorkingParts = Omit<TaskParts, 'work' | 'eventTimeWatch'>

interface TaskWorkDependencies {
  readonly sequence: OperatorSequence
  readonly actions: OperatorActions
  readonly yielding: YieldDecision
  readonly sourceTurn: SourceTurn
  readonly operatorMetrics: OperatorMetrics
  /** Operators that take nothing now, by index. */
  readonly unavailable: ReadonlySet<number>
  readonly clock: Clock
  /** Neither starting nor ending. */
  readonly isRunning: () => boolean
  /** The task may have become ready for direct calls, or ceased to be. */
  readonly refresh: () => void
  readonly failure: OperatorFailureMaker
}

/**
 * What a running task does in one step, in this order: what operators have asked for, watermarks, ends of inputs,
 * checkpoints, and records as long as all outputs have room, no operator is behind and no life-cycle call is
 * unfinished. Owner: the task.
 */
export class TaskWork {
  readonly #parts: WorkingParts
  readonly #ports: TaskWorkDependencies
  readonly #times: TaskTimes
  readonly #rates: RateWindow
  readonly #batchSize = new BatchSize()
  /** The job is being stopped: the source has nothing more to read. */
  #drained = false

  constructor(parts: WorkingParts, dependencies: TaskWorkDependencies) {
    this.#parts = parts
    this.#ports = dependencies
    this.#times = new TaskTimes(dependencies)
    this.#rates = new RateWindow({ recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }, dependencies)
  }

  /** The task runs from now on. */
  start(): void {
    this.#times.start()
  }

  /** One small piece of work; false: there was none. */
  step(): boolean {
    this.#times.stepBegins()
    const progressed = this.#step()
    const elapsedMs = this.#times.stepEnds(this.#activity(progressed))
    if (progressed) this.#batchSize.stepTook(elapsedMs)
    return progressed
  }

  takesRecords(): boolean {
    const { sequence, unavailable } = this.#ports
    const { chain, outputs } = this.#parts
    return !sequence.active && unavailable.size === 0 && !chain.suspended && outputs.available()
  }

  /** Ends the source as if there were nothing more to read. */
  drainSource(): void {
    this.#drained = true
    this.#parts.ending.drained()
  }

  /** What operators have asked to be run between records, as far as it may be now. */
  runActions(): boolean {
    const { actions, sequence, isRunning } = this.#ports
    if (!actions.waiting) return false
    const { chain, checkpointing, eventTime } = this.#parts
    const allowed = (operator: number, kind: 'execute' | 'timer'): boolean => {
      const { waitingFor, active } = sequence
      // A life-cycle call may wait for results that come back by execute.
      if (active) return kind === 'execute' && waitingFor?.index === operator
      // What came out of it would be in no snapshot, and come again from the savepoint.
      if (checkpointing.suspended) return false
      return isRunning() && !chain.blockedBehind(chain.links[operator] as ChainLink)
    }
    return eventTime.betweenRecords(() => actions.runAllowed(allowed))
  }

  /** For metrics. */
  load(): Pick<TaskIoMetrics, 'load' | 'operators' | 'rates'> {
    const { inputs, outputs, chain } = this.#parts
    return {
      load: {
        total: rounded(this.#times.totals()),
        perSecond: rounded(this.#times.perSecond()),
        inputUsage: inputs.usage,
        outputUsage: outputs.usage,
      },
      rates: this.#rates.rates(this.#counts()),
      operators: chain.records(inputs.recordsIn).map((records, index) => {
        const { eventTime, forwarded, operator } = chain.links[index] as ChainLink
        const metrics = {
          ...(operator.source === undefined && { currentInputWatermark: eventTime }),
          currentOutputWatermark: forwarded,
          ...this.#ports.operatorMetrics.read(index),
        }
        return { ...records, metrics }
      }),
    }
  }

  #counts(): TaskRates {
    const { inputs, outputs } = this.#parts
    const { recordsIn, bytesIn } = inputs
    return { recordsIn, recordsOut: outputs.recordsOut, bytesIn, bytesOut: outputs.bytesOut }
  }

  #step(): boolean {
    const { sequence, yielding, unavailable, isRunning, refresh } = this.#ports
    const { outputs, chain, inputs, checkpointing, ending } = this.#parts
    let progressed = this.runActions()
    if (sequence.active || !isRunning()) return checkpointing.deliverAwaited() || progressed
    yielding.restart()
    outputs.drainOverdraft()
    if (chain.suspended && outputs.available()) {
      if (chain.advance() || yielding.yielded) progressed = true
    }
    const suspended = chain.suspended
    if (!suspended && ending.tellOperators()) progressed = true
    if (sequence.active || !isRunning()) return true
    if (checkpointing.takeMail()) return true
    if (inputs.drain()) progressed = true
    const room = !suspended && unavailable.size === 0 && outputs.available()
    if (chain.head.operator.source !== undefined) {
      if (room && this.#emitFromSource()) progressed = true
    } else if (inputs.poll(room ? this.#batchSize.records : 0)) {
      progressed = true
    }
    if (progressed) refresh()
    return progressed
  }

  #emitFromSource(): boolean {
    const { chain, ending, checkpointing, eventTime } = this.#parts
    const { source } = chain.head.operator
    if (source === undefined || ending.all || checkpointing.suspended) return false
    let answer: 'more' | 'wait' | 'end' | undefined
    try {
      answer = this.#drained ? 'end' : this.#ports.sourceTurn.ask(source, this.#batchSize.records)
    } catch (error) {
      throw this.#ports.failure(chain.head, 'reading', error)
    }
    if (answer === undefined) return false
    if (answer === 'end') {
      ending.sourceEnded()
      eventTime.emit(0, MAX_WATERMARK)
    }
    return true
  }

  #activity(progressed: boolean): TaskActivity {
    const { inputs, outputs } = this.#parts
    if (progressed || this.#ports.unavailable.size > 0 || inputs.calledSince()) return 'busy'
    return outputs.available() ? 'idle' : 'backPressured'
  }
}

function rounded({ busy, idle, backPressured }: ActivityTimes): ActivityMs {
  return {
    busyMs: Math.round(busy),
    idleMs: Math.round(idle),
    backPressuredMs: Math.round(backPressured),
  }
}
