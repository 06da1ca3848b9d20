/** Where a generator sends its watermarks. */
export interface WatermarkOutput {
  /** No record with this timestamp or a lower one is expected any more. Lower watermarks than the last are ignored. */
  emitWatermark(watermark: number): void
  /** The stream no longer holds back event time; the next watermark or record ends that. */
  markIdle(): void
  markActive(): void
}

/**
 * Makes watermarks: from records (punctuated), or at each watermark interval (periodic). One object for each subtask.
 * @example class Markers implements WatermarkGenerator<Event> {
 *   onEvent(event: Event, timestamp: number, output: WatermarkOutput) {
 *     if (event.isMarker) output.emitWatermark(timestamp)
 *   }
 *   onPeriodicEmit() {}
 * }
 */
export interface WatermarkGenerator<T> {
  /** After the record went on. */
  onEvent(event: T, timestamp: number, output: WatermarkOutput): void
  /** Every `pipeline.auto-watermark-interval`. */
  onPeriodicEmit(output: WatermarkOutput): void
}

/** What a generator learns of where it runs. */
export interface WatermarkGeneratorContext {
  readonly subtaskIndex: number
  readonly parallelism: number
}

/** Makes the generator of one subtask. */
export type WatermarkGeneratorSupplier<T> = (context: WatermarkGeneratorContext) => WatermarkGenerator<T>
