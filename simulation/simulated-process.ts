import { newId, type ResourceId, SeededRandom } from '@flink-ts/common'
import { InProcessRpcService, type SessionSettings } from '@flink-ts/rpc'
import { ProcessClock } from './virtual-time.ts'
import type { World } from './world.ts'

/** One process of the simulated cluster: its clock and its connections, which freeze and end together. */
export class SimulatedProcess {
  /** For traces; a process that is started again keeps it. */
  readonly name: string
  readonly address: string
  readonly resourceId: ResourceId
  readonly clock: ProcessClock
  readonly random: SeededRandom
  readonly rpc: InProcessRpcService
  readonly #world: World

  constructor(name: string, address: string, settings: Partial<SessionSettings>, world: World) {
    this.name = name
    this.address = address
    this.#world = world
    this.clock = new ProcessClock(world.time)
    this.random = new SeededRandom(world.random.next() * 2 ** 32)
    this.resourceId = newId<ResourceId>(this.random)
    this.rpc = new InProcessRpcService(
      { resourceId: this.resourceId, version: '1', address, settings },
      { network: world.network, clock: this.clock, random: this.random, logger: world.logger(name) },
    )
  }

  get alive(): boolean {
    return !this.clock.ended
  }

  freeze(): void {
    this.clock.freeze()
    this.#world.network.freeze(this.address)
  }

  /** Timers and messages that waited come in either order. */
  thaw(): void {
    if (this.clock.running || !this.alive) return
    const messagesFirst = this.#world.random.next() < 0.5
    if (messagesFirst) this.#world.network.thaw(this.address)
    this.clock.thaw()
    if (!messagesFirst) this.clock.arrive(0, () => this.#world.network.thaw(this.address))
  }

  /** As kill -9. */
  kill(): void {
    this.clock.end()
    this.rpc.kill()
  }
}
