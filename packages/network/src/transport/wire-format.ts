import { isAuthToken } from '@flink-ts/common'
import { PeerRefused, ProtocolViolation } from '../errors.ts'

/**
 * The data protocol. The consuming process connects; both sides begin with HELLO. Every frame is a header of 16 bytes,
 * little-endian (payload length u32, type u8, kind u8, two bytes 0, channel u32, value i32), and its payload.
 *
 * - HELLO: channel is MAGIC, value is VERSION; payload of the consumer's: the token of `security.auth.token-file`.
 * - OPEN (consumer): value is the capacity of the consumer's ring; payload: its tail (i32) and the channel id (UTF-8).
 * - DATA (producer): one frame of the consumer's ring; kind is the ring's.
 * - CREDIT (consumer): value is the tail of the consumer's ring. The producer computes the same positions as that ring
 *   and sends only what has room there: nothing is buffered beyond it, and no channel blocks another.
 * - CLOSE (consumer): no more of this channel. DATA already on its way is dropped.
 * - ERROR (producer): the channel has failed; payload: SerializedError as JSON.
 * - PROBE (both): nothing. Sent at each heartbeat, so that a silent connection is a lost one: a cable that is cut tells
 *   nobody, and a consumer that waits would wait for ever.
 * - REFUSED (producer): the last frame of a connection that is not let in; payload: why (UTF-8).
 */
export const MAGIC = 0x4e544c46
export const VERSION = 2
export const HEADER_BYTES = 16

export const FRAME = {
  hello: 1,
  open: 2,
  data: 3,
  credit: 4,
  close: 5,
  error: 6,
  probe: 7,
  refused: 8,
} as const

/** Longest payload of a HELLO: nobody knows yet who sends it. */
const MAX_GREETING_PAYLOAD = 4096

/** Longest payload of all frames but DATA, whose limit is the ring. */
const MAX_CONTROL_PAYLOAD = 256 * 1024

export interface FrameHeader {
  length: number
  type: number
  kind: number
  channel: number
  value: number
}

/** Writes a header; returns the offset behind it. */
export function writeHeader(target: Buffer, offset: number, header: FrameHeader): number {
  target.writeUInt32LE(header.length, offset)
  target.writeUInt32LE(header.type | (header.kind << 8), offset + 4)
  target.writeUInt32LE(header.channel, offset + 8)
  target.writeInt32LE(header.value, offset + 12)
  return offset + HEADER_BYTES
}

/** A whole frame but DATA. */
export function controlFrame(type: number, channel: number, value: number, payload?: Buffer): Buffer {
  const frame = Buffer.alloc(HEADER_BYTES + (payload?.length ?? 0))
  writeHeader(frame, 0, { length: payload?.length ?? 0, type, kind: 0, channel, value })
  payload?.copy(frame, HEADER_BYTES)
  return frame
}

/** Where the payload of a frame goes. */
export interface PayloadTarget {
  readonly buffer: Buffer
  readonly offset: number
}

/** Takes frames apart. What the methods throw ends the connection. */
export interface FrameHandler {
  /** A header of a DATA frame has come: where its payload goes, undefined to drop it. */
  dataTarget(header: FrameHeader): PayloadTarget | undefined
  /** A frame is complete. The payload of DATA is where `dataTarget` said, all others are given. */
  frame(header: FrameHeader, payload: Buffer | undefined): void
}

const NO_PAYLOAD = Buffer.alloc(0)

/** The first frame of the consumer's side. */
export function greeting(authToken?: string): Buffer {
  return controlFrame(
    FRAME.hello,
    MAGIC,
    VERSION,
    authToken === undefined ? undefined : Buffer.from(authToken),
  )
}

/** Finds the frames in the chunks of one connection. The first one must be the HELLO of our version. */
export class FrameParser {
  readonly #handler: FrameHandler
  readonly #head = Buffer.alloc(HEADER_BYTES)
  #headBytes = 0
  readonly #header: FrameHeader = { length: 0, type: 0, kind: 0, channel: 0, value: 0 }
  #target: PayloadTarget | undefined
  #payloadBytes = 0
  #greeted = false
  #heard = false
  readonly #authToken: string | undefined

  /** @param authToken what the other side must show; undefined: nothing */
  constructor(handler: FrameHandler, authToken?: string) {
    this.#handler = handler
    this.#authToken = authToken
  }

  /** Whether the other side has said HELLO. */
  get greeted(): boolean {
    return this.#greeted
  }

  /** Whether anything has come since the last call. */
  takeHeard(): boolean {
    const heard = this.#heard
    this.#heard = false
    return heard
  }

  /** @throws network.protocol-violation, network.peer-refused and what the handler throws */
  push(chunk: Buffer): void {
    this.#heard = true
    let at = 0
    while (at < chunk.length) {
      if (this.#headBytes < HEADER_BYTES) {
        const part = Math.min(HEADER_BYTES - this.#headBytes, chunk.length - at)
        chunk.copy(this.#head, this.#headBytes, at, at + part)
        this.#headBytes += part
        at += part
        if (this.#headBytes < HEADER_BYTES) return
        this.#begin()
      } else {
        const part = Math.min(this.#header.length - this.#payloadBytes, chunk.length - at)
        if (this.#target !== undefined) {
          chunk.copy(this.#target.buffer, this.#target.offset + this.#payloadBytes, at, at + part)
        }
        this.#payloadBytes += part
        at += part
      }
      if (this.#payloadBytes === this.#header.length) this.#complete()
    }
  }

  #begin(): void {
    const header = this.#header
    header.length = this.#head.readUInt32LE(0)
    header.type = this.#head[4] as number
    header.kind = this.#head[5] as number
    header.channel = this.#head.readUInt32LE(8)
    header.value = this.#head.readInt32LE(12)
    this.#payloadBytes = 0
    if (!this.#greeted) {
      if (header.type !== FRAME.hello || header.channel !== MAGIC) {
        throw ProtocolViolation({ what: 'it did not begin with our greeting' })
      }
      if (header.value !== VERSION) {
        throw ProtocolViolation({ what: `it speaks version ${header.value}, this side ${VERSION}` })
      }
      if (header.length > MAX_GREETING_PAYLOAD) {
        throw ProtocolViolation({ what: `its greeting announces ${header.length} bytes` })
      }
      this.#target = payloadOf(header.length)
    } else if (header.type === FRAME.data) {
      this.#target = this.#handler.dataTarget(header)
    } else {
      if (header.length > MAX_CONTROL_PAYLOAD) {
        throw ProtocolViolation({ what: `a frame of type ${header.type} announces ${header.length} bytes` })
      }
      this.#target = payloadOf(header.length)
    }
  }

  #complete(): void {
    const payload = this.#header.type === FRAME.data ? undefined : this.#target?.buffer
    this.#headBytes = 0
    this.#target = undefined
    if (!this.#greeted) this.#welcome(payload ?? NO_PAYLOAD)
    else if (this.#header.type !== FRAME.probe) this.#handler.frame(this.#header, payload)
  }

  #welcome(payload: Buffer): void {
    if (this.#authToken !== undefined && !isAuthToken(payload.toString(), this.#authToken)) {
      throw PeerRefused({ reason: payload.length === 0 ? 'shows no token' : 'shows another token' })
    }
    this.#greeted = true
  }
}

function payloadOf(sizeBytes: number): PayloadTarget {
  return { buffer: sizeBytes === 0 ? NO_PAYLOAD : Buffer.allocUnsafeSlow(sizeBytes), offset: 0 }
}
