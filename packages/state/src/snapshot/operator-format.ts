import { crc32 } from 'node:zlib'
import { CorruptSnapshot, NewerFormat } from '../errors.ts'
import type { OperatorStateMode } from './state-handle.ts'

/*
 * A file of operator lists, version 2; integers are little-endian:
 *
 *   file    = 'FTOS' version:u32 headerLength:u32 crc:u32 header:JSON element*       crc: of the header
 *   element = length:u32 crc:u32 bytes          crc: of the bytes, which are the tagged value format of serialization
 *
 * The header has names, modes and numbers of elements; elements follow in that order. The handle has their offsets.
 * The elements of broadcast maps are [key, value]. Version 1 has no crc.
 */

/** Version that is written. A stored format: readers keep all earlier ones. */
export const OPERATOR_FORMAT_VERSION = 2
const MAGIC = 'FTOS'
const PREFIX_BYTES = 16
/** Of version 1. */
const OLD_PREFIX_BYTES = 12

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
  prefix.writeUInt32LE(crc32(json), 12)
  const parts: Uint8Array[] = [prefix, json]
  let position = PREFIX_BYTES + json.length
  const offsets = lists.map(({ elements }) =>
    elements.map(element => {
      const head = Buffer.alloc(8)
      head.writeUInt32LE(element.length)
      head.writeUInt32LE(crc32(element), 4)
      parts.push(head, element)
      const offset = position
      position += head.length + element.length
      return offset
    }),
  )
  return { parts, offsets }
}

/** Checks that `file` is one of operator lists. Throws `state.corrupt-snapshot`, `state.newer-format`. */
export function checkOperatorFile(file: Buffer, where: string): void {
  if (file.length < OLD_PREFIX_BYTES || file.toString('latin1', 0, 4) !== MAGIC) {
    throw CorruptSnapshot({ where, reason: 'it does not begin as a file of operator state does' })
  }
  const version = file.readUInt32LE(4)
  if (version > OPERATOR_FORMAT_VERSION)
    throw NewerFormat({ where, version, newest: OPERATOR_FORMAT_VERSION })
  if (version === 1) return
  const end = file.length < PREFIX_BYTES ? Number.POSITIVE_INFINITY : PREFIX_BYTES + file.readUInt32LE(8)
  if (end > file.length || crc32(file.subarray(PREFIX_BYTES, end)) !== file.readUInt32LE(12)) {
    throw CorruptSnapshot({ where, reason: 'the checksum of its header is wrong' })
  }
}

/** The bytes of the element at `offset` of a file that was checked. Throws `state.corrupt-snapshot`. */
export function elementAt(file: Buffer, offset: number, where: string): Uint8Array {
  const isOld = file.readUInt32LE(4) === 1
  const start = offset + (isOld ? 4 : 8)
  const end =
    offset >= OLD_PREFIX_BYTES && start <= file.length
      ? start + file.readUInt32LE(offset)
      : Number.POSITIVE_INFINITY
  if (end > file.length) throw CorruptSnapshot({ where, reason: `there is no element at byte ${offset}` })
  const element = file.subarray(start, end)
  if (!isOld && crc32(element) !== file.readUInt32LE(offset + 4)) {
    const reason = `the checksum of the ${element.length} bytes at byte ${start} is wrong`
    throw CorruptSnapshot({ where, reason })
  }
  return element
}
