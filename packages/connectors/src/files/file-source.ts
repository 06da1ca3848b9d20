import { toUri } from '@flink-ts/filesystem'
import type { Int64Mode } from '@flink-ts/formats'
import { type Duration, durationMs, type Source } from '@flink-ts/operators'
import type { FileEnumeratorState } from './file-split-enumerator.ts'
import { ParquetSource, type ParquetSplit } from './parquet-source.ts'
import { TextLineSource, type TextSplit } from './text-line-source.ts'

const DEFAULT_SPLIT_BYTES = 16 * 2 ** 20
const BLOCK_BYTES = 2 ** 20

/**
 * Reads files in parallel: each is cut into splits, which go to whichever subtask has nothing to read. Once to their end,
 * or for ever, with new files as they appear ({@link ParquetSourceBuilder.monitorContinuously}). Paths are files or
 * folders (walked; names with a leading `.` or `_` are skipped), as URIs or local paths; the JobManager and every
 * TaskManager must be able to read them, and files must not change: write them under a hidden name, then rename them.
 * @example FileSource.forParquet<Flight>('data/flights.parquet').build()
 */
export class FileSource {
  /** Records of Parquet files; DATE and TIMESTAMP columns are Dates, 64-bit integers are numbers. */
  static forParquet<T>(...paths: readonly string[]): ParquetSourceBuilder<T> {
    return new ParquetSourceBuilder<T>(paths)
  }

  /** Lines of UTF-8 text without their line ends; files named `.gz` are unpacked. */
  static forTextLines(...paths: readonly string[]): TextLineSourceBuilder {
    return new TextLineSourceBuilder(paths)
  }
}

/** Settings of a Parquet source. */
export class ParquetSourceBuilder<T> {
  readonly #paths: readonly string[]
  #columns: readonly string[] | undefined
  #int64: Int64Mode = 'number'
  #discoveryIntervalMs: number | undefined

  constructor(paths: readonly string[]) {
    this.#paths = paths
  }

  /** Reads only these columns. */
  withColumns(columns: readonly (keyof T & string)[]): this {
    this.#columns = [...columns]
    return this
  }

  /** 64-bit integers as `bigint`; the default `number` fails on values beyond 2^53. */
  withInt64As(mode: Int64Mode): this {
    this.#int64 = mode
    return this
  }

  /** Looks for new files at this interval, for ever. The names of all files seen are kept in checkpoints. */
  monitorContinuously(interval: Duration): this {
    this.#discoveryIntervalMs = durationMs(interval, 'monitorContinuously', 1)
    return this
  }

  build(): Source<T, ParquetSplit, FileEnumeratorState<ParquetSplit>> {
    return new ParquetSource<T>({
      uris: urisOf(this.#paths),
      columns: this.#columns,
      int64: this.#int64,
      discoveryIntervalMs: this.#discoveryIntervalMs,
    })
  }
}

/** Settings of a source of lines. */
export class TextLineSourceBuilder {
  readonly #paths: readonly string[]
  #splitBytes = DEFAULT_SPLIT_BYTES
  #discoveryIntervalMs: number | undefined

  constructor(paths: readonly string[]) {
    this.#paths = paths
  }

  /** About how many bytes of a file one subtask reads at a time; 16 MB by default. */
  withSplitSize(sizeBytes: number): this {
    if (!(Number.isSafeInteger(sizeBytes) && sizeBytes > 0)) {
      throw new RangeError(`withSplitSize(${sizeBytes}): give a whole number of bytes above 0`)
    }
    this.#splitBytes = sizeBytes
    return this
  }

  /** Looks for new files at this interval, for ever. The names of all files seen are kept in checkpoints. */
  monitorContinuously(interval: Duration): this {
    this.#discoveryIntervalMs = durationMs(interval, 'monitorContinuously', 1)
    return this
  }

  build(): Source<string, TextSplit, FileEnumeratorState<TextSplit>> {
    return new TextLineSource({
      uris: urisOf(this.#paths),
      splitBytes: this.#splitBytes,
      blockBytes: Math.min(BLOCK_BYTES, this.#splitBytes),
      discoveryIntervalMs: this.#discoveryIntervalMs,
    })
  }
}

/** Absolute, so that they mean the same on each TaskManager as where the job is planned. */
function urisOf(paths: readonly string[]): readonly string[] {
  if (paths.length === 0) throw new RangeError('FileSource needs at least one path')
  return paths.map(path => toUri(path))
}
