import type { Socket } from 'node:net'
import { deserializeError, type SerializedError } from '@flink-ts/common'
import type { ChannelEnds } from '../channel/channel.ts'
import { ProtocolViolation } from '../errors.ts'
import { Doorbell } from '../ring/doorbell.ts'
import { KIND } from '../ring/ring-layout.ts'
import { RingProducer } from '../ring/ring-producer.ts'
import {
  controlFrame,
  FRAME,
  type FrameHeader,
  FrameParser,
  greeting,
  type PayloadTarget,
} from './wire-format.ts'

const PROBE = controlFrame(FRAME.probe, 0, 0)

interface InboundChannel {
  readonly number: number
  readonly channelId: string
  readonly ring: RingProducer
  readonly consumerBell: Doorbell
  /** Tail last told to the producer. */
  sentTail: number
}

/** What a connection tells its owner. `lost` is called once, and nothing after it. */
export interface InboundEvents {
  channelFailed(channelId: string, error: Error): void
  /** `channelIds` are those that were open. */
  lost(channelIds: readonly string[], reason: string): void
}

/**
 * The consuming side of a connection to one TaskManager: opens channels, puts what comes straight into their rings, and
 * gives credit as their consumers make room. Owned by the network thread.
 */
export class InboundConnection {
  readonly #socket: Socket
  readonly #events: InboundEvents
  readonly #parser: FrameParser
  readonly #byNumber = new Map<number, InboundChannel>()
  readonly #byId = new Map<string, InboundChannel>()
  readonly #toWake = new Set<Doorbell>()
  #nextNumber = 0
  #reason = 'it was closed by the peer'
  #lost = false

  /**
   * @param connect makes the socket, as {@link SocketFactory.connect}
   * @param authToken what this process shows; undefined: nothing
   */
  constructor(
    connect: (onData: (chunk: Buffer) => void) => Socket,
    events: InboundEvents,
    authToken?: string,
  ) {
    this.#events = events
    this.#parser = new FrameParser({
      dataTarget: header => this.#dataTarget(header),
      frame: (header, payload) => this.#frame(header, payload),
    })
    const socket = connect(chunk => {
      try {
        this.#parser.push(chunk)
      } catch (error) {
        this.fail((error as Error).message)
      }
      this.#wakeConsumers()
    })
    this.#socket = socket
    socket.on('error', error => {
      this.#reason = error.message
    })
    socket.on('close', () => this.#close())
    socket.write(greeting(authToken))
  }

  /** Whether the producing side has answered. */
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

  open(ends: ChannelEnds): void {
    const ring = new RingProducer(ends.ring)
    const channel: InboundChannel = {
      number: this.#nextNumber++,
      channelId: ends.channelId,
      ring,
      consumerBell: new Doorbell(ends.consumerBell),
      sentTail: ring.tail(),
    }
    this.#byNumber.set(channel.number, channel)
    this.#byId.set(channel.channelId, channel)
    const payload = Buffer.alloc(4 + Buffer.byteLength(channel.channelId))
    payload.writeInt32LE(channel.sentTail, 0)
    payload.write(channel.channelId, 4)
    this.#socket.write(controlFrame(FRAME.open, channel.number, ring.capacity, payload))
    this.#awaitTail(channel)
  }

  /** Returns false if the channel is not of this connection. The last one closes the connection. */
  release(channelId: string): boolean {
    const channel = this.#byId.get(channelId)
    if (channel === undefined) return false
    this.#remove(channel)
    this.#socket.write(controlFrame(FRAME.close, channel.number, 0))
    return true
  }

  get idle(): boolean {
    return this.#byId.size === 0
  }

  /** Ends the connection after what was written; nothing is reported. */
  end(): void {
    this.#lost = true
    this.#socket.end()
    // A peer that does not read must not keep the socket.
    this.#socket.unref()
  }

  /** Ends the connection at once; open channels are reported as lost for this reason. */
  fail(reason: string): void {
    this.#reason = reason
    this.#socket.destroy()
    this.#close()
  }

  /** Tells the producer about room that consumers have made since. */
  giveCredit(): void {
    const frames: Buffer[] = []
    for (const channel of this.#byNumber.values()) {
      const tail = channel.ring.tail()
      if (((tail - channel.sentTail) | 0) < channel.ring.capacity / 4) {
        // A consumer that had seen the earlier request has answered the new one, too early.
        if (!channel.ring.awaiting) this.#awaitTail(channel)
        continue
      }
      channel.sentTail = tail
      frames.push(controlFrame(FRAME.credit, channel.number, tail))
      this.#awaitTail(channel)
    }
    if (frames.length > 0)
      this.#socket.write(frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames))
  }

  /** A quarter of the ring at a time: the rest is more than any frame needs, so that the producer never starves. */
  #awaitTail(channel: InboundChannel): void {
    channel.ring.awaitTail((channel.sentTail + channel.ring.capacity / 4) | 0)
    // What was consumed before that would ring no bell.
    if (((channel.ring.tail() - channel.sentTail) | 0) >= channel.ring.capacity / 4)
      queueMicrotask(() => this.giveCredit())
  }

  #dataTarget(header: FrameHeader): PayloadTarget | undefined {
    const channel = this.#byNumber.get(header.channel)
    if (channel === undefined) {
      if (header.channel < this.#nextNumber) return undefined
      throw ProtocolViolation({ what: `data for channel ${header.channel}, which was never opened` })
    }
    if (header.kind < KIND.batch || header.kind > KIND.lastFragment) {
      throw ProtocolViolation({ what: `a data frame of kind ${header.kind}` })
    }
    const offset = header.length > channel.ring.capacity ? -1 : channel.ring.reserve(header.length)
    if (offset < 0) {
      throw ProtocolViolation({
        what: `${header.length} bytes without credit for channel ${channel.channelId}`,
      })
    }
    return { buffer: channel.ring.buffer, offset }
  }

  #frame(header: FrameHeader, payload: Buffer | undefined): void {
    if (header.type === FRAME.data) {
      const channel = this.#byNumber.get(header.channel)
      // Released meanwhile.
      if (channel === undefined) return
      if (channel.ring.commit(header.length, header.kind)) this.#toWake.add(channel.consumerBell)
    } else if (header.type === FRAME.error) {
      const channel = this.#byNumber.get(header.channel)
      if (channel === undefined) return
      const error = parseError(payload)
      this.#remove(channel)
      this.#events.channelFailed(channel.channelId, error)
    } else if (header.type === FRAME.refused) {
      throw new Error(payload?.toString() ?? '')
    } else {
      throw ProtocolViolation({ what: `a frame of type ${header.type} from the producing side` })
    }
  }

  /** Once for a chunk of the socket, which may hold many frames. */
  #wakeConsumers(): void {
    if (this.#toWake.size === 0) return
    for (const bell of this.#toWake) bell.ring()
    this.#toWake.clear()
  }

  #remove(channel: InboundChannel): void {
    this.#byNumber.delete(channel.number)
    this.#byId.delete(channel.channelId)
  }

  #close(): void {
    if (this.#lost) return
    this.#lost = true
    const channelIds = [...this.#byId.keys()]
    this.#byId.clear()
    this.#byNumber.clear()
    this.#events.lost(channelIds, this.#reason)
  }
}

function parseError(payload: Buffer | undefined): Error {
  try {
    return deserializeError(JSON.parse(payload?.toString() ?? '') as SerializedError)
  } catch (error) {
    throw ProtocolViolation({ what: 'an error frame that is no error' }, error)
  }
}
