import {
  MAX_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type Push,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import { FeedbackAfterEnd, FeedbackOverflow } from '../errors.ts'
import {
  dropFeedbackChannel,
  type FeedbackChannel,
  type FeedbackRecord,
  feedbackChannel,
} from './feedback-channel.ts'

/** A loop in a stream. */
export interface IterationOptions {
  /** Of the loop in its job, from 0. */
  readonly iteration: number
  /** How long the head waits for records to come back when its input has ended. */
  readonly maxWaitMs: number
  /** Records that may be on their way back at a time in one subtask. From half of it on no input is taken. */
  readonly maxFeedback: number
}

/** How long the head waits for room in its outputs. */
const RETRY_MS = 1

/** The channel of a loop that `context`'s operator is the head or tail of. */
export function channelKeyOf(context: OperatorContext, iteration: number): string {
  return `${context.jobId}/${iteration}/${context.subtaskIndex}`
}

/**
 * Where records enter a loop again. Records that are fed back are part of its snapshots: a snapshot waits until the
 * barrier has come through the loop, and holds what was fed back before it. The last watermark waits until nothing has
 * come back for `maxWaitMs`.
 */
export function iterationHeadOperator(options: IterationOptions): OperatorFactory {
  return { kind: 'iteration-head', create: context => new IterationHead(context, options).operator() }
}

/** One instance of the operator. Owner: the slot thread. */
class IterationHead {
  readonly #context: OperatorContext
  readonly #options: IterationOptions
  readonly #key: string
  readonly #channel: FeedbackChannel
  readonly #stored
  readonly #queue: FeedbackRecord[] = []
  /** Of the queue. */
  #next = 0
  #scheduled = false
  #available = true
  /** A snapshot that waits for its barrier at the tail. */
  #waiting: { readonly checkpointId: number; readonly resolve: () => void } | undefined
  /** The last barrier that came through the loop. */
  #lastBarrier = -1
  /** When something last came back, processing time; set when the input has ended. */
  #quietSinceMs: number | undefined
  #alarm: { cancel(): void } | undefined
  #ended = false
  #closed = false

  constructor(context: OperatorContext, options: IterationOptions) {
    this.#context = context
    this.#options = options
    this.#key = channelKeyOf(context, options.iteration)
    this.#channel = feedbackChannel(this.#key)
    this.#stored = context.operatorState.listState<FeedbackRecord>('feedback')
    this.#channel.connect({
      record: record => this.#receive(record),
      barrier: checkpointId => this.#barrier(checkpointId),
    })
  }

  operator(): StreamOperator {
    const { out } = this.#context
    return {
      processElement: this.#context.generate<Push>(['out'], 'return value => { out(value) }', [out]),
      open: () => this.#restore(),
      advanceWatermark: watermark => watermark !== MAX_WATERMARK || this.#quiet(),
      snapshotState: checkpointId => this.#snapshot(checkpointId),
      close: () => {
        this.#closed = true
        this.#alarm?.cancel()
        this.#waiting?.resolve()
        dropFeedbackChannel(this.#key, this.#channel)
      },
    }
  }

  get #size(): number {
    return this.#queue.length - this.#next
  }

  /** At a lower parallelism there may be more than `maxFeedback`: they are worked off, no input is taken meanwhile. */
  #restore(): void {
    for (const record of this.#stored.get()) this.#queue.push(record)
    if (this.#size === 0) return
    if (this.#size * 2 >= this.#options.maxFeedback) this.#setAvailable(false)
    this.#schedule()
  }

  #receive(record: FeedbackRecord): void {
    const { operatorName: operator } = this.#context
    if (this.#ended) throw FeedbackAfterEnd({ operator, maxWaitMs: this.#options.maxWaitMs })
    const { maxFeedback } = this.#options
    if (this.#size >= maxFeedback) throw FeedbackOverflow({ operator, records: this.#size, maxFeedback })
    this.#queue.push(record)
    if (this.#quietSinceMs !== undefined) this.#quietSinceMs = this.#context.processingTime()
    if (this.#available && this.#size * 2 >= maxFeedback) this.#setAvailable(false)
    this.#schedule()
  }

  #setAvailable(available: boolean): void {
    this.#available = available
    this.#context.setAvailable(available)
  }

  #schedule(): void {
    if (this.#scheduled || this.#closed) return
    this.#scheduled = true
    this.#context.execute(() => this.#emit())
  }

  /** Runs between records. */
  #emit(): void {
    this.#scheduled = false
    if (this.#closed || this.#waiting !== undefined) return
    const context = this.#context
    const register = context.timestamp
    const before = register[0] as number
    while (this.#next < this.#queue.length) {
      if (context.shouldYield()) {
        // The outputs may be full for long: looked at again, not waited for in a circle.
        this.#scheduled = true
        context.scheduleProcessingTime(context.processingTime() + RETRY_MS, () => this.#emit())
        break
      }
      const { value, timestamp } = this.#queue[this.#next++] as FeedbackRecord
      register[0] = timestamp
      context.out(value)
    }
    register[0] = before
    if (this.#next > 1024 || this.#next === this.#queue.length) {
      this.#queue.splice(0, this.#next)
      this.#next = 0
    }
    if (!this.#available && this.#size * 2 < this.#options.maxFeedback) this.#setAvailable(true)
  }

  #snapshot(checkpointId: number): void | Promise<void> {
    const store = (): void => this.#stored.update(this.#queue.slice(this.#next))
    // The loop is in one task, or there is none any more.
    if (this.#lastBarrier >= checkpointId || this.#ended) {
      store()
      return
    }
    return new Promise<void>(resolve => {
      this.#waiting = {
        checkpointId,
        resolve: () => {
          this.#waiting = undefined
          store()
          this.#schedule()
          resolve()
        },
      }
    })
  }

  #barrier(checkpointId: number): void {
    this.#lastBarrier = Math.max(this.#lastBarrier, checkpointId)
    if (this.#waiting !== undefined && checkpointId >= this.#waiting.checkpointId) this.#waiting.resolve()
  }

  /** The input has ended: whether the loop is empty, as far as one can know. */
  #quiet(): boolean {
    const context = this.#context
    const { maxWaitMs } = this.#options
    this.#quietSinceMs ??= context.processingTime()
    const waitMs = this.#quietSinceMs + maxWaitMs - context.processingTime()
    if (this.#size === 0 && waitMs <= 0) {
      this.#ended = true
      return true
    }
    this.#alarm ??= context.scheduleProcessingTime(context.processingTime() + Math.max(waitMs, 1), () => {
      this.#alarm = undefined
      context.wake()
    })
    return false
  }
}
