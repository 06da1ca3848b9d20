import type { CaptureListener } from '@flink-ts/network'
import { type BatchEncoder, createBatchEncoder } from '@flink-ts/serialization'

/** Encodes captured records of a channel that has them as objects. Owner: the channel. */
export class RecordCapture {
  readonly #listener: CaptureListener
  #encoder: BatchEncoder | undefined

  constructor(listener: CaptureListener) {
    this.#listener = listener
  }

  /** @param timestamp milliseconds since the epoch, NaN for none */
  add(record: unknown, timestamp: number): void {
    this.#encoder ??= createBatchEncoder()
    if (this.#encoder.append(record, timestamp)) this.flush()
  }

  /** Hands on what was added so far. */
  flush(): void {
    const encoder = this.#encoder
    if (encoder === undefined || encoder.count === 0) return
    const bytes = Buffer.allocUnsafeSlow(encoder.boundBytes)
    const sizeBytes = encoder.finish(bytes, 0)
    // The bound is generous; what waits for its file should not be.
    const exact = Buffer.allocUnsafeSlow(sizeBytes)
    bytes.copy(exact, 0, 0, sizeBytes)
    this.#listener.batch(exact, 0)
  }
}
