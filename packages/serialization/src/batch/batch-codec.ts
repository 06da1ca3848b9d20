/** Takes one value; the record's timestamp is in the thread's timestamp register (see operators/contract). */
export type Push = (value: unknown) => void

/**
 * Gathers records and writes them as one columnar batch that can be decoded alone (schema embedded). One for each
 * channel. The code is generated from the schema inferred from the records; what fits no schema still round-trips.
 */
export interface BatchEncoder {
  /** Records in the open batch. */
  readonly count: number
  /** Upper bound of what {@link BatchEncoder.finish} will write, in bytes. */
  readonly boundBytes: number
  /** @param timestamp milliseconds since the epoch, NaN for none */
  append(record: unknown, timestamp: number): void
  /** Writes the open batch at `offset` (a multiple of 8) and opens a new one. Returns the bytes written. */
  finish(target: Buffer, offset: number): number
}

/** Reads batches. One for each channel. The buffer must not change until the last record was taken. */
export interface BatchDecoder {
  /** Opens a batch; returns its number of records. */
  open(source: Buffer, offset: number, lengthBytes: number): number
  /** Hands at most `max` records to `sink`, each after its timestamp was put into `timestamp[0]`. Returns how many are left. */
  next(max: number, timestamp: Float64Array, sink: Push): number
}
