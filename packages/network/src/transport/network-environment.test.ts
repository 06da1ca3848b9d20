import { once } from 'node:events'
import { connect } from 'node:net'
import { ManualClock } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { Doorbell } from '../ring/doorbell.ts'
import { allocateRing, KIND } from '../ring/ring-layout.ts'
import { RingProducer } from '../ring/ring-producer.ts'
import { NetworkEnvironment } from './network-environment.ts'
import { tcpSockets } from './socket-factory.ts'
import { controlFrame, FRAME, FrameParser, MAGIC, VERSION } from './wire-format.ts'

const OPEN_TIMEOUT_MS = 30_000

/** Tells what is scheduled. */
class WatchedClock extends ManualClock {
  onScheduled: () => void = () => {}

  override schedule(...given: Parameters<ManualClock['schedule']>): ReturnType<ManualClock['schedule']> {
    if (given[0] === OPEN_TIMEOUT_MS) queueMicrotask(() => this.onScheduled())
    return super.schedule(...given)
  }
}

test('a channel whose producer has finished and that nobody opens is not kept', async () => {
  const clock = new WatchedClock(0)
  const environment = new NetworkEnvironment(
    {
      bindHost: '127.0.0.1',
      port: 0,
      openTimeoutMs: OPEN_TIMEOUT_MS,
      heartbeat: { intervalMs: 60_000, timeoutMs: 180_000 },
    },
    { clock, sockets: tcpSockets, bell: Doorbell.allocate(), onChannelFailed: () => {} },
  )
  const port = await environment.start()
  const [bell, ring] = [Doorbell.allocate(), allocateRing(1024)]
  environment.openOutbound({ channelId: 'c', ring, producerBell: bell, consumerBell: bell })
  const producer = new RingProducer(ring)
  producer.reserve(8)
  producer.commit(8, KIND.batch)
  environment.release(['c'], true)
  clock.advance(OPEN_TIMEOUT_MS)
  // Somebody opens it after all, and waits as for a channel that is not there yet.
  clock.onScheduled = () => clock.advance(OPEN_TIMEOUT_MS)
  const types: number[] = []
  const socket = connect(port, '127.0.0.1')
  const answered = new Promise<void>(resolve => {
    const note = (header: { type: number }): void => {
      types.push(header.type)
      resolve()
    }
    const parser = new FrameParser({
      dataTarget: () => undefined,
      frame: header => note(header),
    })
    socket.on('data', chunk => parser.push(chunk))
  })
  socket.write(controlFrame(FRAME.hello, MAGIC, VERSION))
  socket.write(controlFrame(FRAME.open, 0, 1024, Buffer.from('\0\0\0\0c')))
  await answered
  expect(types).toEqual([FRAME.error])
  socket.destroy()
  await once(socket, 'close')
  await environment.close()
})
