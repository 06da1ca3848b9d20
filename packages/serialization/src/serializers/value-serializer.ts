import { MalformedBytes } from '../errors.ts'
import { ValueReader } from './value-reader.ts'
import { ValueWriter } from './value-writer.ts'

/** Turns single values into bytes and back. One owner: it reuses its buffers. */
export interface ValueSerializer {
  /**
   * A fresh copy of exact size.
   * @throws serialization.unsupported-value (functions, symbols, promises and the like), serialization.value-too-deep
   */
  encode(value: unknown): Uint8Array
  /** @throws serialization.malformed-bytes */
  decode(bytes: Uint8Array): unknown
}

/**
 * A serializer for any plain value, exact to the bit: undefined (also in fields and holes of arrays), null, booleans,
 * numbers with NaN and -0, strings with lone surrogates, bigints of any size, Dates, arrays, objects in the order of
 * their fields, Maps, Sets, typed arrays, DataViews, Buffers, ArrayBuffers, RegExps.
 *
 * Not kept: the class of instances (they become plain objects of their own enumerable fields, getters read), symbol
 * keys, extra properties of arrays, lastIndex of RegExps, identity (what is reachable twice is written twice). Errors
 * keep name, message, stack and cause. A view is written alone, without the rest of its buffer.
 */
export function createValueSerializer(): ValueSerializer {
  const writer = new ValueWriter()
  const reader = new ValueReader()
  return {
    encode: value => {
      writer.clear()
      writer.write(value)
      return writer.copy()
    },
    decode: bytes => {
      const source = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      reader.open(source, 0, source.length)
      try {
        return readWhole(reader)
      } finally {
        reader.close()
      }
    },
  }
}

/**
 * The `decode` of a {@link ValueSerializer} for many values in one buffer after another: it makes nothing new for each,
 * but keeps the memory of the last one alive. Of `bytes` it reads those from `start` to before `end`. One owner.
 */
export function createValueDecoder(): (bytes: Uint8Array, start?: number, end?: number) => unknown {
  const reader = new ValueReader()
  let source = Buffer.alloc(0) as Buffer
  return (bytes, start = 0, end = bytes.length) => {
    if (source.buffer !== bytes.buffer) source = Buffer.from(bytes.buffer)
    reader.open(source, bytes.byteOffset + start, bytes.byteOffset + end)
    return readWhole(reader)
  }
}

function readWhole(reader: ValueReader): unknown {
  const value = reader.read()
  if (!reader.atEnd) throw MalformedBytes({ what: 'bytes left after the value', offset: 0 })
  return value
}
