import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Doorbell } from '../ring/doorbell.ts'
import { allocateRing } from '../ring/ring-layout.ts'
import type { ChannelEnds, ChannelEvent, ChannelReader, ChannelWriter, OverdraftBudget } from './channel.ts'
import { createChannelReader } from './ring-channel-reader.ts'
import { createChannelWriter } from './ring-channel-writer.ts'

type Received = { record: unknown; timestamp: number } | { event: ChannelEvent }

class Budget implements OverdraftBudget {
  sizeBytes = 0
  maxBytes = Number.POSITIVE_INFINITY

  grow(sizeBytes: number): void {
    if (this.sizeBytes + sizeBytes > this.maxBytes) throw new Error('too much')
    this.sizeBytes += sizeBytes
  }

  shrink(sizeBytes: number): void {
    this.sizeBytes -= sizeBytes
  }
}

class Channel {
  readonly budget = new Budget()
  readonly ends: ChannelEnds
  readonly writer: ChannelWriter
  readonly reader: ChannelReader
  readonly received: Received[] = []
  readonly #out = new Float64Array(1)
  readonly #in = new Float64Array(1)
  #calls = 0

  constructor(capacityBytes: number) {
    this.ends = {
      channelId: 'job/1/edge/0/0',
      ring: allocateRing(capacityBytes),
      producerBell: Doorbell.allocate(),
      consumerBell: Doorbell.allocate(),
    }
    this.writer = createChannelWriter(this.ends, { timestamp: this.#out, overdraft: this.budget })
    this.reader = createChannelReader(this.ends, this.#in)
  }

  write(record: unknown, timestamp = Number.NaN): void {
    this.#out[0] = timestamp
    this.writer.write(record)
  }

  readonly #handler = {
    record: (record: unknown) => {
      this.#calls++
      this.received.push({ record, timestamp: this.#in[0] as number })
    },
    event: (event: ChannelEvent) => {
      this.#calls++
      this.received.push({ event })
    },
  }

  poll(max: number): number {
    const ready = this.reader.ready()
    this.#calls = 0
    const from = this.received.length
    const taken = this.reader.poll(max, this.#handler)
    expect(taken).toBe(this.#calls)
    expect(taken > 0).toBe(ready)
    expect(taken).toBeLessThanOrEqual(max)
    const events = this.received.slice(from).filter(one => 'event' in one)
    if (events.length > 0) expect(taken).toBe(1)
    return taken
  }

  drain(): void {
    do this.writer.flush()
    while (
      // Fragments make room without giving a record.
      this.poll(1000) > 0 ||
      this.writer.overdraftBytes > 0
    )
  }
}

const event: fc.Arbitrary<ChannelEvent> = fc.oneof(
  fc.record({ type: fc.constant('watermark' as const), watermark: fc.maxSafeInteger() }),
  fc.constant({ type: 'idle' as const }),
  fc.constant({ type: 'end-of-data' as const }),
  fc.record({
    type: fc.constant('barrier' as const),
    checkpointId: fc.nat(),
    timestamp: fc.maxSafeInteger(),
    savepoint: fc.oneof(
      fc.constant(false as const),
      fc.record({ folder: fc.webUrl(), suspend: fc.boolean() }),
    ),
  }),
)
const record = fc.oneof(
  { weight: 5, arbitrary: fc.record({ word: fc.string(), n: fc.integer() }) },
  { weight: 1, arbitrary: fc.array(fc.integer(), { maxLength: 5 }) },
  { weight: 1, arbitrary: fc.integer({ min: 100, max: 5000 }).map(n => ({ big: 'x'.repeat(n) })) },
)
const step = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({ record, timestamp: fc.oneof(fc.constant(Number.NaN), fc.integer()) }),
  },
  { weight: 3, arbitrary: fc.record({ event }) },
  { weight: 1, arbitrary: fc.constant({ flush: true }) },
  { weight: 4, arbitrary: fc.record({ poll: fc.integer({ min: 1, max: 30 }) }) },
)

describe('channel over a ring', () => {
  test('records, timestamps and events arrive in order, whatever the ring, polls and overdraft', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 300 }),
        fc.constantFrom(1024, 2048, 4096, 65_536),
        (steps, capacity) => {
          const channel = new Channel(capacity)
          const expected: Received[] = []
          for (const one of steps) {
            if ('record' in one) {
              channel.write(one.record, one.timestamp)
              expected.push(one)
            } else if ('event' in one) {
              channel.writer.event(one.event)
              expected.push(one)
            } else if ('flush' in one) channel.writer.flush()
            else channel.poll(one.poll)
          }
          channel.drain()
          expect(channel.received).toEqual(expected)
          const records = expected.filter(one => 'record' in one).length
          expect([channel.writer.recordsOut, channel.reader.recordsIn]).toEqual([records, records])
          expect(channel.reader.bytesIn).toBe(channel.writer.bytesOut)
          expect([channel.writer.overdraftBytes, channel.budget.sizeBytes]).toEqual([0, 0])
          expect(channel.writer.available()).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('a batch far larger than the ring arrives whole', () => {
    const channel = new Channel(4096)
    const huge = { text: 'é'.repeat(100_000), list: Array.from({ length: 50_000 }, (_, i) => i) }
    channel.write({ n: 1 })
    channel.write(huge, 7)
    channel.writer.event({ type: 'watermark', watermark: 9 })
    expect(channel.writer.overdraftBytes).toBeGreaterThan(200_000)
    expect(channel.writer.available()).toBe(false)
    channel.drain()
    expect(channel.received).toEqual([
      { record: { n: 1 }, timestamp: Number.NaN },
      { record: huge, timestamp: 7 },
      { event: { type: 'watermark', watermark: 9 } },
    ])
  })

  test('nothing is sent before a batch is full, except by flush and events', () => {
    const channel = new Channel(65_536)
    channel.write(1)
    expect(channel.reader.ready()).toBe(false)
    channel.writer.flush()
    expect(channel.poll(10)).toBe(1)
    for (let i = 0; i < 512; i++) channel.write(i)
    expect(channel.poll(1000)).toBe(512)
  })

  test('overdraft is counted, keeps the channel unavailable, and moves as room is made', () => {
    const channel = new Channel(4096)
    let written = 0
    while (channel.writer.available()) channel.write({ n: written++, text: 'some text' })
    expect(channel.writer.overdraftBytes).toBe(0)
    for (let i = 0; i < 1000; i++) channel.write({ n: written++, text: 'some text' })
    channel.writer.flush()
    const overdraft = channel.writer.overdraftBytes
    expect(overdraft).toBeGreaterThan(0)
    expect(channel.writer.available()).toBe(false)
    while (channel.poll(50) > 0);
    channel.writer.flush()
    expect(channel.writer.overdraftBytes).toBeLessThan(overdraft)
    channel.drain()
    expect(channel.received.map(one => ('record' in one ? (one.record as { n: number }).n : -1))).toEqual(
      Array.from({ length: written }, (_, i) => i),
    )
  })

  test('what goes beyond the overdraft budget is refused; events never are', () => {
    const channel = new Channel(4096)
    channel.budget.maxBytes = 10_000
    const fill = (): void => {
      for (let i = 0; i < 10_000; i++) channel.write({ n: i, text: 'some text' })
    }
    expect(fill).toThrowError('too much')
    const held = channel.writer.overdraftBytes
    expect(held).toBe(channel.budget.sizeBytes)
    expect(held).toBeGreaterThan(5000)
    channel.budget.maxBytes = 0
    channel.writer.event({ type: 'idle' })
    expect(channel.writer.overdraftBytes).toBeGreaterThan(held)
    channel.drain()
    expect(channel.budget.sizeBytes).toBe(0)
  })

  test('each side rings the other only when it helps', () => {
    const channel = new Channel(4096)
    const [consumer, producer] = [
      new Doorbell(channel.ends.consumerBell),
      new Doorbell(channel.ends.producerBell),
    ]
    for (let i = 0; i < 5; i++) {
      channel.write({ n: i })
      channel.writer.flush()
    }
    // The ring was empty once only.
    expect(consumer.ticket()).toBe(1)
    while (channel.poll(10) > 0);
    expect(producer.ticket()).toBe(0)
    while (channel.writer.available()) channel.write({ n: 1, text: 'some text' })
    expect(producer.ticket()).toBe(0)
    while (channel.poll(1000) > 0);
    expect(producer.ticket()).toBe(1)
    expect(channel.writer.available()).toBe(true)
  })
})
