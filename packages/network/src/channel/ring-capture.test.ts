import { createBatchDecoder } from '@flink-ts/serialization'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Doorbell } from '../ring/doorbell.ts'
import { allocateRing } from '../ring/ring-layout.ts'
import type { ChannelEvent } from './channel.ts'
import { createChannelReader } from './ring-channel-reader.ts'
import { createChannelWriter } from './ring-channel-writer.ts'

const BARRIER = 7
const barrier = (checkpointId: number): ChannelEvent => ({
  type: 'barrier',
  checkpointId,
  timestamp: 1,
  savepoint: false,
})

type Item = { record: unknown; timestamp: number } | { event: ChannelEvent }

class Channel {
  readonly handed: Item[] = []
  readonly captured: Item[] = []
  ended: string | undefined
  readonly #out = new Float64Array(1)
  readonly #in = new Float64Array(1)
  readonly writer
  readonly reader

  constructor(capacityBytes: number) {
    const ends = {
      channelId: 'c',
      ring: allocateRing(capacityBytes),
      producerBell: Doorbell.allocate(),
      consumerBell: Doorbell.allocate(),
    }
    this.writer = createChannelWriter(ends, { timestamp: this.#out })
    this.reader = createChannelReader(ends, this.#in)
  }

  write(record: unknown, timestamp: number): void {
    this.#out[0] = timestamp
    this.writer.write(record)
  }

  readonly #handler = {
    record: (record: unknown) => void this.handed.push({ record, timestamp: this.#in[0] as number }),
    event: (event: ChannelEvent) => void this.handed.push({ event }),
  }

  poll(max: number): number {
    return this.reader.poll(max, this.#handler)
  }

  startCapture(): void {
    const register = new Float64Array(1)
    this.reader.startCapture(BARRIER, {
      batch: (bytes, skip) => {
        expect(bytes.byteOffset % 8).toBe(0)
        const decoder = createBatchDecoder()
        const count = decoder.open(bytes as Buffer, 0, bytes.length)
        let at = 0
        decoder.next(count, register, record => {
          if (at++ >= skip) this.captured.push({ record, timestamp: register[0] as number })
        })
      },
      ended: by => {
        expect(this.ended).toBeUndefined()
        this.ended = by
      },
    })
  }

  finish(): void {
    do {
      this.writer.flush()
      this.reader.drain()
    } while (this.poll(1000) > 0 || this.writer.overdraftBytes > 0)
  }
}

const record = fc.oneof(
  { weight: 5, arbitrary: fc.record({ word: fc.string(), n: fc.integer() }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 5000 }).map(n => ({ big: 'x'.repeat(n) })) },
)
const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ record, timestamp: fc.oneof(fc.constant(Number.NaN), fc.integer()) }),
  },
  { weight: 2, arbitrary: fc.constant({ event: { type: 'idle' } as ChannelEvent }) },
  { weight: 1, arbitrary: fc.constant({ event: barrier(BARRIER - 1) }) },
  { weight: 1, arbitrary: fc.constant({ flush: true }) },
  { weight: 4, arbitrary: fc.record({ poll: fc.integer({ min: 0, max: 30 }) }) },
  { weight: 2, arbitrary: fc.constant({ drain: true }) },
)
const steps = fc.array(step, { maxLength: 100 })

function play(channel: Channel, plan: readonly object[], expected: Item[]): void {
  for (const one of plan as readonly Record<string, never>[]) {
    if ('record' in one) {
      channel.write(one.record, one.timestamp as never)
      expected.push(one as never)
    } else if ('event' in one) {
      channel.writer.event(one.event as never)
      expected.push(one as never)
    } else if ('flush' in one) channel.writer.flush()
    else if ('drain' in one) channel.reader.drain()
    else channel.poll(one.poll as never)
  }
}

test('captures exactly what was not handed out before the barrier, and hands it out in order all the same', () => {
  fc.assert(
    fc.property(
      ...[steps, steps, steps, fc.constantFrom(1024, 4096, 65_536), fc.boolean()],
      (before, during, after, capacity, late) => {
        const channel = new Channel(capacity)
        const sent: Item[] = []
        play(channel, before, sent)
        // Late: the barrier is in the channel already, perhaps behind a batch that is half handed out.
        if (!late) channel.startCapture()
        const handedBefore = channel.handed.length
        play(channel, late ? during.filter(one => !('poll' in one)) : during, sent)
        channel.writer.event(barrier(BARRIER))
        const beforeBarrier = sent.length
        if (late) channel.startCapture()
        play(channel, after, sent)
        channel.finish()
        expect(channel.handed).toEqual(sent)
        expect(channel.ended).toBe('barrier')
        const records = sent.slice(handedBefore, beforeBarrier).filter(item => 'record' in item)
        expect(channel.captured).toEqual(records)
      },
    ),
    { numRuns: 300 },
  )
})

test.each([
  ['later-barrier', barrier(BARRIER + 1)],
  ['end-of-partition', { type: 'end-of-partition' } as ChannelEvent],
])('ends without the barrier at a %s, which is handed out in its turn', (by, event) => {
  for (const early of [true, false]) {
    const channel = new Channel(4096)
    if (early) channel.startCapture()
    channel.write('a', 1)
    channel.writer.event(event)
    channel.write('b', 2)
    if (!early) channel.startCapture()
    channel.finish()
    expect(channel.ended).toBe(by)
    expect(channel.captured).toEqual([{ record: 'a', timestamp: 1 }])
    expect(channel.handed).toEqual([{ record: 'a', timestamp: 1 }, { event }, { record: 'b', timestamp: 2 }])
  }
})

test('draining makes room for the producer while records wait', () => {
  const channel = new Channel(1024)
  channel.startCapture()
  let written = 0
  for (; written < 500; written++) {
    channel.write({ n: written, text: 'x'.repeat(20) }, written)
    channel.writer.flush()
    channel.reader.drain()
    expect(channel.writer.overdraftBytes).toBe(0)
  }
  expect(channel.handed).toEqual([])
  channel.writer.event(barrier(BARRIER))
  expect(channel.reader.drain()).toBe(true)
  expect([channel.ended, channel.captured.length]).toEqual(['barrier', 500])
  // From here on the ring holds the producer back again.
  while (channel.writer.available()) channel.write('x'.repeat(100), 0)
  expect(channel.reader.drain()).toBe(false)
})

test('after it was stopped nothing is captured, and nothing is lost', () => {
  const channel = new Channel(4096)
  channel.startCapture()
  channel.write('a', 1)
  channel.writer.flush()
  channel.reader.drain()
  channel.reader.stopCapture()
  channel.write('b', 2)
  channel.writer.event(barrier(BARRIER))
  channel.finish()
  expect(channel.ended).toBeUndefined()
  expect(channel.captured).toEqual([{ record: 'a', timestamp: 1 }])
  expect(channel.handed.length).toBe(3)
})
