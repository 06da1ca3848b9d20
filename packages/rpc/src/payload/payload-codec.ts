import { Packr } from 'msgpackr'
import { NotPlainData } from '../errors.ts'

const PLAIN = 0
const BOXED = 1
const MAX_DEPTH = 500
/** Key that marks a box: a plain object with one key of this name. Objects that have such a key are boxed themselves. */
const BOX = '\u0001'

type Box =
  | readonly ['n', string]
  | readonly ['z']
  | readonly ['w', readonly number[]]
  | readonly ['m', readonly (readonly [unknown, unknown])[]]
  | readonly ['s', readonly unknown[]]
  | readonly ['o', readonly (readonly [unknown, unknown])[]]

// Own instance without shared structures: each message decodes alone. Objects are msgpack maps with text keys.
const packr = new Packr({ useRecords: false, mapsAsObjects: true, moreTypes: true, copyBuffers: true })

/**
 * Arguments and results of calls as bytes. What comes out equals what went in, in plain data: also undefined, NaN,
 * -0, infinities, bigint of any size, Date (invalid ones too), Map and Set with any keys, bytes, ill-formed text,
 * keys such as `__proto__`. Anything else (functions, class instances, cycles) throws `rpc.not-plain-data`, naming
 * the place. Objects used twice arrive as two; symbol keys are left out.
 */
export function encodePayload(value: unknown, name = 'value'): Buffer {
  const boxed = box(value, name, 0)
  const packed = packr.pack(boxed)
  const bytes = Buffer.allocUnsafe(packed.length + 1)
  // Boxes are looked for on the other side only if there are any.
  bytes[0] = Object.is(boxed, value) ? PLAIN : BOXED
  packed.copy(bytes, 1)
  return bytes
}

/** The inverse of {@link encodePayload}; shares no memory with `bytes`. */
export function decodePayload(bytes: Uint8Array): unknown {
  const value: unknown = packr.unpack(bytes.subarray(1))
  return bytes[0] === BOXED ? unbox(value) : value
}

/** Returns `value` itself if msgpack keeps it exactly, else a copy with boxes in place of what it would change. */
function box(value: unknown, path: string, depth: number): unknown {
  switch (typeof value) {
    case 'number':
      return Object.is(value, -0) ? boxOf(['z']) : value
    case 'string':
      return value.isWellFormed() ? value : boxOf(['w', codeUnits(value)])
    case 'bigint':
      return boxOf(['n', value.toString()])
    case 'function':
    case 'symbol':
      throw NotPlainData({ path, found: `a ${typeof value}` })
    case 'object':
      return value === null ? null : boxObject(value, path, depth)
    default:
      return value
  }
}

function boxObject(value: object, path: string, depth: number): unknown {
  if (depth > MAX_DEPTH)
    throw NotPlainData({ path, found: `nested deeper than ${MAX_DEPTH} levels, or a cycle` })
  if (Array.isArray(value)) return boxItems(value, path, depth)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === Object.prototype || prototype === null) return boxRecord(value, path, depth)
  if (value instanceof Map) return boxOf(['m', boxEntries([...value], path, depth)])
  if (value instanceof Set) return boxOf(['s', boxItems([...value], path, depth)])
  if (value instanceof Date || value instanceof ArrayBuffer || ArrayBuffer.isView(value)) return value
  throw NotPlainData({ path, found: `an instance of ${value.constructor?.name ?? 'an unknown class'}` })
}

function boxItems(items: readonly unknown[], path: string, depth: number): readonly unknown[] {
  let copy: unknown[] | undefined
  for (let i = 0; i < items.length; i++) {
    const boxed = box(items[i], `${path}[${i}]`, depth + 1)
    if (copy === undefined && !Object.is(boxed, items[i])) copy = items.slice(0, i)
    copy?.push(boxed)
  }
  return copy ?? items
}

function boxRecord(record: object, path: string, depth: number): unknown {
  const entries = Object.entries(record)
  if (entries.some(([key]) => key === '__proto__' || key === BOX || !key.isWellFormed())) {
    return boxOf(['o', boxEntries(entries, path, depth)])
  }
  let changed = false
  const boxed = entries.map(([key, item]) => {
    const next = box(item, `${path}.${key}`, depth + 1)
    changed ||= !Object.is(next, item)
    return [key, next] as const
  })
  return changed ? Object.fromEntries(boxed) : record
}

function boxEntries(entries: readonly (readonly [unknown, unknown])[], path: string, depth: number) {
  return entries.map(([key, item]): readonly [unknown, unknown] => [
    box(key, `a key of ${path}`, depth + 1),
    box(item, `${path}.${String(key)}`, depth + 1),
  ])
}

function boxOf(content: Box): object {
  return { [BOX]: content }
}

function unbox(value: unknown): unknown {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = unbox(value[i])
    return value
  }
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value
  const record = value as Record<string, unknown>
  if (Object.hasOwn(record, BOX)) return open(record[BOX] as Box)
  for (const key of Object.keys(record)) record[key] = unbox(record[key])
  return record
}

function open(content: Box): unknown {
  switch (content[0]) {
    case 'n':
      return BigInt(content[1])
    case 'z':
      return -0
    case 'w':
      return textOf(content[1])
    case 'm':
      return new Map(content[1].map(([key, item]) => [unbox(key), unbox(item)]))
    case 's':
      return new Set(content[1].map(unbox))
    case 'o':
      return Object.fromEntries(content[1].map(([key, item]) => [unbox(key) as string, unbox(item)]))
  }
}

function codeUnits(text: string): number[] {
  return Array.from({ length: text.length }, (_, i) => text.charCodeAt(i))
}

function textOf(units: readonly number[]): string {
  let text = ''
  for (const unit of units) text += String.fromCharCode(unit)
  return text
}
