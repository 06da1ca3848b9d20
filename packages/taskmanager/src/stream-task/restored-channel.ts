import type { CaptureListener, ChannelHandler, ChannelReader } from '@flink-ts/network'
import { type BatchDecoder, createBatchDecoder } from '@flink-ts/serialization'
import { RecordCapture } from '../checkpoint/record-capture.ts'

interface RestoredBatch {
  readonly bytes: Buffer
  readonly skip: number
  /** Whether a record belongs to this subtask. */
  readonly keeps: (record: unknown) => boolean
}

/**
 * Records that were on their way when the snapshot was taken that a task starts from: a channel that has them and then
 * ends. Owner: the task.
 */
export class RestoredChannel implements ChannelReader {
  readonly bytesIn = 0
  readonly usage = 0
  readonly bufferedBytes = 0
  readonly #batches: RestoredBatch[]
  readonly #timestamp: Float64Array
  readonly #decoder: BatchDecoder = createBatchDecoder()
  /** Of the open batch, the next one at the end. */
  #records: { readonly value: unknown; readonly timestamp: number }[] = []
  #recordsIn = 0
  #ended = false

  /**
   * @param batches in order
   * @param timestamp the task's timestamp register
   */
  constructor(batches: readonly RestoredBatch[], timestamp: Float64Array) {
    this.#batches = [...batches]
    this.#timestamp = timestamp
  }

  get recordsIn(): number {
    return this.#recordsIn
  }

  ready(): boolean {
    return !this.#ended
  }

  poll(maxRecords: number, handler: ChannelHandler): number {
    if (this.#ended) return 0
    if (!this.#fill()) {
      this.#ended = true
      handler.event({ type: 'end-of-partition' })
      return 1
    }
    let taken = 0
    for (; taken < maxRecords && this.#records.length > 0; taken++) {
      const { value, timestamp } = this.#records.pop() as { value: unknown; timestamp: number }
      this.#timestamp[0] = timestamp
      this.#recordsIn++
      handler.record(value)
    }
    return taken
  }

  startCapture(_checkpointId: number, listener: CaptureListener): void {
    const capture = new RecordCapture(listener)
    for (const { value, timestamp } of this.#records.toReversed()) capture.add(value, timestamp)
    for (const batch of this.#batches) {
      for (const { value, timestamp } of this.#decode(batch)) capture.add(value, timestamp)
    }
    capture.flush()
    listener.ended('end-of-partition')
  }

  /** All is here. */
  drain(): boolean {
    return false
  }

  stopCapture(): void {}

  /** Opens batches until there is a record; false: there is none any more. */
  #fill(): boolean {
    while (this.#records.length === 0) {
      const batch = this.#batches.shift()
      if (batch === undefined) return false
      this.#records = this.#decode(batch).reverse()
    }
    return true
  }

  #decode({ bytes, skip, keeps }: RestoredBatch): { value: unknown; timestamp: number }[] {
    const register = new Float64Array(1)
    const records: { value: unknown; timestamp: number }[] = []
    let left = this.#decoder.open(bytes, 0, bytes.length)
    let at = 0
    while (left > 0) {
      left = this.#decoder.next(left, register, value => {
        if (at++ >= skip && keeps(value)) records.push({ value, timestamp: register[0] as number })
      })
    }
    return records
  }
}
