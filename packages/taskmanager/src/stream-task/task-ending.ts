import type { TaskCheckpointing } from '../checkpoint/task-checkpointing.ts'
import { type EndInputCall, EndOfInput } from './end-of-input.ts'
import type { OperatorChain } from './operator-chain.ts'
import type { OperatorSequence } from './operator-sequence.ts'
import type { TaskOutputs } from './task-outputs.ts'

interface TaskEndingDependencies {
  readonly chain: OperatorChain
  readonly sequence: OperatorSequence
  readonly outputs: TaskOutputs
  readonly checkpointing: TaskCheckpointing
  /** All is emitted. */
  readonly endOfData: () => void
  /** Operators have finished: what is in the outputs has to drain. */
  readonly drain: () => void
  readonly fail: (error: unknown) => void
}

/**
 * The way of a task to its normal end: operators hear that inputs have ended, the end of the data goes downstream, with
 * checkpoints one that covers it is awaited, operators finish. Owner: the task.
 */
export class TaskEnding {
  readonly #ending: EndOfInput
  #waitsForCheckpoint: boolean
  #drained = false
  readonly #ports: TaskEndingDependencies

  /** @param options `headInputs`: inputs of the head; 0 for a source */
  constructor(
    options: { headInputs: number; waitsForCheckpoint: boolean },
    dependencies: TaskEndingDependencies,
  ) {
    this.#ending = new EndOfInput(options.headInputs)
    this.#waitsForCheckpoint = options.waitsForCheckpoint
    this.#ports = dependencies
  }

  /** No more records will come from anywhere. */
  get all(): boolean {
    return this.#ending.all
  }

  sourceEnded(): void {
    this.#ending.sourceEnded()
  }

  /** The end comes because the job is being stopped: a savepoint has to cover it, whether or not there are checkpoints. */
  drained(): void {
    this.#drained = true
    this.#waitsForCheckpoint = true
  }

  inputEnded(input: number): void {
    this.#ending.inputEnded(input)
  }

  /** Tells operators that inputs have ended. To be called when event time is through; false: there was nothing to tell. */
  tellOperators(): boolean {
    const { chain, sequence, fail } = this.#ports
    const calls = this.#ending.take(chain.links)
    if (calls === undefined) return false
    const { all } = this.#ending
    let next = 0
    sequence.run(
      calls.map(({ link }) => link),
      { step: 'endInput', on: link => link.operator.endInput?.((calls[next++] as EndInputCall).input) },
      () => {
        if (all) this.#endData()
      },
      fail,
    )
    return true
  }

  /** Nothing holds the task back any more. */
  finish(): void {
    const { chain, sequence, outputs, drain, fail } = this.#ports
    sequence.run(
      chain.links,
      { step: 'finish', on: link => link.operator.finish?.() },
      () => {
        outputs.event({ type: 'end-of-partition' })
        outputs.flush()
        drain()
      },
      fail,
    )
  }

  #endData(): void {
    const { outputs, checkpointing, endOfData } = this.#ports
    checkpointing.dataEnded()
    outputs.event({ type: 'end-of-data', ...(this.#drained && { drained: true }) })
    outputs.flush()
    endOfData()
    if (!this.#waitsForCheckpoint) this.finish()
  }
}
