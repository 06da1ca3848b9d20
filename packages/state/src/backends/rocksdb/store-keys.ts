import { canonicalKey, hashKey, type ValueSerializer } from '@flink-ts/serialization'
import type { Key } from '../../api/keyed-state-backend.ts'
import { encodeNamespace } from '../../snapshot/keyed-format.ts'

/*
 * Entries of a store. A stored format, since incremental checkpoints have the files of the store: `storeFiles` of version 4
 * of `_metadata`.
 *
 *   key   = keyGroup:u16 state:u16 namespace keyLength:varint key part       numbers big-endian
 *   key   : the canonical key (a primitive) in the tagged format; equal keys have equal bytes
 *   part  : of maps the canonical key of the entry, of lists the index of the piece as u32, else nothing
 *   value = keyLength:varint key stored        key: the original one where it differs from the canonical, else length 0
 *   stored: what a snapshot has as the value of the entry: see keyed-format.ts
 */

export type Canonical = string | number | bigint | boolean
export type Namespace = string | number | undefined

const HEAD_BYTES = 4
const NO_ORIGINAL = Uint8Array.of(0)

/** The parts of a key of a store, as bytes that share its memory. */
export interface ParsedKey {
  readonly keyGroup: number
  readonly state: number
  readonly namespaceBytes: Uint8Array
  readonly canonicalBytes: Uint8Array
  readonly part: Uint8Array
  /** What keys of all parts of this key begin with. */
  readonly prefix: Uint8Array
}

/** Makes and reads keys of a store. One owner, since the serializer has one. */
export class StoreKeys {
  readonly #maxParallelism: number
  readonly #serializer: ValueSerializer

  constructor(
    options: { readonly maxParallelism: number },
    dependencies: { readonly serializer: ValueSerializer },
  ) {
    this.#maxParallelism = options.maxParallelism
    this.#serializer = dependencies.serializer
  }

  /** What the key of an entry of no part is, and keys of its parts begin with. @throws serialization.invalid-key */
  of(state: number, namespaceBytes: Uint8Array, key: Key, canonical: Canonical): Uint8Array {
    const bytes = this.#serializer.encode(canonical)
    const lengthBytes = varintBytes(bytes.length)
    const made = Buffer.allocUnsafe(HEAD_BYTES + namespaceBytes.length + lengthBytes + bytes.length)
    writeHead(made, hashKey(key) % this.#maxParallelism, state)
    made.set(namespaceBytes, HEAD_BYTES)
    const at = writeVarint(made, HEAD_BYTES + namespaceBytes.length, bytes.length)
    made.set(bytes, at)
    return made
  }

  /** What stored values of a key begin with. */
  original(key: Key, canonical: Canonical): Uint8Array {
    if (typeof key === 'number' || key === canonical) return NO_ORIGINAL
    const bytes = this.#serializer.encode(key)
    const made = Buffer.allocUnsafe(varintBytes(bytes.length) + bytes.length)
    made.set(bytes, writeVarint(made, 0, bytes.length))
    return made
  }

  /** The key of an entry, encoded: the original one if it was stored. */
  encodedKey({ canonicalBytes }: ParsedKey, value: Uint8Array): Uint8Array {
    const [length, at] = readVarint(value, 0)
    return length === 0 ? canonicalBytes : value.subarray(at, at + length)
  }

  /** The key of the part of a map. */
  part(mapKey: unknown): Uint8Array {
    return this.#serializer.encode(canonicalKey(mapKey))
  }
}

/** Above all entries: key groups are below 2^15. */
export const LAST_KEY: Uint8Array = Uint8Array.of(128)

/** What is stored of an entry, without its key. */
export function storedOf(value: Uint8Array): Uint8Array {
  const [length, at] = readVarint(value, 0)
  return value.subarray(at + length)
}

export function joined(prefix: Uint8Array, part: Uint8Array): Uint8Array {
  const made = Buffer.allocUnsafe(prefix.length + part.length)
  made.set(prefix)
  made.set(part, prefix.length)
  return made
}

/** What all keys of a state in a key group begin with; with a namespace, all of it. */
export function statePrefix(keyGroup: number, state: number, namespaceBytes?: Uint8Array): Uint8Array {
  const made = Buffer.allocUnsafe(HEAD_BYTES + (namespaceBytes?.length ?? 0))
  writeHead(made, keyGroup, state)
  if (namespaceBytes !== undefined) made.set(namespaceBytes, HEAD_BYTES)
  return made
}

/** Part of a list. */
export function indexPart(index: number): Uint8Array {
  const made = Buffer.allocUnsafe(4)
  made.writeUInt32BE(index)
  return made
}

/** The least key above all that begin with `prefix`. Key groups are below 2^15, so there is one. */
export function above(prefix: Uint8Array): Uint8Array {
  let length = prefix.length
  while (prefix[length - 1] === 255) length--
  const made = Uint8Array.prototype.slice.call(prefix, 0, length)
  made[length - 1] = (made[length - 1] as number) + 1
  return made
}

/** The least key above this one. */
export function after(key: Uint8Array): Uint8Array {
  const made = new Uint8Array(key.length + 1)
  made.set(key)
  return made
}

export function parseKey(bytes: Uint8Array): ParsedKey {
  const keyGroup = ((bytes[0] as number) << 8) | (bytes[1] as number)
  const state = ((bytes[2] as number) << 8) | (bytes[3] as number)
  let at = HEAD_BYTES + 1
  const tag = bytes[HEAD_BYTES]
  if (tag === 1) at += 8
  else if (tag !== 0) {
    const [length, text] = readVarint(bytes, at)
    at = text + length
  }
  const namespaceBytes = bytes.subarray(HEAD_BYTES, at)
  const [length, start] = readVarint(bytes, at)
  return {
    keyGroup,
    state,
    namespaceBytes,
    canonicalBytes: bytes.subarray(start, start + length),
    part: bytes.subarray(start + length),
    prefix: bytes.subarray(0, start + length),
  }
}

/** The inverse of `encodeNamespace`. */
export function decodeNamespace(bytes: Uint8Array): Namespace {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (buffer[0] === 0) return undefined
  if (buffer[0] === 1) return buffer.readDoubleLE(1)
  const [, at] = readVarint(buffer, 1)
  return buffer.toString(buffer[0] === 2 ? 'utf8' : 'utf16le', at)
}

/** Bytes of namespaces; the last one is remembered. */
export class NamespaceBytes {
  #namespace: Namespace
  #bytes = encodeNamespace(undefined)

  of(namespace: Namespace): Uint8Array {
    if (namespace === this.#namespace) return this.#bytes
    this.#namespace = namespace
    this.#bytes = encodeNamespace(namespace)
    return this.#bytes
  }
}

function writeHead(target: Buffer, keyGroup: number, state: number): void {
  target[0] = keyGroup >>> 8
  target[1] = keyGroup & 255
  target[2] = state >>> 8
  target[3] = state & 255
}

function varintBytes(value: number): number {
  let bytes = 1
  for (let rest = value; rest > 127; rest >>>= 7) bytes++
  return bytes
}

function writeVarint(target: Uint8Array, at: number, value: number): number {
  let position = at
  let rest = value
  for (; rest > 127; rest >>>= 7) target[position++] = (rest & 127) | 128
  target[position++] = rest
  return position
}

function readVarint(bytes: Uint8Array, at: number): readonly [value: number, end: number] {
  let value = 0
  let position = at
  for (let scale = 1; ; scale *= 128) {
    const byte = bytes[position++] as number
    value += (byte & 127) * scale
    if (byte < 128) return [value, position]
  }
}
