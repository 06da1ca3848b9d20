import { nullLogger } from '@flink-ts/common'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { MAX_WATERMARK } from '../contract/stream-operator.ts'
import { type HarnessOptions, OperatorHarness } from '../harness/operator-harness.ts'
import { PrintSink, type WriteOutput } from '../sink/print-sink.ts'
import type { Sink, SinkWriterContext } from '../sink/sink.ts'
import { CollectionSource } from '../source/collection-source.ts'
import { DataGeneratorSource } from '../source/data-generator-source.ts'
import { NumberSequenceSource } from '../source/number-sequence-source.ts'
import type { Source } from '../source/source.ts'
import { WatermarkStrategy } from '../watermark/watermark-strategy.ts'
import { sinkOperator } from './sink-operator.ts'
import { sourceOperator } from './source-operator.ts'
import { timestampsAndWatermarksOperator } from './timestamps-and-watermarks-operator.ts'

const open = <T>(source: Source<T, never>, strategy: WatermarkStrategy<T>, options: HarnessOptions = {}) =>
  new OperatorHarness(sourceOperator(source, strategy), options).open()

describe('sources', () => {
  const sources: [string, Source<number, never>][] = [
    ['collection', new CollectionSource([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]) as never],
    ['sequence', new NumberSequenceSource(0, 9) as never],
    ['generator', new DataGeneratorSource({ generator: i => i, count: 10 }) as never],
  ]
  test.each(sources)(
    '%s: each record once at any parallelism, with restores at random points',
    async (_name, source) => {
      await fc.assert(
        fc.asyncProperty(
          fc.integer({ min: 1, max: 4 }),
          fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 }),
          async (parallelism, polls) => {
            const all: unknown[] = []
            for (let subtaskIndex = 0; subtaskIndex < parallelism; subtaskIndex++) {
              const where = { subtaskIndex, parallelism }
              let harness = await open(source, WatermarkStrategy.noWatermarks(), where)
              for (const max of polls) {
                if (max > 0) harness.operator.source?.emit(max)
                all.push(...harness.emitted.splice(0).map(emitted => emitted.value))
                const restored = await harness.snapshot(1)
                // Lost: emitted after the snapshot.
                harness.operator.source?.emit(2)
                harness = await open(source, WatermarkStrategy.noWatermarks(), { ...where, restored })
              }
              while (harness.operator.source?.emit(3) !== 'end') {
                // until all is read
              }
              all.push(...harness.values())
              expect(harness.watermarks).toEqual([MAX_WATERMARK])
            }
            expect(all.sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
          },
        ),
        { numRuns: 60 },
      )
    },
  )

  test('a restore with no splits reads nothing; a source that is new in the snapshot reads all', async () => {
    const source = new CollectionSource(['a'])
    const first = await open(source as never, WatermarkStrategy.noWatermarks())
    first.operator.source?.emit(10)
    const done = await open(source as never, WatermarkStrategy.noWatermarks(), {
      restored: await first.snapshot(1),
    })
    expect(done.operator.source?.emit(10)).toBe('end')
    expect(done.values()).toEqual([])
    const restored = { checkpointId: 1, keyed: { states: [], timers: [] }, operator: {} }
    const added = await open(source as never, WatermarkStrategy.noWatermarks(), { restored })
    added.operator.source?.emit(10)
    expect(added.values()).toEqual(['a'])
  })

  test('timestamps and periodic watermarks: highest - out-of-orderness - 1', async () => {
    const strategy = WatermarkStrategy.forBoundedOutOfOrderness<number>(5).withTimestampAssigner(n => n * 10)
    const harness = await open(new CollectionSource([3, 1, 4]) as never, strategy)
    harness.operator.source?.emit(2)
    expect(harness.emitted.map(emitted => emitted.timestamp)).toEqual([30, 10])
    expect(harness.timestamp[0]).toBeNaN()
    harness.clock.advance(200)
    expect(harness.watermarks).toEqual([24])
    harness.operator.source?.emit(2)
    expect(harness.watermarks).toEqual([24, MAX_WATERMARK])
    harness.clock.advance(1000)
    expect(harness.watermarks.length).toBe(2)
  })

  test('idleness is told once and ends with a record', async () => {
    const strategy = WatermarkStrategy.forMonotonousTimestamps<number>()
      .withTimestampAssigner(n => n)
      .withIdleness('1 s')
    const harness = await open(new CollectionSource([1, 2]) as never, strategy)
    harness.operator.source?.emit(1)
    harness.clock.advance(3000)
    expect(harness.idleCalls).toBe(1)
  })

  test.each<[unknown, RegExp]>([
    [new Date(5), /returned 1970-01-01.*date\.getTime\(\)/],
    [undefined, /returned undefined/],
    [Number.NaN, /returned NaN/],
  ])('a timestamp %s is refused', async (timestamp, message) => {
    const strategy = WatermarkStrategy.noWatermarks<number>().withTimestampAssigner(() => timestamp as number)
    const harness = await open(new CollectionSource([1]) as never, strategy)
    expect(() => harness.operator.source?.emit(1)).toThrow(message)
  })

  test('a rate is kept, and the reader wakes itself', async () => {
    const source = new DataGeneratorSource({ generator: i => i, ratePerSecond: 200 })
    const harness = await open(source as never, WatermarkStrategy.noWatermarks())
    const begin = performance.now()
    while (harness.emitted.length < 40 && performance.now() - begin < 5000) {
      const answer = harness.operator.source?.emit(100)
      if (answer !== 'wait') continue
      const woken = harness.wakeCalls
      await expect.poll(() => harness.wakeCalls, { interval: 1, timeout: 2000 }).toBeGreaterThan(woken)
    }
    expect(harness.emitted.length).toBeGreaterThanOrEqual(40)
    expect(performance.now() - begin).toBeGreaterThan(195)
    await harness.operator.close?.()
  })
})

