import { type FileStatus, fileSystemFor } from '@flink-ts/filesystem'
import {
  createRowBuilder,
  type Int64Mode,
  type ParquetFile,
  type RowBuilder,
  type RowGroup,
} from '@flink-ts/formats'
import type {
  ReaderOutput,
  Source,
  SourceReader,
  SourceReaderContext,
  SplitEnumerator,
  SplitEnumeratorContext,
} from '@flink-ts/operators'
import { FileChanged } from '../errors.ts'
import { type Block, type BlockLoader, BlockReader } from './block-reader.ts'
import { type FileEnumeratorState, FileSplitEnumerator } from './file-split-enumerator.ts'

/** One row group, read up to `rowOffset`. */
export interface ParquetSplit {
  readonly index: number
  readonly uri: string
  readonly rowGroup: number
  /** Rows in the row group when it was enumerated. */
  readonly rows: number
  readonly rowOffset: number
}

export interface ParquetSourceOptions {
  /** Files or folders. */
  readonly uris: readonly string[]
  readonly columns: readonly string[] | undefined
  readonly int64: Int64Mode
  /** Looks for new files this often; absent: once. */
  readonly discoveryIntervalMs?: number | undefined
}

type ParquetEnumeratorState = FileEnumeratorState<ParquetSplit>
type ParquetEnumerator = SplitEnumerator<ParquetSplit, ParquetEnumeratorState>

/** Reads Parquet files; each row group is a split. See {@link FileSource.forParquet}. */
export class ParquetSource<T> implements Source<T, ParquetSplit, ParquetEnumeratorState> {
  readonly boundedness: 'bounded' | 'unbounded'
  readonly kind = 'parquet'
  readonly #options: ParquetSourceOptions

  constructor(options: ParquetSourceOptions) {
    this.#options = options
    this.boundedness = options.discoveryIntervalMs === undefined ? 'bounded' : 'unbounded'
  }

  createEnumerator(context: SplitEnumeratorContext<ParquetSplit>): ParquetEnumerator {
    return this.#enumerator(context, undefined)
  }

  restoreEnumerator(
    context: SplitEnumeratorContext<ParquetSplit>,
    state: ParquetEnumeratorState,
  ): ParquetEnumerator {
    return this.#enumerator(context, state)
  }

  createReader(context: SourceReaderContext): SourceReader<T, ParquetSplit> {
    return new BlockReader(context, new RowGroupLoader<T>(uri => this.#open(uri)))
  }

  #enumerator(
    context: SplitEnumeratorContext<ParquetSplit>,
    restored: ParquetEnumeratorState | undefined,
  ): ParquetEnumerator {
    const { uris, discoveryIntervalMs } = this.#options
    const splitsOf = (file: FileStatus) => this.#splitsOf(file)
    return new FileSplitEnumerator<ParquetSplit>({ uris, splitsOf, discoveryIntervalMs }, context, restored)
  }

  async #splitsOf({ uri }: FileStatus): Promise<readonly Omit<ParquetSplit, 'index'>[]> {
    const file = await this.#open(uri)
    await file.close()
    return [...file.rowGroups.entries()].flatMap(([rowGroup, rows]) =>
      rows > 0 ? [{ uri, rowGroup, rows, rowOffset: 0 }] : [],
    )
  }

  async #open(uri: string): Promise<ParquetFile> {
    const { columns, int64 } = this.#options
    const { openParquet } = await import('@flink-ts/formats/parquet')
    return openParquet(await fileSystemFor(uri).open(uri), uri, { columns, int64 })
  }
}

/** Keeps the last file open, since its row groups mostly follow one another. */
class RowGroupLoader<T> implements BlockLoader<T, ParquetSplit> {
  readonly #openFile: (uri: string) => Promise<ParquetFile>
  #opened: { readonly uri: string; readonly file: ParquetFile; readonly build: RowBuilder<T> } | undefined

  constructor(openFile: (uri: string) => Promise<ParquetFile>) {
    this.#openFile = openFile
  }

  async load(split: ParquetSplit): Promise<Block<T, ParquetSplit>> {
    const { uri, rowGroup, rows } = split
    if (this.#opened?.uri !== uri) {
      await this.close()
      const file = await this.#openFile(uri)
      this.#opened = { uri, file, build: createRowBuilder<T>(file.columns) }
    }
    const { file, build } = this.#opened
    if (file.rowGroups[rowGroup] !== rows) {
      const reason = `row group ${rowGroup} had ${rows} rows and now has ${file.rowGroups[rowGroup] ?? 'none'}`
      throw FileChanged({ uri, reason })
    }
    return rowGroupBlock(split, await file.openRowGroup(rowGroup), build)
  }

  async close(): Promise<void> {
    const opened = this.#opened
    this.#opened = undefined
    await opened?.file.close()
  }
}

/** Rows that are decoded at once: their values stay in the processor's nearest caches until they are emitted. */
const DECODED_ROWS = 1024

function rowGroupBlock<T>(
  split: ParquetSplit,
  group: RowGroup,
  build: RowBuilder<T>,
): Block<T, ParquetSplit> {
  const { columns } = group
  let next = split.rowOffset
  let decodedFrom = 0
  let decodedTo = 0
  const decode = (): void => {
    // What was emitted before a restore is decoded again.
    while (decodedTo <= next) {
      decodedFrom = decodedTo
      decodedTo += group.read(DECODED_ROWS)
    }
  }
  return {
    rest: undefined,
    split: () => ({ ...split, rowOffset: next }),
    emit(max: number, output: ReaderOutput<T>): boolean {
      if (next >= split.rows) return true
      if (next >= decodedTo) decode()
      const end = Math.min(split.rows, next + max, decodedTo)
      // The position is moved before the record goes out: a snapshot never comes in between.
      while (next < end) {
        const at = next++ - decodedFrom
        output.collect(build(columns, at))
      }
      return next >= split.rows
    },
  }
}
