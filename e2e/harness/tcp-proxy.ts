import { connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy on loopback whose connections can be cut, refused, and silenced. */
export class TcpProxy {
  readonly #server: Server
  /** Each end with the one it is forwarded to. */
  readonly #pairs = new Map<Socket, Socket>()
  #refusing = false
  #silent = false

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
        this.#pairs.set(from, to)
        from.pipe(to)
        if (this.#silent) from.unpipe()
        from.on('error', () => to.destroy())
        from.on('close', () => {
          this.#pairs.delete(from)
          to.destroy()
        })
      }
    })
  }

  /** Listens on `port` (0: any) of an address of loopback, and forwards to `targetPort` of 127.0.0.1. */
  static async start(targetPort: number, port = 0, host = '127.0.0.1'): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort)
    await new Promise<void>((resolve, reject) => {
      proxy.#server.once('error', reject)
      proxy.#server.listen(port, host, resolve)
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
    for (const socket of this.#pairs.keys()) socket.resetAndDestroy()
  }

  /** Cuts all connections and refuses new ones until {@link TcpProxy.restore}. */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  /** Keeps all connections, and accepts new ones, but forwards nothing until {@link TcpProxy.restore}. */
  silence(): void {
    this.#silent = true
    for (const socket of this.#pairs.keys()) socket.unpipe()
  }

  restore(): void {
    this.#refusing = false
    if (!this.#silent) return
    this.#silent = false
    for (const [from, to] of this.#pairs) from.pipe(to)
  }

  async close(): Promise<void> {
    this.refuse()
    await new Promise(resolve => this.#server.close(resolve))
  }
}
