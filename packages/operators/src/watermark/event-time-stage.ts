import { floatCells } from '@flink-ts/serialization'
import { MAX_WATERMARK, type OperatorContext, type Push } from '../contract/stream-operator.ts'
import { InvalidTimestamp, InvalidWatermark } from '../errors.ts'
import { describeValue, failureAtRecord } from '../functions/user-function-failure.ts'
import { type GeneratorOutput, PeriodicWatermarks, type RunningGenerator } from './periodic-watermarks.ts'
import { SplitWatermarks } from './split-watermarks.ts'
import { StoredWatermarks } from './stored-watermarks.ts'
import type { WatermarkGenerator, WatermarkOutput } from './watermark-generator.ts'
import type { WatermarkStrategy } from './watermark-strategy.ts'

/**
 * Assigns the timestamp, puts it into the register and hands the record on. Does not restore the register. The record's
 * own timestamp may be absent.
 */
type EmitRecord = (value: unknown, recordTimestamp?: number) => void

/** Gives records their event time and emits watermarks: inside a source, or as an operator of its own. */
export interface EventTimeStage {
  /** For records of no split. */
  readonly emit: EmitRecord
  /** For records of one split, which has watermarks of its own. The same function for the same split. */
  split(splitId: string): EmitRecord
  /** No more records of that split. */
  releaseSplit(splitId: string): void
  /** The last watermark that went on, and whether the stream holds back event time. */
  readonly progress: Pick<StoredWatermarks, 'watermark' | 'idle'>
  /** To be called while opening: sends the restored watermark before the first record. */
  start(): void
  /** Emits the watermarks that are due at the next interval. */
  advance(): void
  stop(): void
  /** To be called with each snapshot. */
  snapshot(): void
  /** No more records: event time is at its end. */
  end(): void
}

/**
 * @param out where records go; their timestamp is in the register
 * @param isPaused no records are read on purpose: that is no idleness
 */
export function eventTimeStageOf<T>(
  context: OperatorContext,
  strategy: WatermarkStrategy<T>,
  out: Push,
  isPaused: () => boolean = () => false,
): EventTimeStage {
  const watermarks = new StoredWatermarks(context)
  const splitWatermarks = new SplitWatermarks(watermarks)
  const periodic = new PeriodicWatermarks(context, strategy.idlenessMs, isPaused)
  const isPeriodic = context.autoWatermarkIntervalMs > 0
  const splits = new Map<
    string,
    { readonly emit: EmitRecord; readonly running: RunningGenerator | undefined }
  >()

  const emitterTo = (output: WatermarkOutput) => {
    const { emit, running } = emitterOf(context, strategy, out, guarded(context, output))
    if (running !== undefined && isPeriodic) periodic.add(running)
    return { emit, running }
  }
  return {
    emit: emitterTo({
      emitWatermark: watermark => watermarks.emit(watermark),
      markIdle: () => {
        // Splits have watermarks of their own.
        if (splits.size === 0) watermarks.markIdle()
      },
      markActive: () => watermarks.markActive(),
    }).emit,
    split(splitId) {
      let split = splits.get(splitId)
      if (split === undefined) {
        split = emitterTo(splitWatermarks.outputOf(splitId))
        splits.set(splitId, split)
      }
      return split.emit
    },
    releaseSplit(splitId) {
      const split = splits.get(splitId)
      if (split === undefined) return
      splits.delete(splitId)
      if (split.running !== undefined) periodic.remove(split.running)
      splitWatermarks.release(splitId)
    },
    progress: watermarks,
    start() {
      watermarks.restore()
      const hasGenerator = strategy.generator !== undefined || strategy.outOfOrdernessMs !== undefined
      if (isPeriodic && hasGenerator) periodic.start()
    },
    advance: () => periodic.askNow(),
    stop: () => periodic.stop(),
    snapshot: () => watermarks.snapshot(),
    end() {
      periodic.stop()
      watermarks.emit(MAX_WATERMARK)
    },
  }
}

/** The code that records pass, with a generator of its own. */
function emitterOf<T>(
  context: OperatorContext,
  strategy: WatermarkStrategy<T>,
  out: Push,
  output: GeneratorOutput,
): { readonly emit: EmitRecord; readonly running: RunningGenerator | undefined } {
  /** [0]: highest timestamp so far, -Infinity before the first; [1]: records so far. */
  const progress = floatCells([Number.NEGATIVE_INFINITY, 0])
  const { timestampAssigner, outOfOrdernessMs, idlenessMs } = strategy
  const invalid = (timestamp: unknown, record: unknown): Error =>
    InvalidTimestamp({
      operator: context.operatorName,
      timestamp: describeValue(timestamp),
      record: `record ${describeValue(record)}`,
    })
  const generator: WatermarkGenerator<T> | undefined = strategy.generator?.(context)
  const emit = context.generate<EmitRecord>(
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
  return { emit, running: own === undefined ? undefined : { generator: own, output, progress } }
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

/** What a generator calls: checks what it gives, and tells errors from downstream from its own. */
function guarded(context: OperatorContext, to: WatermarkOutput): GeneratorOutput {
  let failure: { readonly error: unknown } | undefined
  return {
    count: 0,
    emitWatermark(watermark) {
      if (typeof watermark !== 'number' || Number.isNaN(watermark)) {
        throw InvalidWatermark({ operator: context.operatorName, watermark: describeValue(watermark) })
      }
      this.count++
      try {
        to.emitWatermark(Math.min(watermark, MAX_WATERMARK))
      } catch (error) {
        failure = { error }
        throw error
      }
    },
    markIdle: () => to.markIdle(),
    markActive: () => to.markActive(),
    failed: error => failure?.error === error || InvalidWatermark.is(error),
  }
}
