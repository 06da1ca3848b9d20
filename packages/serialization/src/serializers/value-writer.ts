import { types } from 'node:util'
import { UnsupportedValue, ValueTooDeep } from '../errors.ts'
import { MAX_DEPTH, TAG, VIEW_KINDS } from './value-format.ts'

const viewKinds = new Map(VIEW_KINDS.map((name, index) => [name, index]))

/**
 * Writes values in the tagged format one after the other into a buffer that grows. What it may write is said at
 * {@link createValueSerializer}. One owner; a write that throws leaves what was there before.
 */
export class ValueWriter {
  #buffer: Buffer
  #view: DataView
  #position = 0
  #depth = 0
  /** Where in the value the one that is being written is. */
  readonly #path: (string | number)[] = []

  /** @param sizeBytes of the first buffer */
  constructor(sizeBytes = 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(sizeBytes)
    this.#view = new DataView(this.#buffer.buffer)
  }

  /** Bytes written since the last {@link ValueWriter.clear}. */
  get sizeBytes(): number {
    return this.#position
  }

  /** What was written; valid until the next write. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#position)
  }

  clear(): void {
    this.#position = 0
    // One huge value must not keep its buffer for the life of a channel.
    if (this.#buffer.length > 1 << 20) this.#resize(1 << 16)
  }

  /** A fresh copy, of exact size, of what was written. */
  copy(): Uint8Array {
    return Uint8Array.prototype.slice.call(new Uint8Array(this.#buffer.buffer, 0, this.#position))
  }

  copyTo(target: Buffer, offset: number): void {
    this.#buffer.copy(target, offset, 0, this.#position)
  }

  /** Gives what was written away, and begins anew with a buffer of so many bytes, of which `from` are left free. */
  take(sizeBytes: number, from: number): Buffer {
    const taken = this.bytes
    this.#buffer = Buffer.allocUnsafeSlow(sizeBytes)
    this.#view = new DataView(this.#buffer.buffer)
    this.#position = from
    return taken
  }

  /** Takes back what was written after so many bytes. */
  truncate(sizeBytes: number): void {
    this.#position = sizeBytes
  }

  /** A number as unsigned LEB128, up to 2^32 - 1. */
  writeLength(length: number): void {
    this.#length(length)
  }

  /** Bytes as they are, without their length. */
  writeRaw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    const position = this.#position
    // Cheaper than a native call for a few.
    if (bytes.length > 24) this.#buffer.set(bytes, position)
    else for (let i = 0; i < bytes.length; i++) this.#buffer[position + i] = bytes[i] as number
    this.#position = position + bytes.length
  }

  /** {@link ValueWriter.write} with the length of the value in front of it. */
  writeSized(value: unknown): void {
    this.#reserve(1)
    // Nearly always one byte is enough.
    const start = ++this.#position
    this.write(value)
    const sizeBytes = this.#position - start
    if (sizeBytes < 128) {
      this.#buffer[start - 1] = sizeBytes
      return
    }
    const more = sizeBytes < 1 << 14 ? 1 : sizeBytes < 1 << 21 ? 2 : sizeBytes < 1 << 28 ? 3 : 4
    this.#reserve(more)
    this.#buffer.copyWithin(start + more, start, start + sizeBytes)
    this.#position = start - 1
    this.#length(sizeBytes)
    this.#position = start + more + sizeBytes
  }

  /** @throws serialization.unsupported-value, serialization.value-too-deep */
  write(value: unknown): void {
    const start = this.#position
    if (typeof value === 'number') {
      this.#number(value)
      return
    }
    this.#depth = 0
    this.#path.length = 0
    try {
      this.#value(value, this.#path)
    } catch (error) {
      this.#position = start
      throw error
    }
  }

  #value(value: unknown, path: (string | number)[]): void {
    switch (typeof value) {
      case 'string':
        this.#text(value)
        return
      case 'number':
        this.#number(value)
        return
      case 'boolean':
        this.#tag(value ? TAG.true : TAG.false)
        return
      case 'undefined':
        this.#tag(TAG.undefined)
        return
      case 'bigint':
        this.#bigint(value)
        return
      case 'object':
        if (value === null) this.#tag(TAG.null)
        else this.#object(value, path)
        return
      default:
        throw UnsupportedValue({ kind: `a ${typeof value}`, path: textOf(path) })
    }
  }

