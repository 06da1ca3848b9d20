import { CorruptSnapshot, NewerFormat } from '../errors.ts'
import type { OperatorStateMode } from './state-handle.ts'

/*
 * A file of operator lists, version 1; integers are little-endian:
 *
 *   file    = 'FTOS' version:u32 headerLength:u32 header:JSON element*
 *   element = length:u32 bytes          bytes: the tagged value format of serialization
 *
 * The header has names, modes and numbers of elements; elements follow in that order. The handle has their offsets.
 */

/** Version that is written. A stored format: readers keep all earlier ones. */
export const OPERATOR_FORMAT_VERSION = 1
const MAGIC = 'FTOS'
const PREFIX_BYTES = 12

/** One list to be stored: its elements encoded. */
export interface EncodedList {
  readonly name: string
  readonly mode: OperatorStateMode
  readonly elements: readonly Uint8Array[]
}

/** A whole file and the offsets of the elements of each list. */
export function encodeOperatorLists(lists: readonly EncodedList[]): {
  parts: Uint8Array[]
  offsets: number[][]
} {
  const header = lists.map(({ name, mode, elements }) => ({ name, mode, count: elements.length }))
  const json = Buffer.from(JSON.stringify({ states: header }))
  const prefix = Buffer.alloc(PREFIX_BYTES)
  prefix.write(MAGIC, 'latin1')
  prefix.writeUInt32LE(OPERATOR_FORMAT_VERSION, 4)
  prefix.writeUInt32LE(json.length, 8)
  const parts: Uint8Array[] = [prefix, json]
  let position = PREFIX_BYTES + json.length
  const offsets = lists.map(({ elements }) =>
    elements.map(element => {
      const length = Buffer.alloc(4)
      length.writeUInt32LE(element.length)
      parts.push(length, element)
      const offset = position
      position += 4 + element.length
      return offset
    }),
  )
  return { parts, offsets }
}

/** Checks that `file` is one of operator lists. Throws `state.corrupt-snapshot`, `state.newer-format`. */
export function checkOperatorFile(file: Buffer, where: string): void {
  if (file.length < PREFIX_BYTES || file.toString('latin1', 0, 4) !== MAGIC) {
    throw CorruptSnapshot({ where, reason: 'it does not begin as a file of operator state does' })
  }
  const version = file.readUInt32LE(4)
  if (version > OPERATOR_FORMAT_VERSION)
    throw NewerFormat({ where, version, newest: OPERATOR_FORMAT_VERSION })
}

/** The bytes of the element at `offset`. Throws `state.corrupt-snapshot`. */
export function elementAt(file: Buffer, offset: number, where: string): Uint8Array {
  const start = offset + 4
  const end = offset >= PREFIX_BYTES && start <= file.length ? start + file.readUInt32LE(offset) : Infinity
  if (end > file.length) throw CorruptSnapshot({ where, reason: `there is no element at byte ${offset}` })
  return file.subarray(start, end)
}
