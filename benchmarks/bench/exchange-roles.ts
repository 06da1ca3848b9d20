import { once } from 'node:events'
import { createServer, connect as dial, type Socket } from 'node:net'
import { SystemRandom } from '@flink-ts/common'
import {
  type ChannelEnds,
  createChannelReader,
  createChannelWriter,
  createRecordWriter,
  Doorbell,
} from '@flink-ts/network'
import { makeBids } from './bids.ts'
import { BATCH, BATCH_BYTES, ColumnarBids } from './columnar-bids.ts'

/** How a consumer says that half of the records have come: from there to the end is measured. */
export type Half = () => void

const bids = (): ReturnType<typeof makeBids> => makeBids(4096)

function keeper(): (bid: unknown) => void {
  const kept: unknown[] = new Array(256).fill(undefined)
  let at = 0
  return bid => {
    kept[at++ & 255] = bid
  }
}

// The engine's channel, whatever carries it.

export async function produceByEngine(ends: ChannelEnds, count: number): Promise<void> {
  const records = bids()
  const writer = createChannelWriter(ends, { timestamp: new Float64Array([Number.NaN]) })
  const push = createRecordWriter({ type: 'forward' }, [writer], {
    ...{ maxParallelism: 128, subtaskIndex: 0, operator: 'bids', random: new SystemRandom() },
    failed: (_, thrown) => thrown,
  })
  const bell = new Doorbell(ends.producerBell)
  for (let n = 0; n < count; ) {
    const ticket = bell.ticket()
    while (n < count && writer.available())
      for (let i = 0; i < 256 && n < count; i++) push(records[n++ & 4095])
    writer.announce()
    if (n < count) await bell.wait(ticket)
  }
  for (;;) {
    const ticket = bell.ticket()
    writer.flush()
    if (writer.overdraftBytes === 0) return
    await bell.wait(ticket)
  }
}

export async function consumeByEngine(ends: ChannelEnds, count: number, half: Half): Promise<void> {
  const reader = createChannelReader(ends, new Float64Array(1))
  const bell = new Doorbell(ends.consumerBell)
  const keep = keeper()
  let n = 0
  let told = false
  const handler = {
    record: (bid: unknown) => {
      n++
      keep(bid)
    },
    event: () => {},
  }
  while (n < count) {
    const ticket = bell.ticket()
    if (reader.poll(512, handler) === 0) await bell.wait(ticket)
    if (!told && n >= count / 2) {
      told = true
      half()
    }
  }
}

// The yardstick between threads: segments in shared memory, blocking waits, nothing but bids.

const SEGMENTS = 8
const [HEAD, TAIL] = [0, 16]

export interface SegmentRing {
  readonly control: SharedArrayBuffer
  readonly data: SharedArrayBuffer
}

export function allocateSegments(): SegmentRing {
  return { control: new SharedArrayBuffer(128), data: new SharedArrayBuffer(SEGMENTS * BATCH_BYTES) }
}

export function produceBySegments({ control, data }: SegmentRing, count: number): void {
  const records = bids()
  const words = new Int32Array(control)
  const columns = new ColumnarBids(data)
  for (let n = 0, head = 0; n < count; head++) {
    for (;;) {
      const tail = Atomics.load(words, TAIL)
      if (head - tail < SEGMENTS) break
      Atomics.wait(words, TAIL, tail)
    }
    for (let i = 0; i < BATCH; i++) columns.append(records[n++ & 4095] as never)
    columns.finish((head % SEGMENTS) * BATCH_BYTES)
    Atomics.store(words, HEAD, head + 1)
    Atomics.notify(words, HEAD)
  }
}

export function consumeBySegments({ control, data }: SegmentRing, count: number, half: Half): void {
  const words = new Int32Array(control)
  const columns = new ColumnarBids(data)
  const keep = keeper()
  let told = false
  for (let n = 0, tail = 0; n < count; tail++) {
    while (Atomics.load(words, HEAD) === tail) Atomics.wait(words, HEAD, tail)
    n += columns.decode((tail % SEGMENTS) * BATCH_BYTES, keep)
    Atomics.store(words, TAIL, tail + 1)
    Atomics.notify(words, TAIL)
    if (!told && n >= count / 2) {
      told = true
      half()
    }
  }
}

// The yardstick between processes: each thread owns its socket, frames of about 32 KB with a length, credit by frame.

const FRAME_RECORDS = 320
const FRAME_BYTES = 64 * 1024
const CREDIT = 16

/** Serves one consumer; resolves when it has everything. */
export async function produceByTcp(count: number, listening: (port: number) => void): Promise<void> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  listening((server.address() as { port: number }).port)
  const [socket] = (await once(server, 'connection')) as [Socket]
  socket.setNoDelay(true)
  const records = bids()
  // Frames are written while earlier ones are on their way into the socket.
  const frames = Array.from({ length: 4 * CREDIT }, () => {
    const memory = new ArrayBuffer(8 + FRAME_BYTES)
    return { bytes: Buffer.from(memory), columns: new ColumnarBids(memory) }
  })
  let credit = CREDIT
  let sent = 0
  let n = 0
  await new Promise<void>(resolve => {
    const pump = (): void => {
      while (credit > 0 && n < count) {
        const frame = frames[sent++ % frames.length] as (typeof frames)[number]
        for (let i = 0; i < FRAME_RECORDS; i++) frame.columns.append(records[n++ & 4095] as never)
        const length = frame.columns.finish(8)
        frame.bytes.writeUInt32LE(length, 0)
        credit--
        socket.write(frame.bytes.subarray(0, 8 + length))
      }
    }
    socket.on('data', chunk => {
      credit += chunk.length
      pump()
    })
    socket.on('close', () => resolve())
    pump()
  })
  server.close()
}

export async function consumeByTcp(port: number, count: number, half: Half): Promise<void> {
  const memory = new ArrayBuffer(8 + FRAME_BYTES)
  const frame = Buffer.from(memory)
  const columns = new ColumnarBids(memory)
  const keep = keeper()
  let filled = 0
  let n = 0
  let told = false
  const one = Buffer.alloc(1)
  const socket = dial({
    port,
    host: '127.0.0.1',
    onread: {
      buffer: Buffer.alloc(256 * 1024),
      callback: (length, chunk) => {
        for (let at = 0; at < length; ) {
          const wanted = filled < 8 ? 8 : 8 + frame.readUInt32LE(0)
          const part = Math.min(wanted - filled, length - at)
          frame.set(chunk.subarray(at, at + part), filled)
          filled += part
          at += part
          if (filled < 8 || filled < 8 + frame.readUInt32LE(0)) continue
          n += columns.decode(8, keep)
          filled = 0
          socket.write(one)
        }
        if (!told && n >= count / 2) {
          told = true
          half()
        }
        if (n >= count) socket.end()
        return true
      },
    },
  })
  socket.setNoDelay(true)
  await once(socket, 'close')
}