test('assigned timestamps and watermarks replace those of the stream, but for the last watermark', async () => {
  const strategy = WatermarkStrategy.forMonotonousTimestamps<{ at: number }>().withTimestampAssigner(
    value => value.at,
  )
  const harness = await new OperatorHarness(timestampsAndWatermarksOperator(strategy)).open()
  harness.push({ at: 100 }, 5)
  harness.push({ at: 90 }, 6)
  expect(harness.emitted.map(emitted => emitted.timestamp)).toEqual([100, 90])
  harness.step(1000)
  expect(harness.watermarks).toEqual([])
  harness.clock.advance(200)
  harness.step(MAX_WATERMARK)
  expect(harness.watermarks).toEqual([99, MAX_WATERMARK])
})

describe('sink', () => {
  /** Commits into `committed`; a committable is what was written since the last. */
  const transactional = (
    committed: Set<string>,
    failCommit = () => false,
  ): Sink<string, string[], string> => ({
    kind: 'test',
    createWriter: (_context, restored) => {
      const open: string[] = []
      let writes = restored.length
      return {
        write: value => {
          open.push(value)
          writes++
        },
        flush: () => undefined,
        prepareCommit: () => (open.length === 0 ? [] : [open.splice(0)]),
        snapshotState: () => Array.from({ length: writes }, () => 'w'),
      }
    },
    createCommitter: () => ({
      commit: async committables => {
        if (failCommit()) throw new Error('store is down')
        for (const values of committables) for (const value of values) committed.add(value)
      },
    }),
  })

  test('says which files wait for which checkpoint, until they are committed', async () => {
    const sink = {
      ...transactional(new Set()),
      filesOf: (values: string[]) => values.map(value => `file:/${value}`),
    }
    const harness = await new OperatorHarness(sinkOperator(sink as never)).open()
    harness.push('a')
    harness.push('b')
    await harness.snapshot(1)
    harness.push('c')
    await harness.snapshot(2)
    expect([...harness.files]).toEqual([
      ['file:/a', 1],
      ['file:/b', 1],
      ['file:/c', 2],
    ])
    await harness.operator.notifyCheckpointComplete?.(1)
    expect([...harness.files]).toEqual([['file:/c', 2]])
  })

  test('commits what completed checkpoints cover, and nothing else', async () => {
    const committed = new Set<string>()
    const harness = await new OperatorHarness(sinkOperator(transactional(committed) as never)).open()
    harness.push('a')
    await harness.snapshot(1)
    harness.push('b')
    const restored = await harness.snapshot(2)
    harness.push('c')
    expect(committed).toEqual(new Set())
    await harness.operator.notifyCheckpointComplete?.(1)
    expect(committed).toEqual(new Set(['a']))
    // The failure comes before the notification of checkpoint 2: the restored attempt commits.
    const again = await new OperatorHarness(sinkOperator(transactional(committed) as never), {
      restored,
    }).open()
    expect(committed).toEqual(new Set(['a', 'b']))
    again.push('c')
    await again.snapshot(3)
    await again.operator.notifyCheckpointAborted?.(3)
    await again.operator.endInput?.(0)
    await again.snapshot(4)
    await again.operator.notifyCheckpointComplete?.(4)
    await again.operator.finish?.()
    expect(committed).toEqual(new Set(['a', 'b', 'c']))
  })

  test('exactly once under random checkpoints, notifications and failures', async () => {
    const step = fc.constantFrom('write', 'write', 'checkpoint', 'complete', 'crash')
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async steps => {
        const committed = new Set<string>()
        let harness = await new OperatorHarness(sinkOperator(transactional(committed) as never)).open()
        let next = 0
        let checkpoint = 0
        let taken: { at: number; snapshot: Awaited<ReturnType<typeof harness.snapshot>> } | undefined
        let completed = taken
        for (const each of [...steps, 'end']) {
          if (each === 'write') harness.push(`r${next++}`)
          if (each === 'checkpoint') taken = { at: next, snapshot: await harness.snapshot(++checkpoint) }
          if (each === 'complete' && taken !== undefined && taken !== completed) {
            completed = taken
            await harness.operator.notifyCheckpointComplete?.(taken.snapshot.checkpointId)
          }
          if (each === 'crash') {
            next = completed?.at ?? 0
            taken = completed
            const restored = completed === undefined ? {} : { restored: completed.snapshot }
            harness = await new OperatorHarness(
              sinkOperator(transactional(committed) as never),
              restored,
            ).open()
          }
          const covered = completed?.at ?? 0
          expect(committed.size).toBe(covered)
        }
        await harness.operator.endInput?.(0)
        await harness.snapshot(++checkpoint)
        await harness.operator.notifyCheckpointComplete?.(checkpoint)
        await harness.operator.finish?.()
        expect(committed).toEqual(new Set(Array.from({ length: next }, (_, i) => `r${i}`)))
      }),
      { numRuns: 100 },
    )
  })

  test('a commit that fails fails the task, and what it covers stays in state', async () => {
    const committed = new Set<string>()
    let down = true
    const sink = transactional(committed, () => down)
    const harness = await new OperatorHarness(sinkOperator(sink as never)).open()
    harness.push('a')
    const restored = await harness.snapshot(1)
    await expect(harness.operator.notifyCheckpointComplete?.(1)).rejects.toThrow('store is down')
    down = false
    await new OperatorHarness(sinkOperator(sink as never), { restored }).open()
    expect(committed).toEqual(new Set(['a']))
  })

  test('without checkpointing everything is committed at the end', async () => {
    const committed = new Set<string>()
    const factory = sinkOperator(transactional(committed) as never)
    const harness = await new OperatorHarness(factory, { checkpointingEnabled: false }).open()
    harness.push('a')
    await harness.operator.endInput?.(0)
    expect(committed.size).toBe(0)
    await harness.operator.finish?.()
    expect(committed).toEqual(new Set(['a']))
  })
})

