import { brotliDecompressSync, gunzipSync, zstdDecompressSync } from 'node:zlib'
import type { FileInput } from '@flink-ts/filesystem'
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetScan,
  parquetSchema,
} from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { ParquetColumnMissing, ParquetIntegerTooLarge, ParquetInvalid } from '../errors.ts'

/** How 64-bit integers arrive. `number` fails on values beyond 2^53. */
export type Int64Mode = 'number' | 'bigint'

export interface ParquetOptions {
  /** Columns to read, in this order; all if absent. */
  readonly columns?: readonly string[] | undefined
  readonly int64?: Int64Mode
}

/** The values of one column of a row group, by row. */
export type ColumnValues = ArrayLike<unknown>

/** A Parquet file open for reading; row groups can be read one by one, in any order. */
export interface ParquetFile {
  /** Rows of each row group. */
  readonly rowGroups: readonly number[]
  /** Names of the columns that are read. */
  readonly columns: readonly string[]
  /**
   * The columns of one row group, in the order of {@link ParquetFile.columns}. DATE and TIMESTAMP values are Dates,
   * absent ones null. Decodes one column at a time and lets the event loop go on in between.
   */
  readRowGroup(index: number): Promise<readonly ColumnValues[]>
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
      readRowGroup: index =>
        readRowGroup({ file, metadata, columns, name, int64: options.int64 ?? 'number' }, index),
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

async function readRowGroup(opened: Opened, index: number): Promise<readonly ColumnValues[]> {
  const { file, metadata, name } = opened
  const rows = metadata.row_groups.map(group => Number(group.num_rows))
  const rowStart = rows.slice(0, index).reduce((sum, count) => sum + count, 0)
  const rowEnd = rowStart + (rows[index] ?? 0)
  if (rowStart === rowEnd) return opened.columns.map(() => [])
  const values: ColumnValues[] = []
  try {
    const columns = [...opened.columns]
    const scan = await parquetScan({ file, metadata, columns, compressors: DECOMPRESSORS, geoparquet: false })
    for (const column of opened.columns) {
      const data = await scan.readColumn({ column, rowStart, rowEnd })
      values.push(opened.int64 === 'number' ? withoutBigInts(data, opened, column, rowStart) : data)
      // Decoding a column can take milliseconds: let barriers and cancellation through.
      await new Promise(setImmediate)
    }
  } catch (error) {
    if (ParquetIntegerTooLarge.is(error) || !isDecodingFailure(error)) throw error
    throw ParquetInvalid({ file: name, reason: `row group ${index}: ${messageOf(error)}` }, error)
  }
  return values
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
    const number = Number(value)
    if (!Number.isSafeInteger(number)) {
      throw ParquetIntegerTooLarge({ file: opened.name, column, row: rowStart + i, value: String(value) })
    }
    numbers.push(number)
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
