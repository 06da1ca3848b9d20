import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { Doorbell } from './doorbell.ts'
import { RingConsumer } from './ring-consumer.ts'
import { allocateRing, frameSpan, HEAD, maxPayload, ringCapacity, TAIL } from './ring-layout.ts'
import { RingProducer } from './ring-producer.ts'

describe('ring', () => {
  test('frames come out as they went in, whatever the sizes, wraps and counters', () => {
    const step = fc.oneof(
      fc.record({ put: fc.integer({ min: 0, max: 248 }), less: fc.integer({ min: 0, max: 20 }) }),
      fc.constant({ take: true }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), fc.integer(), (steps, start) => {
        const ring = allocateRing(1024)
        // Counters wrap at 2^32: begin anywhere.
        const words = new Int32Array(ring)
        words[HEAD] = words[TAIL] = start & ~7
        const producer = new RingProducer(ring)
        const consumer = new RingConsumer(ring)
        const expected: Buffer[] = []
        let serial = 0
        const take = () => {
          const frame = expected.shift()
          if (frame === undefined) {
            expect(consumer.peek()).toBe(0)
            return
          }
          expect(consumer.peek()).toBe(((frame.length + (frame[0] ?? 0)) % 4) + 1)
          expect(
            consumer.buffer.subarray(consumer.offset, consumer.offset + consumer.length).equals(frame),
          ).toBe(true)
          consumer.release()
        }
        for (const one of steps) {
          if ('take' in one) {
            take()
            continue
          }
          const offset = producer.reserve(one.put)
          if (offset < 0) {
            expect(expected.length).toBeGreaterThan(0)
            continue
          }
          expect(offset % 8).toBe(0)
          const frame = Buffer.alloc(Math.max(0, one.put - one.less), serial++)
          frame.copy(producer.buffer, offset)
          const wasEmpty = producer.commit(frame.length, ((frame.length + (frame[0] ?? 0)) % 4) + 1)
          expect(wasEmpty).toBe(expected.length === 0)
          expected.push(frame)
        }
        while (expected.length > 0) take()
        expect(producer.hasRoom(maxPayload(1024))).toBe(true)
      }),
      { numRuns: 500 },
    )
  })

  test('half a ring of room takes any frame, wherever the head is', () => {
    for (let head = 0; head < 1024; head += 8) {
      expect(frameSpan(head, 1024, maxPayload(1024))).toBeLessThanOrEqual(512)
    }
    expect(ringCapacity(allocateRing(1000))).toBe(1024)
    expect(ringCapacity(allocateRing(1))).toBe(1024)
  })

  test('the producer is woken once, when half of the ring is free', () => {
    const ring = allocateRing(1024)
    const producer = new RingProducer(ring)
    const consumer = new RingConsumer(ring)
    while (producer.reserve(24) >= 0) producer.commit(24, 1)
    producer.awaitRoom()
    const woken: boolean[] = []
    while (consumer.peek() !== 0) woken.push(consumer.release())
    expect(woken.filter(Boolean).length).toBe(1)
    expect(woken.indexOf(true)).toBe(woken.length / 2 - 1)
  })
})

describe('doorbell', () => {
  test('a ring between ticket and wait is not lost', async () => {
    const memory = Doorbell.allocate()
    const [owner, other] = [new Doorbell(memory), new Doorbell(memory)]
    const ticket = owner.ticket()
    other.ring()
    expect(owner.wait(ticket)).toBeUndefined()
    const wait = owner.wait(owner.ticket())
    other.ring()
    expect(await wait).toBe('ok')
    expect(await owner.wait(owner.ticket(), 1)).toBe('timed-out')
  })

  test('one million frames between two threads arrive whole and in order', async () => {
    const frames = 1_000_000
    const [ring, producerBell, consumerBell] = [allocateRing(1024), Doorbell.allocate(), Doorbell.allocate()]
    const worker = new Worker(new URL('./testdata/hammer-thread.mjs', import.meta.url), {
      workerData: { ring, producerBell, consumerBell, frames },
      execArgv: ['--conditions=@flink-ts/source'],
    })
    const failed = new Promise<never>((_, reject) => worker.once('error', reject))
    const consume = async () => {
      const consumer = new RingConsumer(ring)
      const [own, other] = [new Doorbell(consumerBell), new Doorbell(producerBell)]
      let state = 1
      for (let i = 0; i < frames; i++) {
        for (;;) {
          const ticket = own.ticket()
          if (consumer.peek() !== 0) break
          await own.wait(ticket)
        }
        state = (Math.imul(state, 1664525) + 1013904223) | 0
        const size = (state >>> 16) % 40
        if (consumer.length !== size || consumer.peek() !== (state & 3) + 1)
          throw new Error(`frame ${i} is another one`)
        for (let k = 0; k < size; k++) {
          if (consumer.buffer[consumer.offset + k] !== ((state + k) & 255))
            throw new Error(`frame ${i} is damaged`)
        }
        if (consumer.release()) other.ring()
      }
      return consumer.peek()
    }
    try {
      expect(await Promise.race([consume(), failed])).toBe(0)
    } finally {
      await worker.terminate()
    }
  }, 60_000)
})
