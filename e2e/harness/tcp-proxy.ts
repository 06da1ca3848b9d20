import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy on loopback whose connections can be cut and refused. */
export class TcpProxy {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #refusing = false

  private constructor(targetPort: number) {
    this.#server = createServer(client => {
      if (this.#refusing) {
        client.resetAndDestroy()
        return
      }
      const upstream = connect(targetPort, '127.0.0.1')
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.#sockets.add(from)
        from.pipe(to)
        from.on('error', () => to.destroy())
        from.on('close', () => {
          this.#sockets.delete(from)
          to.destroy()
        })
      }
    })
  }

  /** Listens on `port` (0: any) and forwards to `targetPort`. */
  static async start(targetPort: number, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(port, '127.0.0.1', resolve)
    })
    return proxy
  }

  get port(): number {
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the proxy does not listen')
    return address.port
  }

  /** Cuts all connections once; new ones are accepted. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy()
  }

  /** Cuts all connections and refuses new ones until {@link TcpProxy.restore}. */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  restore(): void {
    this.#refusing = false
  }

  async close(): Promise<void> {
    this.refuse()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
