import { type WatermarkGenerator, type WatermarkOutput, WatermarkStrategy } from 'flink-ts'
import { type Event, timeOf } from '../model/events.ts'

/** How far behind the latest event the watermark is: so late may events come. */
export const OUT_OF_ORDERNESS_MS = 4000

class AfterEachEvent implements WatermarkGenerator<Event> {
  #latest = -Infinity

  onEvent(_event: Event, timestamp: number, output: WatermarkOutput): void {
    if (timestamp <= this.#latest) return
    this.#latest = timestamp
    output.emitWatermark(timestamp - OUT_OF_ORDERNESS_MS)
  }

  onPeriodicEmit(): void {}
}

/** Watermarks as in the runs that made the golden results: after each event, so that it is always the same what is late. */
export const watermarkAfterEachEvent = WatermarkStrategy.forGenerator<Event>(
  () => new AfterEachEvent(),
).withTimestampAssigner(timeOf)