  #object(value: object, path: (string | number)[]): void {
    if (++this.#depth > MAX_DEPTH) throw ValueTooDeep({ path: textOf(path.slice(0, 8)), limit: MAX_DEPTH })
    const depth = path.length
    path.push('')
    const prototype = Object.getPrototypeOf(value)
    if (prototype === Object.prototype) this.#fields(TAG.object, value, path)
    else if (Array.isArray(value)) this.#array(value, path)
    else if (prototype === null) this.#fields(TAG.nullObject, value, path)
    else this.#special(value, path)
    path.length = depth
    this.#depth--
  }

  #array(value: readonly unknown[], path: (string | number)[]): void {
    const at = path.length - 1
    this.#head(TAG.array, value.length)
    for (let i = 0; i < value.length; i++) {
      const item = value[i]
      path[at] = i
      if (item === undefined && !(i in value)) this.#tag(TAG.hole)
      else this.#value(item, path)
    }
  }

  #fields(tag: number, value: object, path: (string | number)[]): void {
    const at = path.length - 1
    const names = Object.keys(value)
    this.#head(tag, names.length)
    for (let i = 0; i < names.length; i++) {
      const name = names[i] as string
      path[at] = name
      this.#text(name)
      this.#value((value as Record<string, unknown>)[name], path)
    }
  }

  #special(value: object, path: (string | number)[]): void {
    const at = path.length - 1
    if (types.isDate(value)) {
      this.#tag(TAG.date)
      this.#float(value.getTime())
    } else if (types.isMap(value)) {
      this.#head(TAG.map, value.size)
      for (const [key, item] of value) {
        path[at] = 'key of Map'
        this.#value(key, path)
        path[at] = typeof key === 'string' || typeof key === 'number' ? key : 'value of Map'
        this.#value(item, path)
      }
    } else if (types.isSet(value)) {
      path[at] = 'element of Set'
      this.#head(TAG.set, value.size)
      for (const item of value) this.#value(item, path)
    } else if (ArrayBuffer.isView(value)) {
      this.#tag(TAG.view)
      this.#tag(viewKind(value, path))
      this.#bytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
    } else if (types.isArrayBuffer(value)) {
      this.#tag(TAG.arrayBuffer)
      this.#bytes(new Uint8Array(value))
    } else if (types.isRegExp(value)) {
      this.#tag(TAG.regExp)
      this.#text(value.source)
      this.#text(value.flags)
    } else if (types.isNativeError(value)) {
      this.#error(value, path)
    } else {
      const kind = unsupportedKind(value)
      path.pop()
      if (kind !== undefined) throw UnsupportedValue({ kind, path: textOf(path) })
      path.push('')
      this.#fields(TAG.object, value, path)
    }
  }

  #error(value: Error, path: (string | number)[]): void {
    this.#tag(TAG.error)
    this.#text(String(value.name))
    this.#text(String(value.message))
    if (typeof value.stack === 'string') this.#text(value.stack)
    else this.#tag(TAG.undefined)
    this.#tag('cause' in value ? 1 : 0)
    path[path.length - 1] = 'cause'
    if ('cause' in value) this.#value(value.cause, path)
  }

  #number(value: number): void {
    this.#reserve(9)
    if ((value | 0) !== value || Object.is(value, -0)) {
      this.#buffer[this.#position++] = TAG.float64
      this.#float(value)
    } else if (value >= 0 && value < 128) {
      this.#buffer[this.#position++] = TAG.smallInt | value
    } else {
      this.#buffer[this.#position++] = TAG.int32
      this.#view.setInt32(this.#position, value, true)
      this.#position += 4
    }
  }

  #float(value: number): void {
    this.#reserve(8)
    this.#view.setFloat64(this.#position, value, true)
    this.#position += 8
  }

  #bigint(value: bigint): void {
    const hex = (value < 0n ? -value : value).toString(16)
    const magnitude = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex').reverse()
    this.#tag(TAG.bigint)
    this.#tag(value < 0n ? 1 : 0)
    this.#bytes(magnitude)
  }

  #text(value: string): void {
    const length = value.length
    this.#reserve(6 + length)
    if (length < 40) {
      const buffer = this.#buffer
      const start = this.#position
      // Below 128 characters the length takes one byte.
      let position = start + 2
      let i = 0
      for (; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code > 127) break
        buffer[position++] = code
      }
      if (i === length) {
        buffer[start] = TAG.ascii
        buffer[start + 1] = length
        this.#position = position
        return
      }
    }
    const wellFormed = value.isWellFormed()
    const sizeBytes = wellFormed ? Buffer.byteLength(value) : length * 2
    this.#head(wellFormed ? (sizeBytes === length ? TAG.ascii : TAG.utf8) : TAG.utf16, sizeBytes)
    this.#reserve(sizeBytes)
    this.#buffer.write(value, this.#position, wellFormed ? 'utf8' : 'utf16le')
    this.#position += sizeBytes
  }

  #bytes(value: Uint8Array): void {
    this.#length(value.length)
    this.#reserve(value.length)
    this.#buffer.set(value, this.#position)
    this.#position += value.length
  }

  #head(tag: number, length: number): void {
    this.#tag(tag)
    this.#length(length)
  }

  #tag(tag: number): void {
    this.#reserve(1)
    this.#buffer[this.#position++] = tag
  }

  #length(length: number): void {
    this.#reserve(5)
    let rest = length
    while (rest > 127) {
      this.#buffer[this.#position++] = (rest & 127) | 128
      rest >>>= 7
    }
    this.#buffer[this.#position++] = rest
  }

  #reserve(sizeBytes: number): void {
    if (this.#position + sizeBytes > this.#buffer.length) {
      this.#resize(Math.max(this.#buffer.length * 2, this.#position + sizeBytes))
    }
  }

  #resize(sizeBytes: number): void {
    const buffer = Buffer.allocUnsafeSlow(sizeBytes)
    this.#buffer.copy(buffer, 0, 0, this.#position)
    this.#buffer = buffer
    this.#view = new DataView(buffer.buffer)
  }
}

