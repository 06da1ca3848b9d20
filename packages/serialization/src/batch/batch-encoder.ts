import { ValueWriter } from '../serializers/value-writer.ts'
import { type BatchEncoder, MAX_BATCH_RECORDS } from './batch-codec.ts'
import * as format from './batch-format.ts'
import { align8, HEADER_BYTES, WORD } from './batch-format.ts'
import { type BatchSchema, inferBatchSchema, widenBatchSchema } from './batch-schema.ts'
import { type ColumnEncoder, createColumnEncoder, rowBytesOf } from './column-encoder.ts'
import { generate } from './generate.ts'
import type { RawBuffer } from './raw-buffer.ts'

/** A batch is full when its bound reaches this, by default. Real sizes are about two thirds of the bound. */
export const DEFAULT_BATCH_BYTES = 64 * 1024

/** Code generated before it has paid: after so many schemas without a batch that used one well, none is made any more. */
const MAX_UNPAID_SCHEMAS = 32
const MAX_CACHED_SCHEMAS = 8

interface Columns {
  readonly schema: BatchSchema
  readonly schemaBytes: Buffer
  readonly rowBytes: number
  readonly encoder: ColumnEncoder
}

/** What the generated `append` of one encoder and the rest of it share. */
interface OpenBatch {
  count: number
  /** Records in columns. */
  rows: number
  /** Characters in the heap. */
  chars: number
  timed: boolean
  /** Bytes besides those of each record. */
  fixedBytes: number
  recordBytes: number
}

/** @param options.targetBytes see {@link BatchEncoder.append} */
export function createBatchEncoder(options?: { targetBytes?: number }): BatchEncoder {
  const encoder = new ColumnarBatchEncoder()
  return encoder.bind(options?.targetBytes ?? DEFAULT_BATCH_BYTES)
}

