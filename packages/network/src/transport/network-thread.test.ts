import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type Socket } from 'node:net'
import type { SerializedError } from '@flink-ts/common'
import { afterEach, describe, expect, test } from 'vitest'
import type { ChannelEvent, ChannelReader, ChannelWriter } from '../channel/channel.ts'
import { createChannelReader } from '../channel/ring-channel-reader.ts'
import { createChannelWriter } from '../channel/ring-channel-writer.ts'
import { Doorbell } from '../ring/doorbell.ts'
import { allocateRing } from '../ring/ring-layout.ts'
import { NetworkThreadClient, type NetworkThreadClientOptions } from './network-thread-client.ts'
import { controlFrame, FRAME, HEADER_BYTES, MAGIC, VERSION, writeHeader } from './wire-format.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

/** One side: a network thread, and a slot thread, which is the test's own. */
class Peer {
  readonly client: NetworkThreadClient
  readonly bell = Doorbell.allocate()
  readonly timestamp = new Float64Array([Number.NaN])
  readonly failures = new Map<string, SerializedError>()
  readonly #failed = new Map<string, (error: SerializedError) => void>()
  address = ''

  constructor(openTimeoutMs = 30_000, options: NetworkThreadClientOptions = {}) {
    this.client = new NetworkThreadClient({ openTimeoutMs, ...options })
    this.client.onChannelFailed((channelId, error) => {
      this.failures.set(channelId, error)
      this.#failed.get(channelId)?.(error)
    })
    closing.push(() => this.client.close())
  }

  async start(port = 0): Promise<this> {
    this.address = `127.0.0.1:${(await this.client.start({ port })).port}`
    return this
  }

