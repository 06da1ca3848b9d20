import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'

/** A TCP proxy whose connections a test can cut and freeze. */
export class TcpProxy {
  readonly #target: string
  readonly #server: Server
  readonly #pairs = new Set<readonly [Socket, Socket]>()
  #frozen = false
  #refusing = false
  #bytesToCut = Infinity
  connections = 0

  constructor(target: string) {
    this.#target = target
    this.#server = createServer(near => {
      this.connections++
      if (this.#refusing) {
        near.destroy()
        return
      }
      const [host, port] = this.#target.split(':')
      const far = connect({ host: host as string, port: Number(port) })
      const pair = [near, far] as const
      this.#pairs.add(pair)
      for (const [socket, other] of [pair, [far, near] as const]) {
        socket.on('data', data => {
          if (!this.#frozen) other.write(data)
          this.#bytesToCut -= data.length
          if (this.#bytesToCut <= 0) this.cut()
        })
        socket.on('error', () => {}) // 'close' follows.
        socket.on('close', () => {
          this.#pairs.delete(pair)
          if (!this.#frozen) other.destroy()
        })
      }
    })
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Resets all connections once so many more bytes went through, both directions together. */
  cutAfter(bytes: number): void {
    this.#bytesToCut = bytes
  }

  /** Resets all connections. */
  cut(): void {
    this.#bytesToCut = Infinity
    for (const pair of this.#pairs) for (const socket of pair) socket.resetAndDestroy()
  }

  /** Nothing is forwarded any more, ends of connections included; bytes are swallowed. */
  freeze(): void {
    this.#frozen = true
  }

  /** Cuts, and lets nobody in. */
  refuse(): void {
    this.#refusing = true
    this.cut()
  }

  admit(): void {
    this.#refusing = false
  }

  async close(): Promise<void> {
    this.cut()
    this.#server.close()
    if (this.#server.listening) await once(this.#server, 'close')
  }
}
