import { connect } from 'node:net'
import type { Clock } from '@flink-ts/common'
import type { PeerProbe } from '../session/peer-probe.ts'

const TIMEOUT_MS = 200

/** Probes by TCP. Only a refusal by the peer's own host counts: what is silent may be a network that is down. */
export function tcpPeerProbe(dependencies: { readonly clock: Clock }): PeerProbe {
  return address =>
    new Promise(resolve => {
      const colon = address.lastIndexOf(':')
      const host = address.slice(0, colon).replace(/^\[|\]$/g, '')
      const socket = connect({ host, port: Number(address.slice(colon + 1)) })
      const end = (answer: 'refused' | 'unknown'): void => {
        timer.cancel()
        socket.destroy()
        resolve(answer)
      }
      const timer = dependencies.clock.schedule(TIMEOUT_MS, () => end('unknown'), { unref: true })
      socket.once('connect', () => end('unknown'))
      socket.once('error', (error: NodeJS.ErrnoException) =>
        end(error.code === 'ECONNREFUSED' ? 'refused' : 'unknown'),
      )
    })
}
