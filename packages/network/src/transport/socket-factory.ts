import { connect, createServer, type Server, type Socket } from 'node:net'

/** How sockets are made: plain TCP, or TLS in its place. */
export interface SocketFactory {
  /** A server that is not listening yet; `onSocket` gets connections that are ready for data. */
  createServer(onSocket: (socket: Socket) => void): Server
  /** A socket that is connecting; data may be written at once. */
  connect(host: string, port: number): Socket
}

export const tcpSockets: SocketFactory = {
  createServer: onSocket => createServer({ noDelay: true, keepAlive: true }, onSocket),
  connect: (host, port) => connect({ host, port, noDelay: true, keepAlive: true }),
}
