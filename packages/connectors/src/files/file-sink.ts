import { randomBytes } from 'node:crypto'
import { toUri } from '@flink-ts/filesystem'
import type { Committer, Sink, SinkWriter, SinkWriterContext } from '@flink-ts/operators'
import { type CsvColumn, csvRowEncoder, type RowEncoder } from './csv-row-encoder.ts'
import { removeLeftovers } from './part-cleanup.ts'
import { PartCommitter } from './part-committer.ts'
import type { PartCommittable, PartWriterState } from './part-file.ts'
import { PartWriter } from './part-writer.ts'

/**
 * Writes rows into part files of a folder, exactly once with checkpointing: files are hidden while they are written,
 * complete at each checkpoint, and visible when that checkpoint is complete. Without checkpointing they become visible
 * at the end of the job, and a restart may repeat rows. The folder must be on storage that all TaskManagers share.
 * @example FileSink.forCsv<AirportDay>('output/flight-delays').build()
 */
export class FileSink {
  /** Rows of RFC 4180; the columns are the fields of the first record unless they are given. */
  static forCsv<T>(folder: string): CsvSinkBuilder<T> {
    return new CsvSinkBuilder<T>(folder)
  }

  /** One line for each record, made by `encode`; it must not contain line breaks. */
  static forRow<T>(folder: string, encode: (record: T) => string): RowSinkBuilder<T> {
    return new RowSinkBuilder<T>(folder, encode)
  }
}

/** Settings of a CSV sink. */
export class CsvSinkBuilder<T> {
  readonly #folder: string
  #columns: readonly CsvColumn<T>[] | undefined
  #header = true

  constructor(folder: string) {
    this.#folder = folder
  }

  /** The columns in order: fields of the record, or names with functions that give their values. */
  withColumns(columns: readonly CsvColumn<T>[]): this {
    if (columns.length === 0) throw new RangeError('withColumns needs at least one column')
    this.#columns = [...columns]
    return this
  }

  /** Whether each file begins with the names of the columns; true by default. */
  withHeader(header: boolean): this {
    this.#header = header
    return this
  }

  build(): Sink<T, PartCommittable, PartWriterState> {
    const columns = this.#columns
    const header = this.#header
    return new PartFileSink<T>(toUri(this.#folder), '.csv', () => csvRowEncoder(columns, header))
  }
}

/** Settings of a sink of lines. */
export class RowSinkBuilder<T> {
  readonly #folder: string
  readonly #encode: (record: T) => string
  #suffix = ''
  #header: string | undefined

  constructor(folder: string, encode: (record: T) => string) {
    this.#folder = folder
    this.#encode = encode
  }

  /** End of the names of finished files, such as `.txt`. */
  withSuffix(suffix: string): this {
    if (/[/\\\0]/.test(suffix))
      throw new RangeError(`withSuffix('${suffix}'): a suffix is part of a file name`)
    this.#suffix = suffix
    return this
  }

  /** First line of each file. */
  withHeader(header: string): this {
    this.#header = header
    return this
  }

  build(): Sink<T, PartCommittable, PartWriterState> {
    const header = this.#header
    const encode = this.#encode
    return new PartFileSink<T>(toUri(this.#folder), this.#suffix, () => ({ header: () => header, encode }))
  }
}

// Sinks of one job on one folder, told apart by the order in which main makes them, which replays repeat.
const sinksByFolder = new Map<string, number>()

class PartFileSink<T> implements Sink<T, PartCommittable, PartWriterState> {
  readonly kind = 'file'
  readonly #folder: string
  readonly #sink: number
  readonly #suffix: string
  readonly #createEncoder: () => RowEncoder<T>

  constructor(folder: string, suffix: string, createEncoder: () => RowEncoder<T>) {
    this.#folder = folder
    this.#sink = sinksByFolder.get(folder) ?? 0
    sinksByFolder.set(folder, this.#sink + 1)
    this.#suffix = suffix
    this.#createEncoder = createEncoder
  }

  /** Its files are told apart from those of this one. */
  copy(): PartFileSink<T> {
    return new PartFileSink(this.#folder, this.#suffix, this.#createEncoder)
  }

  async createWriter(
    context: SinkWriterContext,
    restored: readonly PartWriterState[],
  ): Promise<SinkWriter<T, PartCommittable, PartWriterState>> {
    const attempt = {
      jobId: context.jobId,
      sink: this.#sink,
      subtask: context.subtaskIndex,
      bornFrom: context.restoredCheckpointId ?? 0,
      token: randomBytes(8).toString('hex'),
    }
    const covering = await removeLeftovers(this.#folder, attempt, context.parallelism, restored)
    return new PartWriter<T>(
      { folder: this.#folder, attempt, suffix: this.#suffix, covering },
      {
        encoder: this.#createEncoder(),
        files: context.files,
        setAvailable: available => context.setAvailable(available),
        fail: error => context.fail(error),
      },
    )
  }

  createCommitter(): Committer<PartCommittable> {
    return new PartCommitter()
  }

  filesOf(committable: PartCommittable): readonly string[] {
    return [committable.inProgressUri]
  }
}
