import type { Random, ResourceId } from '@flink-ts/common'
import type { Barrier } from '@flink-ts/taskmanager'
import type { SimulatedProcess } from './simulated-process.ts'
import type { VirtualTime } from './virtual-time.ts'
import type { SimulatedRecord } from './workload.ts'

/** What travels from task to task. */
export type ChannelMessage =
  | { readonly type: 'records'; readonly records: readonly SimulatedRecord[] }
  | { readonly type: 'barrier'; readonly barrier: Barrier }
  | { readonly type: 'cancel-barrier'; readonly checkpointId: number }
  | { readonly type: 'end-of-data' }
  | { readonly type: 'end-of-partition' }

/** A TaskManager, as the exchange of records sees it. */
export interface ExchangePeer {
  readonly process: SimulatedProcess
  /** The connection behind a channel is gone. */
  channelFailed(channelId: string): void
}

interface Channel {
  producer: ExchangePeer | undefined
  consumer: ExchangePeer | undefined
  receive: ((message: ChannelMessage) => void) | undefined
  /** Arrived before the consumer was there. */
  early: ChannelMessage[]
  lastArrivalMs: number
  failed: boolean
}

const CONNECT_TIMEOUT_MS = 300

/** The exchange of records between tasks, wherever they run: each channel keeps its order. */
export class DataPlane {
  readonly #time: VirtualTime
  readonly #random: Random
  readonly #channels = new Map<string, Channel>()
  readonly #peers = new Map<ResourceId, ExchangePeer>()
  readonly #cut = new Set<string>()

  constructor(time: VirtualTime, random: Random) {
    this.#time = time
    this.#random = random
  }

  /** Channels that some task has open. */
  get size(): number {
    return this.#channels.size
  }

  join(peer: ExchangePeer): void {
    this.#peers.set(peer.process.resourceId, peer)
  }

  /** A TaskManager has ended: those connected with it learn it. */
  leave({ process: { resourceId } }: ExchangePeer): void {
    const gone = this.#peers.get(resourceId)
    this.#peers.delete(resourceId)
    for (const [channelId, channel] of this.#channels) {
      if (channel.producer === gone) this.#survives(channelId, channel, channel.consumer, 'producer')
      else if (channel.consumer === gone) this.#survives(channelId, channel, channel.producer, 'consumer')
    }
  }

  /** Connections between two TaskManagers break and cannot be made. */
  cut(a: ResourceId, b: ResourceId): void {
    this.#cut.add(pairOf(a, b))
    for (const [channelId, { producer, consumer }] of this.#channels) {
      if (producer === undefined || consumer === undefined) continue
      if (pairOf(producer.process.resourceId, consumer.process.resourceId) === pairOf(a, b)) {
        this.#fail(channelId, producer)
        this.#fail(channelId, consumer)
      }
    }
  }

  heal(a: ResourceId, b: ResourceId): void {
    this.#cut.delete(pairOf(a, b))
  }

  /** A task begins to send. @param partner TaskManager of the consumer */
  openOutput(channelId: string, peer: ExchangePeer, partner: ResourceId): void {
    this.#channel(channelId).producer = peer
    this.#reach(channelId, peer, partner)
  }

  /** A task begins to receive. @param partner TaskManager of the producer */
  openInput(
    channelId: string,
    peer: ExchangePeer,
    partner: ResourceId,
    receive: (message: ChannelMessage) => void,
  ): void {
    const channel = this.#channel(channelId)
    channel.consumer = peer
    channel.receive = receive
    for (const message of channel.early.splice(0)) receive(message)
    this.#reach(channelId, peer, partner)
  }

  send(channelId: string, message: ChannelMessage): void {
    const channel = this.#channels.get(channelId)
    if (channel === undefined || channel.failed) return
    const { producer, consumer } = channel
    const latencyMs = producer === consumer ? 0 : this.#random.next() * 4
    channel.lastArrivalMs = Math.max(channel.lastArrivalMs, this.#time.nowMs + latencyMs)
    const arrive = (): void => {
      if (channel.receive === undefined) channel.early.push(message)
      else channel.receive(message)
    }
    const delayMs = channel.lastArrivalMs - this.#time.nowMs
    if (consumer === undefined) this.#time.after(delayMs, arrive)
    else consumer.process.clock.arrive(delayMs, arrive)
  }

  closeOutput(channelId: string): void {
    const channel = this.#channels.get(channelId)
    if (channel === undefined) return
    channel.producer = undefined
    this.#forget(channelId, channel)
  }

  closeInput(channelId: string): void {
    const channel = this.#channels.get(channelId)
    if (channel === undefined) return
    channel.consumer = undefined
    channel.receive = () => {}
    this.#forget(channelId, channel)
  }

  #channel(channelId: string): Channel {
    let channel = this.#channels.get(channelId)
    if (channel === undefined) {
      channel = {
        ...{ producer: undefined, consumer: undefined, receive: undefined },
        ...{ early: [], lastArrivalMs: 0, failed: false },
      }
      this.#channels.set(channelId, channel)
    }
    return channel
  }

  #forget(channelId: string, { producer, consumer }: Channel): void {
    if (producer === undefined && consumer === undefined) this.#channels.delete(channelId)
  }

  #survives(
    channelId: string,
    channel: Channel,
    survivor: ExchangePeer | undefined,
    gone: 'producer' | 'consumer',
  ): void {
    if (gone === 'producer') channel.producer = undefined
    else channel.consumer = undefined
    if (survivor !== undefined) this.#fail(channelId, survivor)
    this.#forget(channelId, channel)
  }

  #reach(channelId: string, peer: ExchangePeer, partner: ResourceId): void {
    const { resourceId } = peer.process
    if (partner === resourceId) return
    if (this.#peers.has(partner) && !this.#cut.has(pairOf(resourceId, partner))) return
    peer.process.clock.arrive(CONNECT_TIMEOUT_MS, () => this.#fail(channelId, peer))
  }

  #fail(channelId: string, peer: ExchangePeer): void {
    const channel = this.#channels.get(channelId)
    if (channel === undefined || (channel.producer !== peer && channel.consumer !== peer)) return
    channel.failed = true
    peer.process.clock.arrive(1 + this.#random.next() * 3, () => peer.channelFailed(channelId))
  }
}

function pairOf(a: ResourceId, b: ResourceId): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
