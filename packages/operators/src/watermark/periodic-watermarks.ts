import type { OperatorContext } from '../contract/stream-operator.ts'
import { userFunctionFailure } from '../functions/user-function-failure.ts'
import type { WatermarkGenerator, WatermarkOutput } from './watermark-generator.ts'

/** What a generator calls. Errors from downstream pass through it, and must not be taken for its own. */
export interface GeneratorOutput extends WatermarkOutput {
  /** Watermarks so far. */
  count: number
  failed(error: unknown): boolean
}

/** A generator with what it is asked for. */
export interface RunningGenerator {
  readonly generator: WatermarkGenerator<never>
  readonly output: GeneratorOutput
  /** [1]: records so far. */
  readonly progress: Float64Array
}

interface Activity {
  recordsSeen: number
  lastRecordAt: number
  idle: boolean
}

/** Asks generators at each watermark interval, and finds out when there are no records. Owner: one operator instance. */
export class PeriodicWatermarks {
  readonly #context: OperatorContext
  readonly #idlenessMs: number | undefined
  readonly #isPaused: () => boolean
  readonly #generators = new Map<RunningGenerator, Activity>()
  #timer: { cancel(): void } | undefined

  /** @param isPaused no records are read on purpose: that is no idleness */
  constructor(context: OperatorContext, idlenessMs: number | undefined, isPaused: () => boolean) {
    this.#context = context
    this.#idlenessMs = idlenessMs
    this.#isPaused = isPaused
  }

  add(generator: RunningGenerator): void {
    const lastRecordAt = this.#context.processingTime()
    this.#generators.set(generator, { recordsSeen: 0, lastRecordAt, idle: false })
  }

  remove(generator: RunningGenerator): void {
    this.#generators.delete(generator)
  }

  start(): void {
    for (const activity of this.#generators.values()) activity.lastRecordAt = this.#context.processingTime()
    this.#schedule()
  }

  /** Asks all generators before the interval is over, but for those that are idle. */
  askNow(): void {
    for (const [generator, { idle }] of this.#generators) if (!idle) this.#ask(generator)
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    const next = this.#context.processingTime() + this.#context.autoWatermarkIntervalMs
    this.#timer = this.#context.scheduleProcessingTime(next, () => {
      this.#schedule()
      for (const [generator, activity] of this.#generators) this.#tick(generator, activity)
    })
  }

  #tick(running: RunningGenerator, activity: Activity): void {
    if (this.#idlenessMs !== undefined && this.#checkIdle(running, activity, this.#idlenessMs)) return
    this.#ask(running)
  }

  #ask(running: RunningGenerator): void {
    try {
      running.generator.onPeriodicEmit(running.output)
    } catch (error) {
      if (running.output.failed(error)) throw error
      const at = `processing time ${this.#context.processingTime()}`
      throw userFunctionFailure(this.#context, 'onPeriodicEmit of the watermark generator', error, at)
    }
  }

  #checkIdle({ output, progress }: RunningGenerator, activity: Activity, idlenessMs: number): boolean {
    const records = progress[1] as number
    const now = this.#context.processingTime()
    if (records !== activity.recordsSeen || this.#isPaused()) {
      activity.recordsSeen = records
      activity.lastRecordAt = now
      if (activity.idle) output.markActive()
      activity.idle = false
    } else if (!activity.idle && this.#context.isBlocked()) {
      // There may be records that can't go on: taken for idle, they would be late when they can.
      activity.lastRecordAt = now
    } else if (!activity.idle && now - activity.lastRecordAt >= idlenessMs) {
      activity.idle = true
      output.markIdle()
    }
    return activity.idle
  }
}
