import { MalformedBytes } from '../errors.ts'
import { ValueReader } from '../serializers/value-reader.ts'
import type { BatchDecoder, Push } from './batch-codec.ts'
import * as format from './batch-format.ts'
import { align8, HEADER_BYTES, WORD } from './batch-format.ts'
import { parseBatchSchema } from './batch-schema.ts'
import { type ColumnDecoder, createColumnDecoder, NO_TIMES } from './column-decoder.ts'
import { generate } from './generate.ts'
import type { RawBuffer } from './raw-buffer.ts'

/** Generated decoders kept for a channel. */
const MAX_CACHED_SCHEMAS = 16

/** See {@link BatchDecoder}. */
export function createBatchDecoder(): BatchDecoder {
  const decoder = new ColumnarBatchDecoder()
  // Of its own, so that the call of the sink sees one target only.
  const next = generate<BatchDecoder['next']>(
    ['decoder'],
    'return (max, timestamp, sink) => decoder.next(max, timestamp, sink)',
    [decoder],
  )
  return {
    open: (source, offset, lengthBytes) => decoder.open(source as RawBuffer, offset, lengthBytes),
    next,
  }
}

class ColumnarBatchDecoder {
  readonly #cache = new Map<string, ColumnDecoder>()
  readonly #side = new ValueReader()
  #schemaText: Uint8Array = new Uint8Array(0)
  #columns: ColumnDecoder | undefined
  #source: Buffer | undefined
  #i32: Int32Array = new Int32Array(0)
  #f64: Float64Array = new Float64Array(0)
  #u16: Uint16Array = new Uint16Array(0)
  #u8: Uint8Array = new Uint8Array(0)
  #count = 0
  /** Records handed out, and those of them that were in columns. */
  #taken = 0
  #row = 0
  /** Index of the first timestamp; NO_TIMES without. */
  #times = NO_TIMES
  /** Index of the first position of a record beside the columns, and how many there are. */
  #positions = 0
  #beside = 0

  open(source: RawBuffer, offset: number, lengthBytes: number): number {
    this.#lookAt(source)
    const head = offset >> 2
    const word = (index: number): number => this.#i32[head + index] as number
    const count = word(WORD.records)
    const flags = word(WORD.flags)
    const rows = word(WORD.rows)
    const beside = count - rows
    let o = offset + HEADER_BYTES
    const schemaBytes = word(WORD.schemaBytes)
    const smallest = HEADER_BYTES + schemaBytes + word(WORD.heapBytes) + word(WORD.sideBytes)
    if (lengthBytes < smallest || rows < 0 || beside < 0 || (rows > 0 && schemaBytes === 0)) {
      throw MalformedBytes({ what: `a batch of ${count} records in ${lengthBytes} bytes`, offset })
    }
    const columns = rows === 0 ? undefined : this.#columnsOf(source, o, schemaBytes)
    o = align8(o + schemaBytes)
    this.#times = NO_TIMES
    if ((flags & format.FLAG_TIMED) !== 0) {
      this.#times = o >> 3
      o += count * 8
    }
    this.#positions = o >> 2
    if (beside > 0) o = align8(o + beside * 4)
    if (columns !== undefined) {
      o = columns.open(this.#i32, this.#f64, this.#u16, this.#u8, o, rows)
      const heapBytes = word(WORD.heapBytes)
      columns.setHeap(heapOf(source, o, o + heapBytes, flags >> format.HEAP_SHIFT))
      o = align8(o + heapBytes)
    }
    if (o + word(WORD.sideBytes) > offset + lengthBytes) {
      throw MalformedBytes({ what: `a batch of ${count} records in ${lengthBytes} bytes`, offset })
    }
    if (beside > 0) this.#side.open(source, o, o + word(WORD.sideBytes))
    this.#count = count
    this.#beside = beside
    this.#taken = 0
    this.#row = 0
    return count
  }

  next(max: number, timestamp: Float64Array, sink: Push): number {
    const end = Math.min(this.#count, this.#taken + max)
    while (this.#taken < end) {
      const besideTaken = this.#taken - this.#row
      const nextBeside =
        besideTaken < this.#beside ? (this.#i32[this.#positions + besideTaken] as number) : this.#count
      if (nextBeside === this.#taken) {
        const value = this.#side.read()
        timestamp[0] =
          this.#times === NO_TIMES ? Number.NaN : (this.#f64[this.#times + this.#taken] as number)
        this.#taken++
        sink(value)
      } else {
        const from = this.#row
        const to = from + Math.min(nextBeside, end) - this.#taken
        const times = this.#times === NO_TIMES ? NO_TIMES : this.#times + besideTaken
        this.#taken += to - from
        this.#row = to
        ;(this.#columns as ColumnDecoder).rows(from, to, times, timestamp, sink)
      }
    }
    if (end === this.#count) this.#release()
    return this.#count - end
  }

  /** Does not keep the batch's strings alive while the channel waits. */
  #release(): void {
    this.#columns?.setHeap('')
    if (this.#beside > 0) this.#side.close()
  }

  #columnsOf(source: RawBuffer, offset: number, length: number): ColumnDecoder {
    const known = this.#schemaText
    if (this.#columns !== undefined && known.length === length) {
      let i = 0
      while (i < length && known[i] === source[offset + i]) i++
      if (i === length) return this.#columns
    }
    const text = source.utf8Slice(offset, offset + length)
    let columns = this.#cache.get(text)
    if (columns === undefined) {
      if (this.#cache.size >= MAX_CACHED_SCHEMAS) this.#cache.clear()
      columns = createColumnDecoder(parseBatchSchema(text))
      this.#cache.set(text, columns)
    }
    this.#columns = columns
    this.#schemaText = Uint8Array.from(source.subarray(offset, offset + length))
    return columns
  }

  #lookAt(source: Buffer): void {
    if (this.#source === source) return
    const { buffer, byteOffset, length } = source
    this.#source = source
    this.#i32 = new Int32Array(buffer, byteOffset, length >> 2)
    this.#f64 = new Float64Array(buffer, byteOffset, length >> 3)
    this.#u16 = new Uint16Array(buffer, byteOffset, length >> 1)
    this.#u8 = new Uint8Array(buffer, byteOffset, length)
  }
}

function heapOf(source: RawBuffer, start: number, end: number, form: number): string {
  if (start === end) return ''
  if (form === format.HEAP_ASCII) return source.latin1Slice(start, end)
  return form === format.HEAP_UTF8 ? source.utf8Slice(start, end) : source.ucs2Slice(start, end)
}
