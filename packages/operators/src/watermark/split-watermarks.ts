import { MIN_WATERMARK } from '../contract/stream-operator.ts'
import type { StoredWatermarks } from './stored-watermarks.ts'
import type { WatermarkOutput } from './watermark-generator.ts'

interface SplitTime {
  watermark: number
  idle: boolean
}

/**
 * Watermarks of the splits of one reader: event time of the source is that of its slowest split that is not idle. Owner:
 * one operator instance.
 */
export class SplitWatermarks {
  readonly #splits = new Map<string, SplitTime>()
  readonly #output: Pick<StoredWatermarks, 'emit' | 'markIdle' | 'markActive'>

  constructor(output: Pick<StoredWatermarks, 'emit' | 'markIdle' | 'markActive'>) {
    this.#output = output
  }

  /** Where the watermarks of a split go. It holds event time back until its first one, or until it is idle. */
  outputOf(splitId: string): WatermarkOutput {
    const split: SplitTime = { watermark: MIN_WATERMARK, idle: false }
    this.#splits.set(splitId, split)
    return {
      emitWatermark: watermark => {
        split.idle = false
        if (watermark <= split.watermark) {
          this.#output.markActive()
          return
        }
        split.watermark = watermark
        this.#update()
      },
      markIdle: () => {
        split.idle = true
        this.#update()
      },
      markActive: () => {
        split.idle = false
        this.#output.markActive()
      },
    }
  }

  /** The split is read to its end: it holds back nothing any more. */
  release(splitId: string): void {
    if (this.#splits.delete(splitId) && this.#splits.size > 0) this.#update()
  }

  #update(): void {
    let lowest = Number.POSITIVE_INFINITY
    for (const { watermark, idle } of this.#splits.values()) {
      if (!idle && watermark < lowest) lowest = watermark
    }
    if (lowest === Number.POSITIVE_INFINITY) this.#output.markIdle()
    else if (lowest > MIN_WATERMARK) this.#output.emit(lowest)
    else this.#output.markActive()
  }
}
