import type { Socket } from 'node:net'
import { serializeError } from '@flink-ts/common'
import type { ChannelEnds } from '../channel/channel.ts'
import { PeerRefused, ProtocolViolation } from '../errors.ts'
import { Doorbell } from '../ring/doorbell.ts'
import { RingConsumer } from '../ring/ring-consumer.ts'
import { frameSpan, KIND, maxPayload } from '../ring/ring-layout.ts'
import {
  controlFrame,
  FRAME,
  type FrameHeader,
  FrameParser,
  greeting,
  HEADER_BYTES,
  writeHeader,
} from './wire-format.ts'

/** Frames are gathered in buffers of this size; so many may be on their way into the socket. */
const SEND_BUFFER_BYTES = 128 * 1024
const SEND_BUFFERS = 4

/** How long a connection that is not let in may take to read why. */
const TURN_AWAY_MS = 1000

const PROBE = controlFrame(FRAME.probe, 0, 0)

/** A channel that this process produces; the network thread takes it out of its ring. */
export interface OutboundChannel {
  readonly channelId: string
  readonly ring: RingConsumer
  readonly producerBell: Doorbell
  /** Forgotten as soon as the ring is empty. */
  draining: boolean
}

export function outboundChannel(ends: ChannelEnds): OutboundChannel {
  return {
    channelId: ends.channelId,
    ring: new RingConsumer(ends.ring),
    producerBell: new Doorbell(ends.producerBell),
    draining: false,
  }
}

/** What the consuming side asked for. */
export interface OpenRequest {
  readonly number: number
  readonly channelId: string
  readonly capacity: number
  readonly tail: number
}

interface Attached {
  readonly number: number
  readonly channel: OutboundChannel
  /** Head and tail of the consumer's ring, of this capacity, as they will be when all has arrived. */
  readonly capacity: number
  head: number
  tail: number
  /** Bytes of the oldest frame already sent as fragments. */
  sent: number
}

/** What a connection tells its owner. `lost` is called once, and nothing after it. */
export interface OutboundEvents {
  opened(request: OpenRequest): void
  /** The consumer gave up a channel that may not be attached yet. */
  closed(number: number, channelId: string | undefined): void
  drained(channelId: string): void
  /** `channelIds` are those that were attached. */
  lost(channelIds: readonly string[], reason: string): void
}

/**
 * The producing side of a connection: sends the frames of attached rings as credit allows, going round the channels.
 * Owned by the network thread.
 */
export class OutboundConnection {
  /** For messages. */
  readonly remoteAddress: string
  readonly #socket: Socket
  readonly #events: OutboundEvents
  readonly #parser: FrameParser
  readonly #attached = new Map<number, Attached>()
  readonly #free: Buffer[] = []
  #buffers = 0
  #filling: Buffer | undefined
  #filled = 0
  #pumping = false
  #reason = 'it was closed by the peer'
  #lost = false

