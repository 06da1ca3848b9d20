// Entry of the network thread: owns the data sockets of the process. Started by NetworkThreadClient.
import { parentPort, workerData } from 'node:worker_threads'
import { SystemClock, serializeError } from '@flink-ts/common'
import { RingReclaimer } from '../ring/reclaim-rings.ts'
import { NetworkEnvironment } from './network-environment.ts'
import { tcpSockets } from './socket-factory.ts'
import type { NetworkCommand, NetworkReport, NetworkThreadData } from './thread-messages.ts'

const port = parentPort
if (port === null)
  throw new Error('network-thread is the entry of a worker thread: start it by NetworkThreadClient')

const report = (message: NetworkReport): void => port.postMessage(message)
const {
  bell,
  bindHost,
  port: dataPort,
  openTimeoutMs,
  heartbeat,
  authToken,
} = workerData as NetworkThreadData
const clock = new SystemClock()
const reclaimer = new RingReclaimer({ clock })
const ringBytes = new Map<string, number>()
const environment = new NetworkEnvironment(
  { bindHost, port: dataPort, openTimeoutMs, heartbeat, authToken },
  {
    clock,
    sockets: tcpSockets,
    bell,
    onChannelFailed: (channelId, error) =>
      report({ type: 'channel-failed', channelId, error: serializeError(error) }),
  },
)

port.on('message', (command: NetworkCommand) => {
  switch (command.type) {
    case 'open-outbound':
      ringBytes.set(command.ends.channelId, command.ends.ring.byteLength)
      environment.openOutbound(command.ends)
      return
    case 'open-inbound':
      ringBytes.set(command.ends.channelId, command.ends.ring.byteLength)
      environment.openInbound(command.ends, command.remoteAddress)
      return
    case 'release':
      environment.release(command.channelIds, command.drain)
      reclaimer.released(forget(command.channelIds))
      return
    case 'close':
      // Never rejects.
      void environment.close().then(() => {
        report({ type: 'closed' })
        port.close()
      })
  }
})

/** Bytes of the rings of these channels. */
function forget(channelIds: readonly string[]): number {
  let sizeBytes = 0
  for (const channelId of channelIds) {
    sizeBytes += ringBytes.get(channelId) ?? 0
    ringBytes.delete(channelId)
  }
  return sizeBytes
}

environment.start().then(
  boundPort => report({ type: 'started', port: boundPort }),
  (error: unknown) => {
    report({ type: 'start-failed', error: serializeError(error) })
    port.close()
  },
)
