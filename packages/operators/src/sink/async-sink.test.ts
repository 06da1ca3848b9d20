import { nullLogger, SeededRandom } from '@flink-ts/common'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { sinkOperator } from '../builtin/sink-operator.ts'
import { OperatorHarness } from '../harness/operator-harness.ts'
import { AsyncSink, type AsyncSinkOptions } from './async-sink.ts'
import type { SinkWriter } from './sink.ts'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

interface Request {
  readonly entries: readonly string[]
  succeed(again?: readonly string[]): Promise<void>
  fail(error: Error): Promise<void>
}

/** A service that answers when the test says so. */
class Letters extends AsyncSink<string, string> {
  readonly open: Request[] = []
  readonly sent: (readonly string[])[] = []

  toEntry(value: string): string {
    return value.toUpperCase()
  }

  submitRequestEntries(entries: readonly string[]): Promise<readonly string[]> {
    this.sent.push(entries)
    return new Promise((resolve, reject) => {
      const settle = async (settled: () => void): Promise<void> => {
        this.open.splice(this.open.indexOf(request), 1)
        settled()
        await vi.advanceTimersByTimeAsync(0)
      }
      const request: Request = {
        entries,
        succeed: (again = []) => settle(() => resolve(again)),
        fail: error => settle(() => reject(error)),
      }
      this.open.push(request)
    })
  }

  override isFatal(error: unknown): boolean {
    return error instanceof TypeError
  }

  override sizeOfEntry(entry: string): number {
    return entry.length
  }
}

function world(options: AsyncSinkOptions, restored: readonly string[] = []) {
  const sink = new Letters(options)
  const available: boolean[] = []
  const failures: unknown[] = []
  const writer: SinkWriter<string, never, string> = sink.createWriter(
    {
      jobId: 'job',
      subtaskIndex: 0,
      parallelism: 1,
      attemptNumber: 0,
      restoredCheckpointId: undefined,
      files: { made: () => {}, gone: () => {} },
      setAvailable: value => available.push(value),
      fail: error => failures.push(error),
      logger: nullLogger,
    },
    restored,
  )
  const write = (...values: string[]): void => {
    for (const value of values) writer.write(value, 0)
  }
  return { sink, writer, write, available, failures }
}

