import type { RawBuffer } from '../batch/raw-buffer.ts'
import { MalformedBytes } from '../errors.ts'
import { TAG, VIEW_KINDS } from './value-format.ts'

const NAME_CACHE_SIZE = 1024
const NO_BYTES = Buffer.alloc(0) as Buffer as RawBuffer
const NO_VIEW: DataView = new DataView(NO_BYTES.buffer, 0, 0)

/**
 * Reads what a {@link ValueWriter} wrote. Nothing it returns shares memory with the source. One owner.
 * Malformed bytes never read beyond `end` and end in serialization.malformed-bytes.
 */
export class ValueReader {
  #buffer = NO_BYTES
  #view = NO_VIEW
  #position = 0
  #end = 0
  /** Field names seen, by a hash of their bytes: the same few come again and again, and an instance is quick to use. */
  readonly #names: (string | undefined)[] = new Array(NAME_CACHE_SIZE).fill(undefined)

  /** Whether all bytes were read. */
  get atEnd(): boolean {
    return this.#position >= this.#end
  }

  open(source: Buffer, offset: number, end: number): void {
    if (source !== this.#buffer) {
      this.#buffer = source as RawBuffer
      this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength)
    }
    this.#position = offset
    this.#end = Math.min(end, source.length)
  }

  /** Forgets the source, so that it is not kept alive. */
  close(): void {
    this.#buffer = NO_BYTES
    this.#view = NO_VIEW
    this.#position = 0
    this.#end = 0
  }

  /** @throws serialization.malformed-bytes */
  read(): unknown {
    const tag = this.#byte()
    if (tag >= TAG.smallInt) return tag - TAG.smallInt
    switch (tag) {
      case TAG.undefined:
        return undefined
      case TAG.null:
        return null
      case TAG.false:
        return false
      case TAG.true:
        return true
      case TAG.int32:
        return this.#view.getInt32(this.#take(4), true)
      case TAG.float64:
        return this.#view.getFloat64(this.#take(8), true)
      case TAG.bigint:
        return this.#bigint()
      case TAG.ascii:
      case TAG.utf8:
      case TAG.utf16:
        return this.#text(tag)
      case TAG.date:
        return new Date(this.#view.getFloat64(this.#take(8), true))
      case TAG.array:
        return this.#array()
      case TAG.object:
        return this.#fields({})
      case TAG.nullObject:
        return this.#fields(Object.create(null) as Record<string, unknown>)
      case TAG.map:
        return this.#map()
      case TAG.set:
        return this.#set()
      case TAG.view:
        return this.#viewOn(this.#byte())
      case TAG.arrayBuffer:
        return this.#bytes(this.#length()).buffer
      case TAG.regExp:
        return new RegExp(this.#name(), this.#name())
      case TAG.error:
        return this.#error()
      default:
        throw MalformedBytes({ what: `unknown tag ${tag}`, offset: this.#position - 1 })
    }
  }

  #array(): unknown[] {
    const length = this.#count()
    const array: unknown[] = []
    for (let i = 0; i < length; i++) {
      if (this.#position < this.#end && this.#buffer[this.#position] === TAG.hole) {
        this.#position++
        array.length = i + 1
      } else array[i] = this.read()
    }
    return array
  }

  #fields(target: Record<string, unknown>): Record<string, unknown> {
    const length = this.#count()
    for (let i = 0; i < length; i++) {
      const name = this.#name()
      const value = this.read()
      // Assigning would set the prototype.
      if (name === '__proto__') define(target, name, value)
      else target[name] = value
    }
    return target
  }

  #map(): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>()
    const size = this.#count()
    for (let i = 0; i < size; i++) {
      const key = this.read()
      map.set(key, this.read())
    }
    return map
  }

  #set(): Set<unknown> {
    const set = new Set<unknown>()
    const size = this.#count()
    for (let i = 0; i < size; i++) set.add(this.read())
    return set
  }

  #bigint(): bigint {
    const negative = this.#byte() === 1
    const hex = Buffer.from(this.#bytes(this.#length())).reverse().toString('hex')
    const magnitude = hex === '' ? 0n : BigInt(`0x${hex}`)
    return negative ? -magnitude : magnitude
  }

  #viewOn(kind: number): unknown {
    const name = VIEW_KINDS[kind]
    const bytes = this.#bytes(this.#length())
    if (name === 'Buffer') return Buffer.from(bytes.buffer)
    const View = name === undefined ? undefined : viewConstructors[name]
    if (View === undefined) throw MalformedBytes({ what: `unknown view ${kind}`, offset: this.#position })
    try {
      return new View(bytes.buffer)
    } catch (error) {
      throw MalformedBytes({ what: `${bytes.length} bytes for a ${name}`, offset: this.#position }, error)
    }
  }

  #error(): Error {
    const name = this.#name()
    const error = new Error(this.#name())
    const stack = this.read()
    if (name !== 'Error') define(error, 'name', name)
    define(error, 'stack', stack, false)
    if (this.#byte() === 1) define(error, 'cause', this.read(), false)
    return error
  }

  /** A text value whose instance is shared with earlier equal ones. */
  #name(): string {
    const tag = this.#byte()
    if (tag !== TAG.ascii) return this.#text(tag)
    const length = this.#length()
    const start = this.#take(length)
    const buffer = this.#buffer
    let hash = length
    for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + (buffer[start + i] as number)) | 0
    const slot = (hash ^ (hash >>> 13)) & (NAME_CACHE_SIZE - 1)
    const known = this.#names[slot]
    if (known !== undefined && known.length === length) {
      let i = 0
      while (i < length && known.charCodeAt(i) === buffer[start + i]) i++
      if (i === length) return known
    }
    const name = buffer.latin1Slice(start, start + length)
    this.#names[slot] = name
    return name
  }

  #text(tag: number): string {
    if (tag !== TAG.ascii && tag !== TAG.utf8 && tag !== TAG.utf16) {
      throw MalformedBytes({ what: `tag ${tag} where a text was expected`, offset: this.#position - 1 })
    }
    const length = this.#length()
    const start = this.#take(length)
    if (tag === TAG.ascii) return this.#buffer.latin1Slice(start, start + length)
    return tag === TAG.utf8
      ? this.#buffer.utf8Slice(start, start + length)
      : this.#buffer.ucs2Slice(start, start + length)
  }

  #bytes(length: number): Uint8Array<ArrayBuffer> {
    const start = this.#take(length)
    const copy = new Uint8Array(length)
    copy.set(this.#buffer.subarray(start, start + length))
    return copy
  }

  /** A number of things of at least one byte each. */
  #count(): number {
    const count = this.#length()
    if (count > this.#end - this.#position) {
      throw MalformedBytes({ what: `${count} elements announced beyond the end`, offset: this.#position })
    }
    return count
  }

  #length(): number {
    let length = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte()
      length += (byte & 127) * 2 ** shift
      if (byte < 128) return length
    }
    throw MalformedBytes({ what: 'a length of more than five bytes', offset: this.#position })
  }

  #byte(): number {
    return this.#buffer[this.#take(1)] as number
  }

  #take(length: number): number {
    const start = this.#position
    if (length > this.#end - start) throw MalformedBytes({ what: `${length} bytes missing`, offset: start })
    this.#position = start + length
    return start
  }
}

const viewConstructors: Record<string, (new (buffer: ArrayBuffer) => unknown) | undefined> = {
  Uint8Array,
  Int8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
}

function define(target: object, name: string, value: unknown, enumerable = true): void {
  Object.defineProperty(target, name, { value, enumerable, writable: true, configurable: true })
}
