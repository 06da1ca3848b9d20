import { createHash } from 'node:crypto'
import { decodePayload, encodePayload } from '@flink-ts/rpc'
import { CorruptRecord } from '../errors.ts'

/** Of files with plain data: magic, version, digest of the rest, the data. */
const MAGIC = Buffer.from('FTHA')
const VERSION = 1
const HEADER_BYTES = MAGIC.length + 1 + 32

/** Plain data as the content of a file that is whole or refused. */
export function sealRecord(value: unknown, name: string): Buffer {
  const payload = encodePayload(value, name)
  return Buffer.concat([MAGIC, Buffer.of(VERSION), digestOf(payload), payload])
}

/** The inverse of {@link sealRecord}. Throws `highavailability.corrupt-record`. */
export function openRecord(content: Buffer, where: string): unknown {
  if (content.length < HEADER_BYTES || !content.subarray(0, MAGIC.length).equals(MAGIC))
    throw CorruptRecord({ where, reason: `its ${content.length} bytes are not of this format` })
  const version = content[MAGIC.length]!
  if (version !== VERSION)
    throw CorruptRecord({ where, reason: `its version is ${version}, known is ${VERSION}` })
  const payload = content.subarray(HEADER_BYTES)
  if (!digestOf(payload).equals(content.subarray(MAGIC.length + 1, HEADER_BYTES)))
    throw CorruptRecord({ where, reason: 'its content does not match its digest' })
  return decodePayload(payload)
}

function digestOf(payload: Uint8Array): Buffer {
  return createHash('sha256').update(payload).digest()
}