describe('AsyncSink', () => {
  it('lets a task end while its requests hang', async () => {
    const sink = new Letters({ maxBatchSize: 1 })
    const harness = await new OperatorHarness(sinkOperator<string>(sink as never)).open()
    harness.push('a')
    const ending = Promise.resolve(harness.operator.endInput?.(0))
    ending.catch(() => {})
    await vi.advanceTimersByTimeAsync(60_000)
    expect(sink.open).toHaveLength(1)
    harness.operator.cancel?.()
    await expect(ending).rejects.toThrow(/before its entries had arrived/)
    await harness.operator.close?.()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('sends full requests at once, others after a while, some at a time', async () => {
    const { sink, write } = world({ maxBatchSize: 2, maxInFlightRequests: 2, maxTimeInBuffer: 100 })
    write('a')
    expect(sink.sent).toEqual([])
    write('b', 'c', 'd', 'e', 'f')
    expect(sink.sent).toEqual([
      ['A', 'B'],
      ['C', 'D'],
    ])
    await sink.open[0]!.succeed()
    expect(sink.sent[2]).toEqual(['E', 'F'])
    write('g')
    await sink.open[0]!.succeed()
    await vi.advanceTimersByTimeAsync(100)
    expect(sink.sent[3]).toEqual(['G'])
  })

  it('limits requests by size, but sends what is too large alone', () => {
    const { sink, write } = world({ maxBatchSize: 3, maxBatchSizeBytes: 4 })
    write('aa', 'bb', 'c', 'dddddddd', 'e')
    expect(sink.sent).toEqual([['AA', 'BB'], ['C']])
    write('f', 'g')
    expect(sink.sent.slice(2)).toEqual([['DDDDDDDD'], ['E', 'F', 'G']])
  })

  it('sends what failed again, first and after pauses that grow, with fewer requests at a time', async () => {
    const { sink, write } = world({
      ...{
        maxBatchSize: 2,
        maxInFlightRequests: 2,
        retryDelay: 100,
        maxRetryDelay: 250,
        maxTimeInBuffer: 1000,
      },
    })
    write('a', 'b', 'c', 'd', 'e', 'f')
    await sink.open[1]!.fail(new Error('busy'))
    expect(sink.sent).toHaveLength(2)
    await vi.advanceTimersByTimeAsync(99)
    expect(sink.sent).toHaveLength(2)
    await sink.open[0]!.succeed(['B'])
    // Some went through: the pause begins anew, from the first length.
    await vi.advanceTimersByTimeAsync(100)
    expect(sink.sent.slice(2)).toEqual([['B', 'C']])
    await sink.open[0]!.fail(new Error('busy'))
    await vi.advanceTimersByTimeAsync(199)
    expect(sink.open).toHaveLength(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(sink.open).toHaveLength(1)
    await sink.open[0]!.succeed()
    expect(sink.sent.slice(4)).toEqual([['D', 'E'], ['F']])
  })

  it('takes no more records than may wait, and again when there is room', async () => {
    const { sink, write, available } = world({
      maxBatchSize: 2,
      maxInFlightRequests: 1,
      maxBufferedEntries: 4,
    })
    write('a', 'b', 'c')
    expect(available).toEqual([])
    write('d')
    expect(available).toEqual([false])
    await sink.open[0]!.succeed()
    expect(available).toEqual([false, true])
  })

  it('a checkpoint waits for what is on its way, and holds what is not', async () => {
    const { sink, writer, write } = world({ maxBatchSize: 2, maxInFlightRequests: 1, maxTimeInBuffer: 50 })
    write('a', 'b', 'c', 'd', 'e')
    let flushed = false
    const flush = Promise.resolve(writer.flush(false)).then(() => {
      flushed = true
    })
    await vi.advanceTimersByTimeAsync(1000)
    expect(flushed).toBe(false)
    await sink.open[0]!.succeed(['B'])
    await flush
    // Nothing may be sent between the two.
    await vi.advanceTimersByTimeAsync(1000)
    expect(sink.sent).toHaveLength(1)
    expect(await writer.snapshotState?.(1)).toEqual(['B', 'C', 'D', 'E'])
    await vi.advanceTimersByTimeAsync(1000)
    expect(sink.sent[1]).toEqual(['B', 'C'])
    const restored = world({ maxBatchSize: 10, maxTimeInBuffer: 50 }, ['B', 'C', 'D', 'E'])
    await vi.advanceTimersByTimeAsync(50)
    expect(restored.sink.sent).toEqual([['B', 'C', 'D', 'E']])
  })

  it('the end waits for everything', async () => {
    const { sink, writer, write } = world({ maxBatchSize: 10 })
    write('a')
    const flush = Promise.resolve(writer.flush(true))
    expect(sink.sent).toEqual([['A']])
    await sink.open[0]!.fail(new Error('busy'))
    await vi.advanceTimersByTimeAsync(100)
    await sink.open[0]!.succeed()
    await flush
  })

  it('fails after too many failures in a row, or at once if another try is in vain', async () => {
    const first = world({ maxBatchSize: 1, maxRetries: 1, retryDelay: 1 })
    first.write('a')
    await first.sink.open[0]!.fail(new Error('gone'))
    await vi.advanceTimersByTimeAsync(1)
    expect(first.failures).toEqual([])
    await first.sink.open[0]!.fail(new Error('gone'))
    expect(first.failures).toMatchObject([
      { code: 'operators.async-sink-failed', message: expect.stringContaining('2 times in a row: gone') },
    ])
    expect(() => first.writer.flush(false)).toThrowError(/gone/)
    const second = world({ maxBatchSize: 1 })
    second.write('a')
    const flush = Promise.resolve(second.writer.flush(false))
    void second.sink.open[0]!.fail(new TypeError('no such table')) // the flush tells
    await expect(flush).rejects.toThrowError(/no such table/)
  })

  it('loses nothing under random failures, checkpoints and restores', async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = new SeededRandom(seed)
      const arrived = new Set<string>()
      let current = world({ maxBatchSize: 3, maxInFlightRequests: 2, retryDelay: 1, maxRetries: Infinity })
      let snapshot: { readonly next: number; readonly waiting: readonly string[] } = { next: 0, waiting: [] }
      let next = 0
      const serve = async (): Promise<void> => {
        const request = current.sink.open[Math.floor(random.next() * current.sink.open.length)]
        if (request === undefined) return
        const ok = random.next() < 0.6 ? request.entries : request.entries.filter(() => random.next() < 0.5)
        for (const entry of ok) arrived.add(entry)
        await (ok.length === 0
          ? request.fail(new Error('busy'))
          : request.succeed(request.entries.filter(entry => !ok.includes(entry))))
      }
      for (let step = 0; step < 200; step++) {
        const dice = random.next()
        if (dice < 0.5) current.write(`x${next++}`)
        else if (dice < 0.85) await serve()
        else if (dice < 0.9) await vi.advanceTimersByTimeAsync(20)
        else if (dice < 0.97) {
          const { writer } = current
          const flushed = Promise.resolve(writer.flush(false))
          while (current.sink.open.length > 0) await serve()
          await flushed
          snapshot = { next, waiting: (await writer.snapshotState?.(1)) ?? [] }
        } else {
          void current.writer.close?.() // synchronous
          current = world(
            { maxBatchSize: 3, maxInFlightRequests: 2, retryDelay: 1, maxRetries: Infinity },
            snapshot.waiting,
          )
          next = snapshot.next
        }
      }
      let done = false
      const flushed = Promise.resolve(current.writer.flush(true)).then(() => {
        done = true
      })
      while (!done) {
        await serve()
        await vi.advanceTimersByTimeAsync(100)
      }
      await flushed
      expect([...arrived].length, `seed ${seed}`).toBeGreaterThanOrEqual(next)
      for (let i = 0; i < next; i++) expect(arrived.has(`X${i}`), `seed ${seed}, entry ${i}`).toBe(true)
    }
  })

  it('refuses limits that make no sense', () => {
    expect(() => new Letters({ maxBatchSize: 0 })).toThrowError(/maxBatchSize/)
    expect(() => new Letters({ maxRetries: -1 })).toThrowError(/maxRetries/)
  })
})
