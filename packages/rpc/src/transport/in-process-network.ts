import { type Clock, Deferred } from '@flink-ts/common'
import type { BlobStore } from '../blob/blob-access.ts'
import { ConnectionRefused } from '../errors.ts'
import type { Link } from '../session/link.ts'
import type { SessionHost } from '../session/session-host.ts'
import { MemoryLink } from './memory-link.ts'

/** What a process lets others reach. */
export interface InProcessNode {
  readonly host: SessionHost
  readonly blobStore: () => BlobStore | undefined
}

/** State of the way between two processes. */
interface Way {
  readonly state: 'open' | 'cut' | 'silent'
  readonly delayMs: number
  /** What was sent since the way fell silent. */
  readonly held: (() => void)[]
}
const OPEN: Way = { state: 'open', delayMs: 0, held: [] }

/** What a network is made from. */
export interface InProcessNetworkDependencies {
  readonly clock: Clock
  /** How long the next message takes, beyond a delay that is set; nothing if absent. Links keep their order. */
  readonly latencyMs?: (from: string, to: string) => number
}

/**
 * A network of "processes" inside one: a MiniCluster, or a simulation in virtual time. Deliveries are microtasks
 * where no delay is set, else timers of the clock. Ways between two addresses can be cut, silenced and slowed down,
 * both directions at once.
 */
export class InProcessNetwork {
  readonly #clock: Clock
  readonly #latencyMs: (from: string, to: string) => number
  /** What arrived at addresses that are frozen. */
  readonly #frozen = new Map<string, (() => void)[]>()
  readonly #nodes = new Map<string, InProcessNode>()
  readonly #ways = new Map<string, Way>()
  readonly #links = new Set<{
    readonly from: string
    readonly to: string
    readonly ends: readonly MemoryLink[]
  }>()
  #names = 0

  constructor(dependencies: InProcessNetworkDependencies) {
    this.#clock = dependencies.clock
    this.#latencyMs = dependencies.latencyMs ?? (() => 0)
  }

  /** An address that nothing had before. */
  newAddress(): string {
    return `in-process:${++this.#names}`
  }

  join(address: string, node: InProcessNode): void {
    this.#nodes.set(address, node)
  }

  /** Nothing is reached there any more; links of the address break. */
  leave(address: string): void {
    this.#nodes.delete(address)
    this.#frozen.delete(address)
    this.#breakLinks(link => link.from === address || link.to === address, 'the peer is gone')
  }

  /** Links between the two break, and new ones are refused, until {@link heal}. */
  cut(a: string, b: string): void {
    this.#set(a, b, { ...this.#way(a, b), state: 'cut' })
    this.breakLinks(a, b)
  }

  /** Links between the two break now; new ones can be opened at once. */
  breakLinks(a: string, b: string): void {
    this.#breakLinks(
      link => (link.from === a && link.to === b) || (link.from === b && link.to === a),
      'the link was cut',
    )
  }

  /**
   * What the two send each other does not arrive, and neither is told, until {@link heal}: as over TCP, it arrives then,
   * unless its link was given up meanwhile.
   */
  silence(a: string, b: string): void {
    const way = this.#way(a, b)
    if (way.state !== 'silent') this.#set(a, b, { ...way, state: 'silent', held: [] })
  }

  /** What the two send each other takes `delayMs` from now on. */
  delay(a: string, b: string, delayMs: number): void {
    this.#set(a, b, { ...this.#way(a, b), delayMs })
  }

  /** The way between the two is open again, without delay. */
  heal(a: string, b: string): void {
    const { held } = this.#way(a, b)
    this.#ways.delete(wayName(a, b))
    for (const deliver of held) queueMicrotask(deliver)
  }

  /** The process there stands still: what is sent to it waits until {@link thaw}. */
  freeze(address: string): void {
    this.#frozen.set(address, [])
  }

  /** The process goes on: what has waited arrives. */
  thaw(address: string): void {
    const held = this.#frozen.get(address)
    this.#frozen.delete(address)
    for (const deliver of held ?? []) queueMicrotask(deliver)
  }

  /** A link from one address to another; refused ones break at once. */
  dial(from: string, to: string): Link {
    const near = new MemoryLink({ watched: true, post: deliver => this.#post(to, from, deliver) })
    const node = this.#nodes.get(to)
    if (node === undefined || this.#way(from, to).state === 'cut') {
      near.break(node === undefined ? 'nothing listens there' : 'the network is cut')
      return near
    }
    const far = new MemoryLink({ watched: true, post: deliver => this.#post(from, to, deliver) })
    MemoryLink.join(near, far)
    for (const link of this.#links) if (link.ends.every(end => end.ended)) this.#links.delete(link)
    this.#links.add({ from, to, ends: [near, far] })
    node.host.accept(far)
    return near
  }

  /** The blob store at an address. Throws `rpc.connection-refused`. */
  blobStore(from: string, to: string): BlobStore | undefined {
    const node = this.#nodes.get(to)
    if (node === undefined || this.#way(from, to).state !== 'open') {
      throw ConnectionRefused({ address: to, endpoint: 'blobs', reason: 'nothing can be reached there' })
    }
    return node.blobStore()
  }

  /** Resolves when all microtasks that are queued now have run: for tests under virtual time. */
  async settle(rounds = 50): Promise<void> {
    for (let i = 0; i < rounds; i++) {
      const turn = new Deferred<void>()
      queueMicrotask(() => turn.resolve())
      await turn.promise
    }
  }

  #post(from: string, to: string, deliver: () => void): void {
    const { state, delayMs, held } = this.#way(from, to)
    const arrive = (): void => {
      const waiting = this.#frozen.get(to)
      if (waiting === undefined) deliver()
      else waiting.push(arrive)
    }
    if (state === 'silent') {
      held.push(arrive)
      return
    }
    const totalMs = delayMs + this.#latencyMs(from, to)
    if (totalMs > 0) this.#clock.schedule(totalMs, arrive)
    else queueMicrotask(arrive)
  }

  #breakLinks(
    concerned: (link: { readonly from: string; readonly to: string }) => boolean,
    reason: string,
  ): void {
    for (const link of this.#links) {
      if (!concerned(link)) continue
      this.#links.delete(link)
      for (const end of link.ends) end.break(reason)
    }
  }

  #way(a: string, b: string): Way {
    return this.#ways.get(wayName(a, b)) ?? OPEN
  }

  #set(a: string, b: string, way: Way): void {
    this.#ways.set(wayName(a, b), way)
  }
}

function wayName(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`
}