describe('print', () => {
  const context = (rest: Partial<SinkWriterContext> = {}): SinkWriterContext & { available: boolean } => {
    const made = {
      jobId: 'j',
      subtaskIndex: 1,
      parallelism: 3,
      attemptNumber: 0,
      restoredCheckpointId: undefined,
      logger: nullLogger,
      files: { made: () => {}, gone: () => {} },
      available: true,
      setAvailable: (available: boolean) => {
        made.available = available
      },
      fail: (error: unknown) => {
        throw error
      },
      ...rest,
    }
    return made
  }
  const full = (): never => {
    throw Object.assign(new Error('full'), { code: 'EAGAIN' })
  }

  test('prefixes, values in one line each, and part writes', async () => {
    const chunks: Buffer[] = []
    const write: WriteOutput = bytes => {
      const part = Buffer.from(bytes.subarray(0, 7))
      chunks.push(part)
      return part.length
    }
    const writer = new PrintSink<unknown>(undefined, write).createWriter(context())
    writer.write('zürich', 0)
    writer.write({ a: 1, at: new Date(0), nested: { deep: [1, 2] } }, 0)
    await writer.flush(false)
    const named = new PrintSink<unknown>('out', write).createWriter(context())
    named.write(1, 0)
    await named.flush(true)
    const alone = new PrintSink<unknown>('out', write).createWriter(
      context({ parallelism: 1, subtaskIndex: 0 }),
    )
    alone.write(2, 0)
    await alone.flush(true)
    expect(Buffer.concat(chunks).toString()).toBe(
      '2> zürich\n2> { a: 1, at: 1970-01-01T00:00:00.000Z, nested: { deep: [ 1, 2 ] } }\nout:2> 1\nout> 2\n',
    )
  })

  test('a full output takes the operator out of schedule until it takes more', async () => {
    let blocked = true
    let printed = ''
    const write: WriteOutput = bytes => {
      if (blocked) full()
      printed += Buffer.from(bytes).toString()
      return bytes.length
    }
    const surroundings = context({ parallelism: 1 })
    const writer = new PrintSink<string>(undefined, write).createWriter(surroundings)
    writer.write('x'.repeat(40_000), 0)
    expect(surroundings.available).toBe(false)
    writer.write('y', 0)
    const flushed = writer.flush(true)
    blocked = false
    await flushed
    expect(surroundings.available).toBe(true)
    expect(printed).toBe(`${'x'.repeat(40_000)}\ny\n`)
  })

  test('an output that is gone is an error of the task', async () => {
    const write: WriteOutput = () => {
      throw Object.assign(new Error('write EPIPE'), { code: 'EPIPE' })
    }
    const harness = await new OperatorHarness(
      sinkOperator(new PrintSink<string>(undefined, write) as never),
    ).open()
    expect(() => harness.push('x'.repeat(40_000))).toThrow(/Cannot write to standard output: write EPIPE/)
    await harness.operator.close?.()
  })
})
