import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { Doorbell } from '../ring/doorbell.ts'
import { RingConsumer } from '../ring/ring-consumer.ts'
import { allocateRing, KIND, ringCapacity, WAITING } from '../ring/ring-layout.ts'
import { RingProducer } from '../ring/ring-producer.ts'
import { InboundConnection } from './inbound-connection.ts'
import { FRAME } from './wire-format.ts'

/** A connection with one channel to a socket that notes the credit it is given. */
function setup() {
  const credits: number[] = []
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      for (let at = 0; at < chunk.length; at += 16 + chunk.readUInt32LE(at))
        if (chunk[at + 4] === FRAME.credit) credits.push(chunk.readInt32LE(at + 12))
      done()
    },
  })
  const connection = new InboundConnection(() => socket as unknown as Socket, {
    channelFailed: () => {},
    lost: () => {},
  })
  const ring = allocateRing(1024)
  connection.open({
    channelId: 'c',
    ring,
    producerBell: Doorbell.allocate(),
    consumerBell: Doorbell.allocate(),
  })
  return { connection, ring, credits }
}

test('credit goes on after a consumer has answered a request that was made again meanwhile', () => {
  const { connection, ring, credits } = setup()
  const words = new Int32Array(ring)
  const producer = new RingProducer(ring)
  const consumer = new RingConsumer(ring)
  const quarter = ringCapacity(ring) / 4
  for (let i = 0; i < 3; i++) {
    producer.reserve(quarter - 8)
    producer.commit(quarter - 8, KIND.batch)
  }
  consumer.peek()
  consumer.release()
  // That release was interrupted just before its exchange, and the network thread was woken by another channel.
  words[WAITING] = 1
  connection.giveCredit()
  expect(credits).toEqual([quarter])
  // It goes on, and rings the bell.
  words[WAITING] = 0
  connection.giveCredit()
  expect(credits).toEqual([quarter])
  consumer.peek()
  expect(consumer.release()).toBe(true)
  connection.giveCredit()
  expect(credits).toEqual([quarter, 2 * quarter])
})
