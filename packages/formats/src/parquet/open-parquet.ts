import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { FileInput } from '@flink-ts/filesystem'
import {
  type AsyncBuffer,
  type ColumnChunk,
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
} from 'hyparquet'
import { DEFAULT_PARSERS } from 'hyparquet/src/convert.js'
import { compressors } from 'hyparquet-compressors'
import { ParquetColumnMissing, ParquetIntegerTooLarge, ParquetInvalid } from '../errors.ts'
import { ColumnCursor, type ColumnDecoder, canStream } from './column-cursor.ts'

/** How 64-bit integers arrive. `number` fails on values beyond 2^53. */
export type Int64Mode = 'number' | 'bigint'

export interface ParquetOptions {
  /** Columns to read, in this order; all if absent. */
  readonly columns?: readonly string[] | undefined
  readonly int64?: Int64Mode
}

/** The values of one column, by row. */
export type ColumnValues = ArrayLike<unknown>

/**
 * The rows of a row group, to be read from the first to the last. DATE and TIMESTAMP values are Dates, absent ones
 * null.
 */
export interface RowGroup {
  /** The rows read last, in the order of {@link ParquetFile.columns}; reused by the next reading. */
  readonly columns: readonly ColumnValues[]
  /**
   * Reads the next rows, at most `max`, and returns how many these are: 0 at the end. Throws
   * `formats.parquet-invalid` and `formats.parquet-integer-too-large`.
   */
  read(max: number): number
}

/** A Parquet file open for reading; row groups can be read one by one, in any order. */
export interface ParquetFile {
  /** Rows of each row group. */
  readonly rowGroups: readonly number[]
  /** Names of the columns that are read. */
  readonly columns: readonly string[]
  /**
   * Loads the bytes of a row group; nearly all columns are decoded while rows are read. Those of lists, structs and
   * rare encodings are decoded here, one at a time, and the event loop goes on in between.
   */
  openRowGroup(index: number): Promise<RowGroup>
  close(): Promise<void>
}

// Native ones are several times faster than those in JavaScript.
const DECOMPRESSORS = {
  ...compressors,
  GZIP: (input: Uint8Array) => gunzipSync(input),
  BROTLI: (input: Uint8Array) => brotliDecompressSync(input),
  ZSTD: (input: Uint8Array) => zstdDecompressSync(input),
}

/**
 * Reads the metadata of a Parquet file. The file keeps `input` until it is closed; a failure closes it. Throws
 * `formats.parquet-*`.
 * @param name of the file, for messages
 */
export async function openParquet(
  input: FileInput,
  name: string,
  options: ParquetOptions = {},
): Promise<ParquetFile> {
  try {
    const file = asyncBuffer(input)
    const metadata = await readMetadata(file, name)
    const known = parquetSchema(metadata).children.map(child => child.element.name)
    const columns = options.columns ?? known
    for (const column of columns) {
      if (!known.includes(column)) throw ParquetColumnMissing({ file: name, column, known })
    }
    const rowGroups = metadata.row_groups.map(group => Number(group.num_rows))
    return {
      rowGroups,
      columns,
      openRowGroup: index =>
        openRowGroup({ file, metadata, columns, name, int64: options.int64 ?? 'number' }, index),
      close: () => input.close(),
    }
  } catch (error) {
    await input.close()
    throw error
  }
}

async function readMetadata(file: AsyncBuffer, name: string): Promise<FileMetaData> {
  try {
    // geoparquet: columns of places are left as they are stored.
    return await parquetMetadataAsync(file, { geoparquet: false })
  } catch (error) {
    throw ParquetInvalid({ file: name, reason: messageOf(error) }, error)
  }
}

interface Opened {
  readonly file: AsyncBuffer
  readonly metadata: FileMetaData
  readonly columns: readonly string[]
  readonly name: string
  readonly int64: Int64Mode
}

/** Reads `count` rows into `values`. */
interface RowCursor {
  readonly values: ColumnValues
  read(count: number): void
}

async function openRowGroup(opened: Opened, index: number): Promise<RowGroup> {
  const { metadata } = opened
  const rows = metadata.row_groups.map(group => Number(group.num_rows))
  const rowStart = rows.slice(0, index).reduce((sum, count) => sum + count, 0)
  const total = rows[index] ?? 0
  let next = 0
  const cursors: RowCursor[] = []
  try {
    for (const column of opened.columns) {
      cursors.push(
        total === 0
          ? { values: [], read: () => undefined }
          : ((await streamedColumn(opened, index, column, rowStart)) ??
              (await wholeColumn(opened, column, rowStart, total))),
      )
      // Decoding a column can take milliseconds: let barriers and cancellation through.
      await new Promise(setImmediate)
    }
  } catch (error) {
    throw failureOf(error, opened, index)
  }
  return {
    columns: cursors.map(({ values }) => values),
    read(max) {
      const count = Math.min(max, total - next)
      try {
        for (const cursor of cursors) cursor.read(count)
      } catch (error) {
        throw failureOf(error, opened, index)
      }
      next += count
      return count
    },
  }
}

