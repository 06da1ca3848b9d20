import type { Clock } from '@flink-ts/common'
import type * as Grpc from '@grpc/grpc-js'
import { sessionService } from '../gen/session.ts'
import type { Dialer, Link } from '../session/link.ts'
import { GrpcLink } from './grpc-link.ts'

/** Opens a connection of its own for each link: nothing of a broken one, back-off included, outlives it. */
export class GrpcDialer implements Dialer {
  readonly #grpc: typeof Grpc
  readonly #options: Grpc.ClientOptions
  readonly #clock: Clock
  readonly #links = new Map<GrpcLink, () => void>()

  constructor(
    options: Grpc.ClientOptions,
    dependencies: { readonly grpc: typeof Grpc; readonly clock: Clock },
  ) {
    this.#options = options
    this.#grpc = dependencies.grpc
    this.#clock = dependencies.clock
  }

  /** Number of connections that are not freed yet. */
  get open(): number {
    return this.#links.size
  }

  dial(address: string): Link {
    const client = new this.#grpc.Client(address, this.#grpc.credentials.createInsecure(), this.#options)
    const { path, requestSerialize, responseDeserialize } = sessionService.open
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize)
    const release = (): void => {
      this.#links.delete(link)
      stream.cancel()
      client.close()
    }
    const link = new GrpcLink(stream, release, { clock: this.#clock })
    this.#links.set(link, release)
    return link
  }

  /** Frees everything at once. */
  close(): void {
    for (const release of [...this.#links.values()]) release()
  }
}
