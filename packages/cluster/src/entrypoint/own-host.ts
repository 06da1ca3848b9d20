import { createSocket } from 'node:dgram'
import { lookup } from 'node:dns/promises'
import { isIPv4 } from 'node:net'
import { hostname } from 'node:os'

/**
 * The host under which this machine is reached by those that reach `peer` too: loopback if the peer is named so, else the
 * address that packets to the peer would come from; nothing is sent. Where that cannot be found (the peer's name is
 * unknown, or it is this machine and its name leads to loopback), the name of this machine.
 */
export async function ownHost(peer: string): Promise<string> {
  if (isLoopback(peer)) return 'localhost'
  const address = await lookup(peer, 4).then(
    found => sourceAddress(found.address),
    () => undefined,
  )
  return address === undefined || isLoopback(address) ? hostname() : address
}

/** The interface to listen on for those that reach this machine under `host`. */
export function bindHostFor(host: string): string {
  return isLoopback(host) ? 'localhost' : '0.0.0.0'
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIPv4(host) && host.startsWith('127.'))
}

/** Undefined: there is no way to that address. */
async function sourceAddress(target: string): Promise<string | undefined> {
  const socket = createSocket('udp4')
  try {
    return await new Promise(resolve => {
      socket.once('error', () => resolve(undefined))
      // Only looks up the route.
      socket.connect(9, target, () => resolve(socket.address().address))
    })
  } finally {
    socket.close()
  }
}
