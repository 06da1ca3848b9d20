import { MAX_WATERMARK, MIN_WATERMARK, type OperatorContext } from '../contract/stream-operator.ts'
import type { EventTimeStage } from './event-time-stage.ts'

/** Sources of one group are kept close to each other in event time. */
export interface WatermarkAlignment {
  /** Sources of the same job with the same name belong together. */
  readonly group: string
  readonly maxDriftMs: number
  readonly updateIntervalMs: number
}

/** Where each subtask of a group is. Owner: the job's thread of the job host. */
class AlignmentGroup {
  readonly #watermarks = new Map<string, number>()

  get empty(): boolean {
    return this.#watermarks.size === 0
  }

  report(participant: string, watermark: number): void {
    this.#watermarks.set(participant, watermark)
  }

  forget(participant: string): void {
    this.#watermarks.delete(participant)
  }

  /** Of the slowest of the others: where a subtask was when it last said so does not hold back itself. */
  lowestBut(participant: string): number {
    let lowest = MAX_WATERMARK
    for (const [each, watermark] of this.#watermarks) {
      if (each !== participant && watermark < lowest) lowest = watermark
    }
    return lowest
  }
}

/** By job and name: the coordinators of the sources of a job share the thread. */
const groups = new Map<string, AlignmentGroup>()

/** What the coordinator of one source knows of its group. Owner: the coordinator. */
export class SourceAlignment {
  readonly #settings: WatermarkAlignment
  readonly #key: string
  readonly #operatorId: string
  readonly #group: AlignmentGroup
  readonly #subtasks = new Set<number>()

  constructor(settings: WatermarkAlignment, source: { readonly jobId: string; readonly operatorId: string }) {
    this.#settings = settings
    this.#operatorId = source.operatorId
    this.#key = `${source.jobId}/${settings.group}`
    this.#group = groups.get(this.#key) ?? new AlignmentGroup()
    groups.set(this.#key, this.#group)
  }

  /** A subtask is at `watermark`. Returns how far it may go. */
  report(subtaskIndex: number, watermark: number): number {
    this.#subtasks.add(subtaskIndex)
    const participant = this.#participant(subtaskIndex)
    this.#group.report(participant, watermark)
    return Math.min(this.#group.lowestBut(participant) + this.#settings.maxDriftMs, MAX_WATERMARK)
  }

  /** The subtask starts again: where it is will be known when it says so. */
  forget(subtaskIndex: number): void {
    this.#subtasks.delete(subtaskIndex)
    this.#group.forget(this.#participant(subtaskIndex))
  }

  close(): void {
    for (const subtaskIndex of [...this.#subtasks]) this.forget(subtaskIndex)
    if (this.#group.empty && groups.get(this.#key) === this.#group) groups.delete(this.#key)
  }

  #participant(subtaskIndex: number): string {
    return `${this.#operatorId}/${subtaskIndex}`
  }
}

/**
 * The side of a source's subtask: tells at each interval where it is, and stands still while it is further than it may
 * be. One without a watermark yet, or idle, holds nobody. Owner: one operator instance.
 */
export class ReaderAlignment {
  readonly #context: OperatorContext
  readonly #settings: WatermarkAlignment
  readonly #progress: EventTimeStage['progress']
  readonly #tell: (watermark: number) => void
  #limit = MAX_WATERMARK
  #timer: { cancel(): void } | undefined

  /** @param tell the coordinator */
  constructor(
    context: OperatorContext,
    settings: WatermarkAlignment,
    parts: {
      readonly progress: EventTimeStage['progress']
      readonly tell: (watermark: number) => void
    },
  ) {
    this.#context = context
    this.#settings = settings
    this.#progress = parts.progress
    this.#tell = parts.tell
  }

  /** Nothing is to be read now. */
  get paused(): boolean {
    return this.#progress.watermark > this.#limit
  }

  start(): void {
    const next = this.#context.processingTime() + this.#settings.updateIntervalMs
    this.#timer = this.#context.scheduleProcessingTime(next, () => {
      this.start()
      const { watermark, idle } = this.#progress
      if (idle) this.#tell(MAX_WATERMARK)
      else if (watermark > MIN_WATERMARK) this.#tell(watermark)
    })
  }

  /** From the coordinator. */
  allow(limit: number): void {
    this.#limit = limit
    if (!this.paused) this.#context.wake()
  }

  /** The input is at its end. */
  end(): void {
    this.stop()
    this.#tell(MAX_WATERMARK)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }
}