  failure(channelId: string): Promise<SerializedError> {
    const known = this.failures.get(channelId)
    return known === undefined
      ? new Promise(resolve => this.#failed.set(channelId, resolve))
      : Promise.resolve(known)
  }

  produce(channelId: string, ringBytes = 65_536): ChannelWriter {
    const ends = {
      channelId,
      ring: allocateRing(ringBytes),
      producerBell: this.bell,
      consumerBell: this.client.bell,
    }
    this.client.openOutbound(ends)
    return createChannelWriter(ends, { timestamp: this.timestamp })
  }

  consume(channelId: string, from: string, ringBytes = 65_536): ChannelReader {
    const ends = {
      channelId,
      ring: allocateRing(ringBytes),
      producerBell: this.client.bell,
      consumerBell: this.bell,
    }
    this.client.openInbound(ends, from)
    return createChannelReader(ends, this.timestamp)
  }
}

async function pair(): Promise<[Peer, Peer]> {
  return Promise.all([new Peer().start(), new Peer().start()])
}

const ignore = { record: () => {}, event: () => {} }

/** Runs `turn` again whenever the bell was rung, until it returns true. */
async function until(bell: SharedArrayBuffer, turn: () => boolean): Promise<void> {
  const doorbell = new Doorbell(bell)
  for (;;) {
    const ticket = doorbell.ticket()
    if (turn()) return
    await (doorbell.wait(ticket) ?? new Promise(setImmediate))
  }
}

describe('channels over TCP', () => {
  test('records and events of many channels arrive in order, through rings of different sizes', async () => {
    const [producer, consumer] = await pair()
    const perChannel = 3000
    const channels = Array.from({ length: 12 }, (_, i) => {
      const channelId = `job/1/0/${i}/0`
      const ringBytes = 1024 << (i % 7)
      const seen: unknown[] = []
      const channel = {
        // Every second one is opened before it is registered.
        reader: i % 2 === 0 ? consumer.consume(channelId, producer.address, 1024 << (i % 5)) : undefined,
        writer: producer.produce(channelId, ringBytes),
        seen,
        next: 0,
        handler: {
          record: (record: unknown) => void seen.push((record as { n: number }).n),
          event: (event: ChannelEvent) => void seen.push(event),
        },
      }
      channel.reader ??= consumer.consume(channelId, producer.address, 1024 << (i % 5))
      return channel as typeof channel & { reader: ChannelReader }
    })
    const expected: unknown[] = []
    for (let n = 0; n < perChannel; n++) {
      expected.push(n)
      if (n % 500 === 499) expected.push({ type: 'watermark', watermark: n })
    }
    const produce = until(producer.bell, () => {
      for (const channel of channels) {
        channel.writer.flush()
        while (channel.next < perChannel && channel.writer.available()) {
          const n = channel.next++
          channel.writer.write({ n, text: 'x'.repeat(n % 1000 === 7 ? 5000 : 10) })
          if (n % 500 === 499) channel.writer.event({ type: 'watermark', watermark: n })
        }
        channel.writer.flush()
      }
      return channels.every(one => one.next === perChannel && one.writer.overdraftBytes === 0)
    })
    const consume = until(consumer.bell, () => {
      for (const { reader, handler } of channels) while (reader.poll(37, handler) > 0);
      return channels.every(one => one.seen.length >= expected.length)
    })
    await Promise.all([produce, consume])
    for (const { seen } of channels) expect(seen).toEqual(expected)
    expect([producer.failures.size, consumer.failures.size]).toEqual([0, 0])
  }, 30_000)

  test('a consumer that stands still holds back its own channel only, within its ring', async () => {
    const [producer, consumer] = await pair()
    const [slow, fast] = ['slow', 'fast'].map(id => ({
      writer: producer.produce(id),
      reader: consumer.consume(id, producer.address),
      written: 0,
    })) as [Channel, Channel]
    interface Channel {
      writer: ChannelWriter
      reader: ChannelReader
      written: number
    }
    const write = (channel: Channel) => {
      while (channel.writer.available() && channel.written < 50_000)
        channel.writer.write({ n: channel.written++ })
    }
    const produce = until(producer.bell, () => {
      write(slow)
      write(fast)
      fast.writer.flush()
      return fast.written === 50_000 && fast.writer.overdraftBytes === 0
    })
    await Promise.all([
      produce,
      until(consumer.bell, () => {
        while (fast.reader.poll(1000, ignore) > 0);
        return fast.reader.recordsIn === 50_000
      }),
    ])
    // What went out of the slow one fits in the rings of both sides.
    expect(slow.writer.available()).toBe(false)
    expect(slow.writer.bytesOut).toBeLessThanOrEqual(2 * 65_536)
    expect(slow.writer.overdraftBytes).toBe(0)
    // It goes on as soon as it is read.
    const rest = until(producer.bell, () => {
      write(slow)
      slow.writer.flush()
      return slow.written === 50_000 && slow.writer.overdraftBytes === 0
    })
    await Promise.all([
      rest,
      until(consumer.bell, () => {
        while (slow.reader.poll(1000, ignore) > 0);
        return slow.reader.recordsIn === 50_000
      }),
    ])
  }, 30_000)

  test('a killed process fails its channels at once; new channels to another one work', async () => {
    const consumer = await new Peer().start()
    const spawn = async (): Promise<[ChildProcess, string]> => {
      const child = fork(new URL('./testdata/peer-process.mjs', import.meta.url), ['doomed'], {
        execArgv: ['--conditions=@flink-ts/source'],
      })
      closing.push(() => child.kill('SIGKILL'))
      const [{ port }] = (await once(child, 'message')) as [{ port: number }]
      return [child, `127.0.0.1:${port}`]
    }
    const [child, address] = await spawn()
    const reader = consumer.consume('doomed', address)
    await until(consumer.bell, () => {
      while (reader.poll(1000, ignore) > 0);
      return reader.recordsIn > 10_000
    })
    const before = performance.now()
    child.kill('SIGKILL')
    const error = await consumer.failure('doomed')
    expect(performance.now() - before).toBeLessThan(1000)
    expect(error).toMatchObject({ code: 'network.connection-lost', domain: 'external', retry: 'backoff' })
    expect(error.message).toContain(address)
    // Nobody listens there any more.
    consumer.consume('again', address)
    expect((await consumer.failure('again')).code).toBe('network.connection-lost')
    const [, next] = await spawn()
    const second = consumer.consume('doomed', next)
    await until(consumer.bell, () => second.poll(1000, ignore) > 0)
  }, 30_000)

  test('the producer hears of a lost consumer, and can serve another one', async () => {
    const [producer, consumer] = await pair()
    producer.produce('a').write(1)
    const writer = producer.produce('b')
    consumer.consume('a', producer.address)
    const reader = consumer.consume('b', producer.address)
    writer.write(1)
    writer.flush()
    await until(consumer.bell, () => reader.poll(1, ignore) > 0)
    await consumer.client.close()
    const codes = await Promise.all([producer.failure('a'), producer.failure('b')])
    expect(codes.map(error => error.code)).toEqual(['network.connection-lost', 'network.connection-lost'])
    const other = await new Peer().start()
    const again = other.consume('c', producer.address)
    const third = producer.produce('c')
    third.write(1)
    third.flush()
    await until(other.bell, () => again.poll(1, ignore) > 0)
  }, 30_000)

  test('channels released while data flows report nothing and harm no other', async () => {
    const [producer, consumer] = await pair()
    const ids = ['kept', 'by-consumer', 'by-producer']
    const writers = ids.map(id => producer.produce(id))
    const readers = ids.map(id => consumer.consume(id, producer.address))
    let released = false
    const producing = until(producer.bell, () => {
      for (const writer of writers)
        for (let i = 0; i < 100_000 && writer.available(); i++) writer.write({ n: i })
      writers[0]?.flush()
      return (writers[0]?.recordsOut ?? 0) >= 100_000
    })
    const consuming = until(consumer.bell, () => {
      for (const reader of readers) while (reader.poll(1000, ignore) > 0);
      const count = readers[0]?.recordsIn ?? 0
      if (count > 1000 && !released) {
        released = true
        consumer.client.release(['by-consumer', 'unknown'])
        producer.client.release(['by-producer'])
      }
      return count >= 100_000
    })
    await Promise.all([producing, consuming])
    consumer.client.release(ids)
    producer.client.release(ids)
    // Failures would have come before the answer to this.
    const probe = consumer.consume('probe', producer.address)
    const writer = producer.produce('probe')
    writer.write(1)
    writer.flush()
    await until(consumer.bell, () => probe.poll(1, ignore) > 0)
    expect([producer.failures.size, consumer.failures.size]).toEqual([0, 0])
  }, 30_000)

  test('a drained channel delivers all that was written before its release', async () => {
    const [producer, consumer] = await pair()
    const writer = producer.produce('done')
    let n = 0
    while (writer.available()) writer.write({ n: n++ })
    writer.flush()
    producer.client.release(['done'], { drain: true })
    const reader = consumer.consume('done', producer.address, 1024)
    await until(consumer.bell, () => {
      while (reader.poll(1000, ignore) > 0);
      return reader.recordsIn === n
    })
    await consumer.client.close()
    expect(producer.failures.size).toBe(0)
  }, 30_000)

  test('a channel that the producer never registers fails after the timeout, alone', async () => {
    const [producer, consumer] = [await new Peer(50).start(), await new Peer().start()]
    const reader = consumer.consume('known', producer.address)
    consumer.consume('unknown', producer.address)
    const error = await consumer.failure('unknown')
    expect(error.code).toBe('network.unknown-channel')
    expect(error.message).toContain('did not register channel unknown within 50 ms')
    expect(consumer.failures.get('known')?.code).toBe('network.unknown-channel')
    expect(reader.ready()).toBe(false)
    const late = producer.produce('late')
    const lateReader = consumer.consume('late', producer.address)
    late.write(1)
    late.flush()
    await until(consumer.bell, () => lateReader.poll(1, ignore) > 0)
  }, 30_000)

  test('a producer that falls silent without ending its connection is lost after the heartbeat timeout', async () => {
    const heartbeat = { intervalMs: 20, timeoutMs: 200 }
    const consumer = await new Peer(30_000, { heartbeat }).start()
    // Greets, and never says anything again.
    const silent = createServer(socket => {
      socket.on('error', () => {}).resume()
      socket.write(controlFrame(FRAME.hello, MAGIC, VERSION))
      closing.push(() => socket.destroy())
    })
    closing.push(() => silent.close())
    silent.listen(0, '127.0.0.1')
    await once(silent, 'listening')
    consumer.consume('channel', `127.0.0.1:${(silent.address() as AddressInfo).port}`)
    const error = await consumer.failure('channel')
    expect(error.code).toBe('network.connection-lost')
    expect(error.message).toMatch(/nothing was heard from it for \d+ ms/)
  }, 30_000)

  test('an idle connection between live processes is kept by probes', async () => {
    const heartbeat = { intervalMs: 20, timeoutMs: 200 }
    const [producer, consumer] = [
      await new Peer(30_000, { heartbeat }).start(),
      await new Peer(30_000, { heartbeat }).start(),
    ]
    const reader = consumer.consume('channel', producer.address)
    const writer = producer.produce('channel')
    await new Promise(resolve => setTimeout(resolve, 600))
    expect([...consumer.failures, ...producer.failures]).toEqual([])
    writer.write({ n: 1 })
    writer.flush()
    await until(consumer.bell, () => reader.poll(1, ignore) > 0)
  }, 30_000)

  test('who shows another token or none is told so, who shows the same is let in', async () => {
    const authToken = 'a token of the cluster'
    const producer = await new Peer(30_000, { authToken }).start()
    const writer = producer.produce('channel')
    for (const wrong of ['another token here', undefined]) {
      const stranger = await new Peer(30_000, { authToken: wrong }).start()
      stranger.consume('channel', producer.address)
      const error = await stranger.failure('channel')
      expect(error.code).toBe('network.connection-lost')
      expect(error.message).toContain(`shows ${wrong === undefined ? 'no' : 'another'} token`)
      expect(error.message).toContain('security.auth.token-file')
    }
    const consumer = await new Peer(30_000, { authToken }).start()
    const reader = consumer.consume('channel', producer.address)
    writer.write({ n: 1 })
    writer.flush()
    await until(consumer.bell, () => reader.poll(1, ignore) > 0)
    expect([...producer.failures]).toEqual([])
  }, 30_000)

  test('a port in use is an error that names it', async () => {
    const first = await new Peer().start()
    const second = new Peer()
    const port = Number(first.address.split(':')[1])
    await expect(second.client.start({ port })).rejects.toMatchObject({
      code: 'network.bind-failed',
      data: { port },
    })
  })
})

describe('the data protocol', () => {
  const hello = (version = VERSION) => controlFrame(FRAME.hello, MAGIC, version)
  const open = (number: number, capacity: number, id: string) =>
    controlFrame(FRAME.open, number, capacity, Buffer.concat([Buffer.alloc(4), Buffer.from(id)]))

  async function connectTo(address: string): Promise<{ socket: Socket; received: () => number }> {
    const socket = connect(Number(address.split(':')[1]), '127.0.0.1')
    closing.push(() => socket.destroy())
    let bytes = 0
    socket.on('data', chunk => {
      bytes += chunk.length
    })
    socket.on('error', () => {})
    await once(socket, 'connect')
    return { socket, received: () => bytes }
  }

  test.each([
    ['no greeting', [Buffer.from('GET / HTTP/1.1\r\n\r\n')]],
    ['another version', [hello(VERSION + 1)]],
    ['an unknown type', [hello(), controlFrame(99, 0, 0)]],
    ['data from the consumer', [hello(), controlFrame(FRAME.data, 0, 0)]],
    [
      'a huge frame',
      [
        hello(),
        (() => {
          const b = Buffer.alloc(HEADER_BYTES)
          writeHeader(b, 0, { length: 2 ** 31, type: FRAME.open, kind: 0, channel: 0, value: 0 })
          return b
        })(),
      ],
    ],
    ['a ring of no power of two', [hello(), open(0, 1000, 'x')]],
    ['an open without an id', [hello(), controlFrame(FRAME.open, 0, 1024)]],
  ])(
    '%s ends the connection, not the process',
    async (_, frames) => {
      const producer = await new Peer().start()
      const { socket } = await connectTo(producer.address)
      const closed = once(socket, 'close')
      for (const frame of frames) socket.write(frame)
      await closed
      const consumer = await new Peer().start()
      const reader = consumer.consume('a', producer.address)
      const writer = producer.produce('a')
      writer.write(1)
      writer.flush()
      await until(consumer.bell, () => reader.poll(1, ignore) > 0)
    },
    20_000,
  )

  test('without credit no more is sent than the ring holds; credit for what was not sent ends the connection', async () => {
    const producer = await new Peer().start()
    const writer = producer.produce('a', 16_384)
    let n = 0
    const fill = () => {
      while (writer.available()) writer.write({ n: n++ })
      writer.flush()
    }
    const { socket, received } = await connectTo(producer.address)
    socket.write(Buffer.concat([hello(), open(0, 4096, 'a')]))
    fill()
    // The producer's ring runs full again once the consumer's share of 4096 bytes was taken out.
    const turns = async (target: number) => {
      while (received() < target) {
        fill()
        await once(socket, 'data')
      }
    }
    await turns(2048)
    const probe = await connectTo(producer.address)
    probe.socket.write(Buffer.concat([hello(), open(0, 4096, 'b')]))
    const other = producer.produce('b')
    other.write(1)
    other.flush()
    while (probe.received() <= HEADER_BYTES) await once(probe.socket, 'data')
    expect(received()).toBeLessThanOrEqual(4096 + 20 * HEADER_BYTES)
    const closed = once(socket, 'close')
    socket.write(controlFrame(FRAME.credit, 0, 1_000_000))
    await closed
    expect((await producer.failure('a')).message).toContain('credit for')
  }, 20_000)

  test.each([
    [
      'data beyond the credit',
      'without credit',
      (socket: Socket) => {
        const frame = Buffer.alloc(HEADER_BYTES + 40)
        writeHeader(frame, 0, { length: 40, type: FRAME.data, kind: 1, channel: 0, value: 0 })
        for (let i = 0; i < 100; i++) socket.write(frame)
      },
    ],
    [
      'data for no channel',
      'never opened',
      (socket: Socket) => {
        const frame = Buffer.alloc(HEADER_BYTES)
        writeHeader(frame, 0, { length: 0, type: FRAME.data, kind: 1, channel: 7, value: 0 })
        socket.write(frame)
      },
    ],
    [
      'an error that is none',
      'no error',
      (socket: Socket) => void socket.write(controlFrame(FRAME.error, 0, 0, Buffer.from('x'))),
    ],
    ['an end in the middle', 'closed by the peer', (socket: Socket) => void socket.end()],
  ])(
    '%s fails the channel',
    async (_, reason, answer) => {
      const server = createServer(socket => {
        socket.on('error', () => {})
        socket.write(hello())
        // After OPEN, so that the channel is known.
        socket.once('data', () => answer(socket))
      })
      closing.push(() => server.close())
      await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
      const consumer = await new Peer().start()
      consumer.consume('a', `127.0.0.1:${(server.address() as AddressInfo).port}`, 1024)
      const error = await consumer.failure('a')
      expect(error.code).toBe('network.connection-lost')
      expect(error.message).toContain(reason)
    },
    20_000,
  )
})
