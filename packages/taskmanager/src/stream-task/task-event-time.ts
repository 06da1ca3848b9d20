import { MAX_WATERMARK } from '@flink-ts/operators'
import type { ChainLink, OperatorChain } from './operator-chain.ts'
import type { InputListener } from './task-inputs.ts'
import type { YieldDecision } from './yield-decision.ts'

export interface TaskEventTimeDependencies {
  readonly chain: OperatorChain
  /** The task's timestamp register. */
  readonly timestamp: Float64Array
  readonly yielding: YieldDecision
  /** The task may have become ready for direct calls, or ceased to be. */
  readonly refresh: () => void
}

/** The way of event time into the chain of a task: from its inputs, and from operators that make watermarks. Owner: the task. */
export class TaskEventTime {
  readonly #ports: TaskEventTimeDependencies
  /** Watermarks must be worked off at once: a record may follow on the same stack. */
  #forced = false
  #betweenRecords = false

  constructor(dependencies: TaskEventTimeDependencies) {
    this.#ports = dependencies
  }

  /** Runs `work` with no record on the stack: watermarks that it emits may be worked off in slices. */
  betweenRecords<T>(work: () => T): T {
    this.#betweenRecords = true
    try {
      return work()
    } finally {
      this.#betweenRecords = false
    }
  }

  /** The operator at `index` emits a watermark. */
  emit(index: number, watermark: number): void {
    const { chain, timestamp, refresh } = this.#ports
    if (!chain.emit(chain.links[index] as ChainLink, watermark)) return
    const before = timestamp[0] as number
    const forced = this.#forced
    this.#forced = !this.#betweenRecords && watermark !== MAX_WATERMARK
    chain.advance(index + 1)
    this.#forced = forced
    timestamp[0] = before
    refresh()
  }

  shouldYield(): boolean {
    return !this.#forced && this.#ports.yielding.ask()
  }

  /** What the inputs tell of event time. */
  get listener(): Pick<InputListener, 'eventTime' | 'idle'> {
    const { chain } = this.#ports
    return {
      eventTime: watermark => {
        chain.enter(watermark)
        chain.advance()
      },
      idle: idle => {
        if (idle) chain.setIdle(chain.head)
        else chain.setActive(chain.head)
      },
    }
  }
}
