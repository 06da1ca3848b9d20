import { connect, createServer, type Server, type Socket } from 'node:net'

const READ_BUFFER_BYTES = 256 * 1024

/** How sockets are made: plain TCP, or TLS in its place. */
export interface SocketFactory {
  /** A server that is not listening yet; `onSocket` gets connections that are ready for data. */
  createServer(onSocket: (socket: Socket) => void): Server
  /**
   * A socket that is connecting; may be written to at once. What comes is given to `onData`, which is done with the chunk
   * when it returns, and not as 'data' events.
   */
  connect(host: string, port: number, onData: (chunk: Buffer) => void): Socket
}

export const tcpSockets: SocketFactory = {
  createServer: onSocket => createServer({ noDelay: true, keepAlive: true }, onSocket),
  connect: (host, port, onData) => {
    // One buffer for the life of the connection: a chunk of its own for each read costs more in GC than the reading.
    const buffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES)
    const callback = (sizeBytes: number): boolean => {
      onData(buffer.subarray(0, sizeBytes))
      return true
    }
    return connect({ host, port, noDelay: true, keepAlive: true, onread: { buffer, callback } })
  },
}