  /** @param authToken what the consuming side must show; undefined: nothing */
  constructor(socket: Socket, events: OutboundEvents, authToken?: string) {
    this.#socket = socket
    this.#events = events
    this.remoteAddress = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`
    this.#parser = new FrameParser(
      {
        dataTarget: () => {
          throw ProtocolViolation({ what: 'data from the consuming side' })
        },
        frame: (header, payload) => this.#frame(header, payload as Buffer),
      },
      authToken,
    )
    socket.on('data', (chunk: Buffer) => {
      try {
        this.#parser.push(chunk)
      } catch (error) {
        const { message } = error as Error
        if (PeerRefused.is(error)) this.#turnAway(message)
        else this.fail(message)
        return
      }
      this.pump()
    })
    socket.on('error', error => {
      this.#reason = error.message
    })
    socket.on('close', () => this.#close())
    socket.write(greeting())
  }

  get greeted(): boolean {
    return this.#parser.greeted
  }

  /** Whether anything has come since the last call. */
  takeHeard(): boolean {
    return this.#parser.takeHeard()
  }

  /** Tells the other side that this one is there. */
  probe(): void {
    // What waits to be sent says so, too.
    if (this.#socket.writableLength === 0) this.#socket.write(PROBE)
  }

  /** Starts to send a channel that the consumer has opened. */
  attach(request: OpenRequest, channel: OutboundChannel): void {
    const { number, capacity, tail } = request
    this.#attached.set(number, { number, channel, capacity, head: tail, tail, sent: 0 })
    this.pump()
  }

  /** Stops sending a channel. */
  detach(channelId: string): void {
    for (const [number, attached] of this.#attached) {
      if (attached.channel.channelId === channelId) this.#attached.delete(number)
    }
  }

  /** Tells the consumer that a channel it has opened cannot be had. */
  refuse(number: number, error: Error): void {
    const payload = Buffer.from(JSON.stringify({ ...serializeError(error), stack: undefined }))
    this.#socket.write(controlFrame(FRAME.error, number, 0, payload))
  }

  /** Ends the connection at once; attached channels are reported as lost for this reason. */
  fail(reason: string): void {
    this.#reason = reason
    this.#socket.destroy()
    this.#close()
  }

  /** Ends the connection after it has told the other side why. What that still sends is not looked at. */
  #turnAway(reason: string): void {
    this.#socket.removeAllListeners('data').resume()
    this.#socket.end(controlFrame(FRAME.refused, 0, 0, Buffer.from(reason)))
    this.#socket.setTimeout(TURN_AWAY_MS, () => this.#socket.destroy())
    this.#reason = reason
    this.#close()
  }

  /** Sends what credit and socket allow. Called when rings, credit or the socket may have changed. */
  pump(): void {
    if (this.#pumping || this.#lost) return
    this.#pumping = true
    let open = true
    let progress = true
    while (open && progress) {
      progress = false
      for (const attached of this.#attached.values()) {
        if (!this.#hasCredit(attached)) continue
        if (!this.#sendOne(attached)) {
          open = false
          // The next turn begins behind it: otherwise the first channels would take the socket for themselves.
          this.#attached.delete(attached.number)
          this.#attached.set(attached.number, attached)
          break
        }
        progress = true
      }
    }
    this.#flush()
    this.#pumping = false
    for (const { channel, number } of this.#attached.values()) {
      if (!channel.draining || channel.ring.peek() !== 0) continue
      this.#attached.delete(number)
      this.#events.drained(channel.channelId)
    }
  }

  /** Whether the channel has a frame and the consumer's ring room for the next part of it. */
  #hasCredit(attached: Attached): boolean {
    if (attached.channel.ring.peek() === 0) return false
    const span = frameSpan(attached.head, attached.capacity, this.#nextPart(attached))
    return span <= attached.capacity - ((attached.head - attached.tail) | 0)
  }

  #nextPart(attached: Attached): number {
    const limit = Math.min(maxPayload(attached.capacity), SEND_BUFFER_BYTES - HEADER_BYTES)
    return Math.min(attached.channel.ring.length - attached.sent, limit)
  }

  /** Returns false if the socket takes no more for now. */
  #sendOne(attached: Attached): boolean {
    const { channel } = attached
    const { ring } = channel
    const kind = ring.peek()
    const part = this.#nextPart(attached)
    const buffer = this.#room(HEADER_BYTES + part)
    if (buffer === undefined) return false
    const whole = part === ring.length
    const last = attached.sent + part === ring.length
    const header: FrameHeader = {
      length: part,
      type: FRAME.data,
      kind: whole ? kind : last && kind !== KIND.fragment ? KIND.lastFragment : KIND.fragment,
      channel: attached.number,
      value: 0,
    }
    const start = writeHeader(buffer, this.#filled, header)
    const from = ring.offset + attached.sent
    ring.buffer.copy(buffer, start, from, from + part)
    this.#filled = start + part
    attached.head = (attached.head + frameSpan(attached.head, attached.capacity, part)) | 0
    attached.sent += part
    if (last) {
      attached.sent = 0
      if (ring.release()) channel.producerBell.ring()
    }
    return true
  }

  #room(sizeBytes: number): Buffer | undefined {
    if (this.#filling !== undefined && this.#filled + sizeBytes > SEND_BUFFER_BYTES) this.#flush()
    if (this.#filling === undefined) {
      let buffer = this.#free.pop()
      if (buffer === undefined && this.#buffers < SEND_BUFFERS) {
        this.#buffers++
        buffer = Buffer.allocUnsafeSlow(SEND_BUFFER_BYTES)
      }
      this.#filling = buffer
      this.#filled = 0
    }
    return this.#filling
  }

  #flush(): void {
    const buffer = this.#filling
    if (buffer === undefined) return
    this.#filling = undefined
    if (this.#filled === 0) {
      this.#free.push(buffer)
      return
    }
    this.#socket.write(buffer.subarray(0, this.#filled), error => {
      // An error ends in 'close'; the buffer is not needed any more.
      if (error) return
      this.#free.push(buffer)
      this.pump()
    })
  }

  #frame(header: FrameHeader, payload: Buffer): void {
    switch (header.type) {
      case FRAME.open: {
        const { channel, value } = header
        if (
          payload.length < 4 ||
          value < 1024 ||
          (value & (value - 1)) !== 0 ||
          this.#attached.has(channel)
        ) {
          throw ProtocolViolation({
            what: `channel ${channel} is opened with a ring of ${value} bytes, or twice`,
          })
        }
        const channelId = payload.toString('utf8', 4)
        this.#events.opened({ number: channel, channelId, capacity: value, tail: payload.readInt32LE(0) })
        return
      }
      case FRAME.credit: {
        const attached = this.#attached.get(header.channel)
        if (attached === undefined) return
        const ahead = (attached.head - header.value) | 0
        if (((header.value - attached.tail) | 0) < 0 || ahead < 0) {
          throw ProtocolViolation({ what: `credit for ${-ahead} bytes that were never sent` })
        }
        attached.tail = header.value
        return
      }
      case FRAME.close: {
        const attached = this.#attached.get(header.channel)
        this.#attached.delete(header.channel)
        this.#events.closed(header.channel, attached?.channel.channelId)
        return
      }
      default:
        throw ProtocolViolation({ what: `a frame of type ${header.type} from the consuming side` })
    }
  }

  #close(): void {
    if (this.#lost) return
    this.#lost = true
    const channelIds = [...this.#attached.values()].map(attached => attached.channel.channelId)
    this.#attached.clear()
    this.#events.lost(channelIds, this.#reason)
  }
}