/** Undefined: the column cannot be decoded piece by piece. */
async function streamedColumn(
  opened: Opened,
  rowGroup: number,
  column: string,
  rowStart: number,
): Promise<RowCursor | undefined> {
  const { file, metadata, int64, name } = opened
  const root = parquetSchema(metadata)
  const leaf = root.children.find(child => child.element.name === column)
  const chunk = metadata.row_groups[rowGroup]?.columns.find(
    ({ meta_data }) => meta_data?.path_in_schema.length === 1 && meta_data.path_in_schema[0] === column,
  )
  const data = chunk?.meta_data
  if (leaf === undefined || chunk === undefined || data === undefined) return undefined
  // Stored in a file of its own.
  if (chunk.file_path !== undefined) return undefined
  const decoder: ColumnDecoder = {
    pathInSchema: data.path_in_schema,
    type: data.type,
    element: leaf.element,
    schemaPath: [root, leaf],
    codec: data.codec,
    parsers: DEFAULT_PARSERS,
    compressors: DECOMPRESSORS,
  }
  if (!canStream(decoder, data.encodings)) return undefined
  const [start, end] = byteRange(data)
  const bytes = await file.slice(start, end)
  const place = (row: number) => ({ file: name, column, row: rowStart + row })
  const toNumber = (value: bigint, row: number): number => exactNumber(value, place(row))
  return new ColumnCursor(bytes, decoder, int64 === 'number' ? toNumber : undefined)
}

function exactNumber(value: bigint, place: { file: string; column: string; row: number }): number {
  const number = Number(value)
  if (!Number.isSafeInteger(number)) throw ParquetIntegerTooLarge({ ...place, value: String(value) })
  return number
}

function byteRange(data: NonNullable<ColumnChunk['meta_data']>): [number, number] {
  const { dictionary_page_offset, data_page_offset, total_compressed_size } = data
  // Some writers say 0 if there is no dictionary.
  const start = Number(dictionary_page_offset || data_page_offset)
  return [start, start + Number(total_compressed_size)]
}

async function wholeColumn(
  opened: Opened,
  column: string,
  rowStart: number,
  rows: number,
): Promise<RowCursor> {
  const { file, metadata } = opened
  const columns = [column]
  const scan = await parquetScan({ file, metadata, columns, compressors: DECOMPRESSORS, geoparquet: false })
  const data = await scan.readColumn({ column, rowStart, rowEnd: rowStart + rows })
  const all = opened.int64 === 'number' ? withoutBigInts(data, opened, column, rowStart) : data
  let next = 0
  const values: unknown[] = []
  return {
    values,
    read(count) {
      for (let i = 0; i < count; i++) values[i] = all[next + i]
      next += count
    },
  }
}

function failureOf(error: unknown, { name }: Opened, rowGroup: number): unknown {
  if (ParquetIntegerTooLarge.is(error) || !isDecodingFailure(error)) return error
  return ParquetInvalid({ file: name, reason: `row group ${rowGroup}: ${messageOf(error)}` }, error)
}

/** Errors of file systems keep their own code, so that retries are decided on it. */
function isDecodingFailure(error: unknown): boolean {
  return !(error instanceof Error && 'code' in error && String(error.code).startsWith('filesystem.'))
}

/** Integers of 64 bits as numbers, in an array that V8 keeps as small integers. Nested values are left alone. */
function withoutBigInts(data: ColumnValues, opened: Opened, column: string, rowStart: number): ColumnValues {
  if (!isOfBigInts(data)) return data
  const numbers: unknown[] = []
  for (let i = 0; i < data.length; i++) {
    const value = data[i]
    if (typeof value !== 'bigint') {
      numbers.push(value)
      continue
    }
    numbers.push(exactNumber(value, { file: opened.name, column, row: rowStart + i }))
  }
  return numbers
}

function isOfBigInts(data: ColumnValues): boolean {
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) return true
  for (let i = 0; i < data.length; i++)
    if (data[i] !== null && data[i] !== undefined) return typeof data[i] === 'bigint'
  return false
}

function asyncBuffer(input: FileInput): AsyncBuffer {
  return {
    byteLength: input.sizeBytes,
    async slice(start, end = input.sizeBytes) {
      const from = start < 0 ? Math.max(0, input.sizeBytes + start) : start
      const bytes = await input.read(from, Math.max(0, end - from))
      // A buffer of its own: reads may come from a pool.
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer
    },
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