class ColumnarBatchEncoder {
  readonly #batch: OpenBatch = {
    count: 0,
    rows: 0,
    chars: 0,
    timed: false,
    fixedBytes: HEADER_BYTES + 24,
    recordBytes: 12,
  }
  readonly #timestamps = new Float64Array(MAX_BATCH_RECORDS)
  /** Positions of the records beside the columns; their number is `count - rows`. */
  readonly #positions = new Int32Array(MAX_BATCH_RECORDS)
  readonly #side = new ValueWriter()
  readonly #cache = new Map<string, Columns>()
  #columns: Columns | undefined
  #unpaidSchemas = 0
  /** Schema of a record that did not fit lately. */
  #candidate: BatchSchema | undefined
  /** The columns were chosen from the last batch: a first record that does not fit must not undo that. */
  #chosen = false
  #setAppend: (append: ColumnEncoder['append']) => void = () => {}
  #target: Buffer | undefined
  #i32: Int32Array = new Int32Array(0)
  #f64: Float64Array = new Float64Array(0)
  #u16: Uint16Array = new Uint16Array(0)
  #u8: Uint8Array = new Uint8Array(0)

  bind(targetBytes: number): BatchEncoder {
    const batch = this.#batch
    const side = this.#side
    const own = generate<{
      append: BatchEncoder['append']
      setAppend: (append: ColumnEncoder['append']) => void
    }>(
      ['batch', 'timestamps', 'other'],
      `let appendRow = () => -1
       return {
         setAppend(append) { appendRow = append },
         append(record, timestamp) {
           const n = batch.count
           const chars = appendRow(record, batch.rows)
           if (chars < 0) other(record)
           else { batch.chars += chars; batch.rows++ }
           timestamps[n] = timestamp
           if (timestamp === timestamp) batch.timed = true
           batch.count = n + 1
           return n >= ${MAX_BATCH_RECORDS - 1} ||
             batch.fixedBytes + (n + 1) * batch.recordBytes + 2 * batch.chars >= ${targetBytes}
         },
       }`,
      [batch, this.#timestamps, (record: unknown) => this.#appendOther(record)],
    )
    this.#setAppend = own.setAppend
    return {
      get count() {
        return batch.count
      },
      get boundBytes() {
        return batch.fixedBytes + batch.count * batch.recordBytes + 2 * batch.chars
      },
      append: own.append,
      finish: (target, offset) => this.#finish(target as RawBuffer, offset, side),
    }
  }

  /** A record that the columns did not take. */
  #appendOther(record: unknown): void {
    const batch = this.#batch
    if (batch.count >= MAX_BATCH_RECORDS) throw new RangeError('the batch is full and must be finished first')
    const schema = inferBatchSchema(record)
    if (schema !== undefined && this.#makeFit(schema)) {
      const chars = (this.#columns as Columns).encoder.append(record, batch.rows)
      if (chars >= 0) {
        batch.chars += chars
        batch.rows++
        return
      }
    }
    const before = this.#side.sizeBytes
    this.#side.write(record)
    batch.fixedBytes += this.#side.sizeBytes - before
    this.#positions[batch.count - batch.rows] = batch.count
    this.#candidate = schema
  }

  /** Opens or widens columns so that records of `schema` fit. Returns false if that cannot be. */
  #makeFit(schema: BatchSchema): boolean {
    const current = this.#columns
    const rows = this.#batch.rows
    if (rows === 0 && !this.#chosen) {
      const kept = current === undefined ? undefined : widenBatchSchema(current.schema, schema)
      return this.#use(kept ?? schema)
    }
    if (current === undefined) return false
    const wider = widenBatchSchema(current.schema, schema)
    if (wider === undefined || !this.#use(wider)) return false
    if (this.#columns !== current) (this.#columns as Columns).encoder.continueFrom(current.encoder, rows)
    return true
  }

  #use(schema: BatchSchema): boolean {
    let columns = this.#cache.get(schema.text)
    if (columns === undefined) {
      if (this.#unpaidSchemas >= MAX_UNPAID_SCHEMAS) return false
      this.#unpaidSchemas++
      if (this.#cache.size >= MAX_CACHED_SCHEMAS) this.#cache.clear()
      columns = {
        schema,
        schemaBytes: Buffer.from(schema.text),
        rowBytes: rowBytesOf(schema),
        encoder: createColumnEncoder(schema, MAX_BATCH_RECORDS),
      }
      this.#cache.set(schema.text, columns)
    }
    if (columns === this.#columns) return true
    this.#columns = columns
    this.#setAppend(columns.encoder.append)
    this.#batch.fixedBytes = this.#fixedBytes() + this.#side.sizeBytes
    // A timestamp and a position, besides the columns.
    this.#batch.recordBytes = 12 + columns.rowBytes
    return true
  }

  /** Header, schema, and up to 8 bytes of padding for each part. */
  #fixedBytes(): number {
    const columns = this.#columns
    if (columns === undefined) return HEADER_BYTES + 24
    return HEADER_BYTES + 40 + columns.schemaBytes.length + 8 * columns.schema.types.length
  }

  #finish(target: RawBuffer, offset: number, side: ValueWriter): number {
    const batch = this.#batch
    const { count, rows } = batch
    const beside = count - rows
    const columns = rows === 0 ? undefined : this.#columns
    this.#lookAt(target)
    const head = offset >> 2
    let o = offset + HEADER_BYTES
    const schemaBytes = columns === undefined ? 0 : columns.schemaBytes.length
    if (columns !== undefined) this.#u8.set(columns.schemaBytes, o)
    o = align8(o + schemaBytes)
    if (batch.timed) {
      this.#f64.set(this.#timestamps.subarray(0, count), o >> 3)
      o += count * 8
    }
    if (beside > 0) {
      this.#i32.set(this.#positions.subarray(0, beside), o >> 2)
      o = align8(o + beside * 4)
    }
    let form = format.HEAP_ASCII
    let heapBytes = 0
    if (columns !== undefined) {
      o = columns.encoder.write(this.#i32, this.#f64, this.#u16, this.#u8, o, rows)
      const heap = columns.encoder.takeHeap()
      if (heap.length > 0) {
        heapBytes = target.utf8Write(heap, o, heap.length * 2 + 4)
        // Only ASCII takes as many bytes as characters: what was cut off at the limit took more.
        if (heapBytes !== heap.length) {
          form = format.HEAP_UTF8
          if (!heap.isWellFormed() || Buffer.byteLength(heap) !== heapBytes) {
            form = format.HEAP_UTF16
            heapBytes = target.ucs2Write(heap, o)
          }
        }
      }
      o = align8(o + heapBytes)
    }
    if (beside > 0) {
      side.copyTo(target, o)
      o += side.sizeBytes
    }
    this.#i32[head + WORD.records] = count
    this.#i32[head + WORD.flags] = (batch.timed ? format.FLAG_TIMED : 0) | (form << format.HEAP_SHIFT)
    this.#i32[head + WORD.schemaBytes] = schemaBytes
    this.#i32[head + WORD.rows] = rows
    this.#i32[head + WORD.heapBytes] = heapBytes
    this.#i32[head + WORD.sideBytes] = side.sizeBytes
    this.#startNext(beside)
    return o - offset
  }

  #startNext(beside: number): void {
    const batch = this.#batch
    // When the columns did not suit, the next batch starts with those of a record that was beside them.
    const suits = beside * 2 <= batch.count
    if (suits && batch.rows >= MAX_BATCH_RECORDS / 4) this.#unpaidSchemas = 0
    batch.count = 0
    batch.rows = 0
    batch.chars = 0
    batch.timed = false
    this.#side.clear()
    batch.fixedBytes = this.#fixedBytes()
    this.#chosen = !suits && this.#candidate !== undefined && this.#use(this.#candidate)
    this.#candidate = undefined
  }

  #lookAt(target: Buffer): void {
    if (this.#target === target) return
    const { buffer, byteOffset, length } = target
    this.#target = target
    this.#i32 = new Int32Array(buffer, byteOffset, length >> 2)
    this.#f64 = new Float64Array(buffer, byteOffset, length >> 3)
    this.#u16 = new Uint16Array(buffer, byteOffset, length >> 1)
    this.#u8 = new Uint8Array(buffer, byteOffset, length)
  }
}
