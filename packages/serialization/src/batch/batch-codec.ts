/** Takes one value; the record's timestamp is in the thread's timestamp register (see operators/contract). */
export type Push = (value: unknown) => void

/** Most records of a batch: measured, 256 to 512 are best. */
export const MAX_BATCH_RECORDS = 512

/**
 * Gathers records and writes them as one columnar batch that can be decoded alone (schema embedded). One for each
 * channel. The code is generated from the schema inferred from the records; what fits no schema still round-trips,
 * as far as {@link createValueSerializer} keeps it.
 */
export interface BatchEncoder {
  /** Records in the open batch. */
  readonly count: number
  /** Upper bound of what {@link BatchEncoder.finish} will write, in bytes. */
  readonly boundBytes: number
  /**
   * Returns true when the batch is full (512 records, or the bound has reached the target): finish it before the next.
   * The record is read now; later changes to it have no effect.
   * @param timestamp milliseconds since the epoch, NaN for none
   * @throws serialization.unsupported-value, serialization.value-too-deep: the record was not added
   */
  append(record: unknown, timestamp: number): boolean
  /**
   * Writes the open batch at `offset` and opens a new one. Returns the bytes written. The memory behind `target`, shared
   * or not, and `offset` begin at multiples of 8, and there is room for {@link BatchEncoder.boundBytes}.
   */
  finish(target: Buffer, offset: number): number
}

/**
 * Reads batches. One for each channel. The buffer must not change until the last record was taken. Strings may be
 * substrings of one string for the whole batch and keep it alive: detach what is stored for long.
 */
export interface BatchDecoder {
  /** Opens a batch; returns its number of records. Same alignment as {@link BatchEncoder.finish}. */
  open(source: Buffer, offset: number, lengthBytes: number): number
  /**
   * Hands at most `max` records to `sink`, each after its timestamp was put into `timestamp[0]`. Returns how many are
   * left. If `sink` throws, the position is lost and the batch must be opened anew.
   */
  next(max: number, timestamp: Float64Array, sink: Push): number
}