function viewKind(value: ArrayBufferView, path: readonly (string | number)[]): number {
  const name = Buffer.isBuffer(value)
    ? 'Buffer'
    : types.isDataView(value)
      ? 'DataView'
      : typedArrayName(value)
  const kind = viewKinds.get(name)
  if (kind === undefined) throw UnsupportedValue({ kind: `a ${name}`, path: textOf(path.slice(0, -1)) })
  return kind
}

function typedArrayName(value: ArrayBufferView): string {
  return (value as unknown as { [Symbol.toStringTag]: string })[Symbol.toStringTag]
}

/** In words what a class instance is that would lose its content as a plain object; undefined for all others. */
function unsupportedKind(value: object): string | undefined {
  if (types.isPromise(value)) return 'a Promise (await it first)'
  if (types.isBoxedPrimitive(value)) return 'a boxed primitive'
  if (types.isSharedArrayBuffer(value)) return 'a SharedArrayBuffer'
  if (types.isWeakMap(value) || types.isWeakSet(value) || value instanceof WeakRef) return 'a weak reference'
  if (types.isGeneratorObject(value) || types.isMapIterator(value) || types.isSetIterator(value))
    return 'an iterator'
  if (Object.keys(value).length === 0 && hasMembers(value))
    return `an instance of ${value.constructor?.name || 'a class'} whose content is in no field of its own`
  return undefined
}

/** Whether its class has methods or accessors: without them an instance that has no fields either is a mere marker. */
function hasMembers(value: object): boolean {
  let prototype = Object.getPrototypeOf(value)
  while (prototype !== null && prototype !== Object.prototype) {
    if (Object.getOwnPropertyNames(prototype).some(name => name !== 'constructor')) return true
    prototype = Object.getPrototypeOf(prototype)
  }
  return false
}

function textOf(path: readonly (string | number)[]): string {
  let text = 'value'
  for (const part of path) {
    if (typeof part === 'number') text += `[${part}]`
    else text += /^[A-Za-z_$][\w$]*$/.test(part) ? `.${part}` : `[${JSON.stringify(part)}]`
  }
  return text
}
