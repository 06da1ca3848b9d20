import { MAX_WATERMARK, type OperatorContext, type Push } from '../contract/stream-operator.ts'
import { InvalidTimestamp, InvalidWatermark } from '../errors.ts'
import { describeValue, failureAtRecord, userFunctionFailure } from '../functions/user-function-failure.ts'
import { StoredWatermarks } from './stored-watermarks.ts'
import type { WatermarkGenerator, WatermarkOutput } from './watermark-generator.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'

/** Gives records their event time and emits watermarks: inside a source, or as an operator of its own. */
export interface EventTimeStage {
  /**
   * Assigns the timestamp, puts it into the register and hands the record on. Does not restore the register. The
   * record's own timestamp may be absent.
   */
  readonly emit: (value: unknown, recordTimestamp?: number) => void
  /** To be called while opening: sends the restored watermark before the first record. */
  start(): void
  stop(): void
  /** To be called with each snapshot. */
  snapshot(): void
  /** No more records: event time is at its end. */
  end(): void
}

/** @param out where records go; their timestamp is in the register */
export function eventTimeStageOf<T>(
  context: OperatorContext,
  strategy: WatermarkStrategy<T>,
  out: Push,
): EventTimeStage {
  /** [0]: highest timestamp so far, -Infinity before the first; [1]: records so far. */
  const progress = new Float64Array([Number.NEGATIVE_INFINITY, 0])
  const { timestampAssigner, outOfOrdernessMs, idlenessMs } = strategy
  const invalid = (timestamp: unknown, record: unknown): Error =>
    InvalidTimestamp({
      operator: context.operatorName,
      timestamp: describeValue(timestamp),
      record: `record ${describeValue(record)}`,
    })
  const watermarks = new StoredWatermarks(context)
  const output = outputOf(context, watermarks)
  const generator: WatermarkGenerator<T> | undefined = strategy.generator?.(context)
  const emit = context.generate<EventTimeStage['emit']>(
    ['assign', 'out', 'register', 'progress', 'generator', 'output', 'failed', 'failedGenerator', 'invalid'],
    `return (value, recordTimestamp) => {
  let time = recordTimestamp === undefined ? NaN : recordTimestamp
  ${
    timestampAssigner === undefined
      ? ''
      : `try { time = assign(value, time) } catch (error) { throw failed(error, value) }
  if (typeof time !== 'number' || time - time !== 0) throw invalid(time, value)`
  }
  ${outOfOrdernessMs === undefined ? '' : 'if (time > progress[0]) progress[0] = time'}
  ${idlenessMs === undefined ? '' : 'progress[1]++'}
  register[0] = time
  out(value)
  ${
    generator === undefined
      ? ''
      : `const emitted = output.count
  try { generator.onEvent(value, time, output) } catch (error) { throw output.failed(error) ? error : failedGenerator(error, value) }
  if (output.count !== emitted) register[0] = time`
  }
}`,
    [
      timestampAssigner,
      out,
      context.timestamp,
      progress,
      generator,
      output,
      failureAtRecord(context, 'the timestamp assigner'),
      failureAtRecord(context, 'onEvent of the watermark generator'),
      invalid,
    ],
  )
  const own = generator ?? builtInGenerator(progress, outOfOrdernessMs)
  const periodic =
    own === undefined || context.autoWatermarkIntervalMs <= 0
      ? undefined
      : new PeriodicWatermarks(context, { generator: own, output, progress, idlenessMs })
  return {
    emit,
    start() {
      watermarks.restore()
      periodic?.start()
    },
    stop: () => periodic?.stop(),
    snapshot: () => watermarks.snapshot(),
    end() {
      periodic?.stop()
      watermarks.emit(MAX_WATERMARK)
    },
  }
}

/** `highest timestamp - out-of-orderness - 1` at each watermark interval. */
function builtInGenerator(
  progress: Float64Array,
  outOfOrdernessMs: number | undefined,
): WatermarkGenerator<unknown> | undefined {
  if (outOfOrdernessMs === undefined) return undefined
  return {
    onEvent: () => {},
    onPeriodicEmit(output) {
      const highest = progress[0] as number
      // Fractions of a millisecond: everything before the watermark, itself included, must be complete.
      if (highest > Number.NEGATIVE_INFINITY) output.emitWatermark(Math.floor(highest) - outOfOrdernessMs - 1)
    },
  }
}

/** What a generator calls. Errors from downstream pass through it, and must not be taken for its own. */
interface GeneratorOutput extends WatermarkOutput {
  /** Watermarks so far. */
  count: number
  failed(error: unknown): boolean
}

function outputOf(context: OperatorContext, watermarks: StoredWatermarks): GeneratorOutput {
  let failure: { readonly error: unknown } | undefined
  return {
    count: 0,
    emitWatermark(watermark) {
      if (typeof watermark !== 'number' || Number.isNaN(watermark)) {
        throw InvalidWatermark({ operator: context.operatorName, watermark: describeValue(watermark) })
      }
      this.count++
      try {
        watermarks.emit(Math.min(watermark, MAX_WATERMARK))
      } catch (error) {
        failure = { error }
        throw error
      }
    },
    markIdle: () => watermarks.markIdle(),
    markActive: () => watermarks.markActive(),
    failed: error => failure?.error === error || InvalidWatermark.is(error),
  }
}

/** Asks a generator at each watermark interval, and finds out when there are no records. */
class PeriodicWatermarks {
  readonly #context: OperatorContext
  readonly #generator: WatermarkGenerator<never>
  readonly #output: GeneratorOutput
  readonly #progress: Float64Array
  readonly #idlenessMs: number | undefined
  #timer: { cancel(): void } | undefined
  #recordsSeen = 0
  #lastRecordAt = 0
  #idle = false

  constructor(
    context: OperatorContext,
    parts: {
      readonly generator: WatermarkGenerator<never>
      readonly output: GeneratorOutput
      readonly progress: Float64Array
      readonly idlenessMs: number | undefined
    },
  ) {
    this.#context = context
    this.#generator = parts.generator
    this.#output = parts.output
    this.#progress = parts.progress
    this.#idlenessMs = parts.idlenessMs
  }

  start(): void {
    this.#lastRecordAt = this.#context.processingTime()
    this.#schedule()
  }

  stop(): void {
    this.#timer?.cancel()
    this.#timer = undefined
  }

  #schedule(): void {
    const next = this.#context.processingTime() + this.#context.autoWatermarkIntervalMs
    this.#timer = this.#context.scheduleProcessingTime(next, () => {
      this.#schedule()
      this.#tick()
    })
  }

  #tick(): void {
    if (this.#idlenessMs !== undefined && this.#checkIdle(this.#idlenessMs)) return
    try {
      this.#generator.onPeriodicEmit(this.#output)
    } catch (error) {
      if (this.#output.failed(error)) throw error
      const at = `processing time ${this.#context.processingTime()}`
      throw userFunctionFailure(this.#context, 'onPeriodicEmit of the watermark generator', error, at)
    }
  }

  #checkIdle(idlenessMs: number): boolean {
    const records = this.#progress[1] as number
    const now = this.#context.processingTime()
    if (records !== this.#recordsSeen) {
      this.#recordsSeen = records
      this.#lastRecordAt = now
      if (this.#idle) this.#output.markActive()
      this.#idle = false
    } else if (!this.#idle && now - this.#lastRecordAt >= idlenessMs) {
      this.#idle = true
      this.#output.markIdle()
    }
    return this.#idle
  }
}
