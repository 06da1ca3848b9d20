import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  assign,
  block,
  everything,
  LIMIT,
  type Partitioning,
  Pipeline,
  type Record,
  seen,
  type Topology,
} from '../testing/pipeline.ts'

const ring = (capacity: number) => ({ partitioning: 'hash' as const, capacity })
const SIMPLE: Topology = { sources: 1, middles: 1, sinks: 1, first: ring(20), second: ring(20) }

describe('unaligned checkpoints', () => {
  test('are complete although an operator takes nothing, which aligned ones would wait for', async () => {
    for (const unaligned of [undefined, { alignedTimeoutMs: 0 }]) {
      const pipeline = new Pipeline(SIMPLE, { unaligned })
      const { harness } = pipeline
      await harness.allRunning()
      await harness.until(() => (pipeline.sinks[0]?.records.length ?? 0) > 20, 'records')
      block(pipeline.sinks, true)
      // Until the rings are full.
      await harness.until(() => harness.ring('middle', 'sink').items.length >= 20, 'back pressure')
      const before = pipeline.sinks[0]!.records.length
      if (unaligned === undefined) {
        pipeline.trigger(1)
        await harness.turns(300)
        expect(pipeline.acknowledged(1).map(({ task }) => task)).not.toContain('sink/0')
      } else {
        const snapshots = await pipeline.checkpoint(1)
        expect(pipeline.sinks[0]!.records.length).toBe(before)
        const { metrics } = pipeline.acknowledged(1).find(({ task }) => task === 'sink/0')!
        expect(metrics).toMatchObject({ unaligned: true })
        expect(metrics.persistedBytes).toBeGreaterThan(100)
        const again = new Pipeline(SIMPLE, { restore: assign(snapshots, SIMPLE)!, checkpoints: 'none' })
        await again.finish()
        expect(seen(again.sinks)).toEqual(everything(1))
        // One channel, one order.
        expect((again.sinks[0]!.records as Record[]).map(({ n }) => n)).toEqual([...Array(LIMIT).keys()])
        expect(again.sinks[0]!.timestamps.every((time, i, all) => i === 0 || time > all[i - 1]!)).toBe(true)
      }
      await harness.stop()
    }
  })

  test('keep the order of a channel when another one is taken before the records of the first are processed', async () => {
    const unaligned = { alignedTimeoutMs: 0 }
    let restore: ReturnType<typeof assign>
    for (const id of [1, 2]) {
      const pipeline = new Pipeline(SIMPLE, { unaligned, blocked: true, ...(restore && { restore }) })
      const { harness } = pipeline
      await harness.allRunning()
      await harness.until(() => harness.ring('middle', 'sink').items.length >= 20, 'back pressure')
      restore = assign(await pipeline.checkpoint(id), SIMPLE)
      await harness.stop()
    }
    const last = new Pipeline(SIMPLE, { restore: restore!, checkpoints: 'none' })
    await last.finish()
    expect((last.sinks[0]!.records as Record[]).map(({ n }) => n)).toEqual([...Array(LIMIT).keys()])
  })

  test('begin aligned, and overtake when the timeout is over', async () => {
    const pipeline = new Pipeline(SIMPLE, { unaligned: { alignedTimeoutMs: 40 } })
    const { harness } = pipeline
    await harness.allRunning()
    await pipeline.checkpoint(1)
    expect(pipeline.acknowledged(1).map(({ metrics }) => metrics.unaligned)).toEqual([false, false, false])
    block(pipeline.sinks, true)
    await harness.until(() => harness.ring('middle', 'sink').items.length >= 20, 'back pressure')
    await pipeline.checkpoint(2)
    const sink = pipeline.acknowledged(2).find(({ task }) => task === 'sink/0')!
    expect(sink.metrics.unaligned).toBe(true)
    expect(sink.metrics.alignmentMs).toBeGreaterThan(38)
    await harness.stop()
  })

  test('that are aborted or overtaken by another leave no trace: nothing is lost, the next one is whole', async () => {
    const pipeline = new Pipeline(SIMPLE, { unaligned: { alignedTimeoutMs: 0 } })
    const { harness } = pipeline
    await harness.allRunning()
    // The sink is told, its producers are not: it captures and waits.
    harness.trigger(1, 'sink')
    await harness.turns(30)
    expect(harness.task('sink').metrics.checkpoint).toEqual({
      checkpointId: 1,
      what: 'the barrier from middle (1/1)',
    })
    for (const task of harness.tasks.values()) task.notifyCheckpointAborted(1)
    harness.trigger(2, 'sink')
    await harness.turns(30)
    const snapshots = await pipeline.checkpoint(3)
    expect(pipeline.acknowledged(2)).toEqual([])
    const again = new Pipeline(SIMPLE, { restore: assign(snapshots, SIMPLE)!, checkpoints: 'none' })
    await again.finish()
    expect(seen(again.sinks)).toEqual(everything(1))
    await harness.stop()
  })

  test('do not stop a producer in the same slot that has to work off what must be aligned', async () => {
    const pipeline = new Pipeline(
      {
        ...{ sources: 2, middles: 1, sinks: 1 },
        first: { partitioning: 'broadcast', capacity: 5 },
        second: { partitioning: 'hash', capacity: undefined },
      },
      { unaligned: { alignedTimeoutMs: 0 } },
    )
    const { harness } = pipeline
    await harness.allRunning()
    await harness.until(() => (pipeline.sinks[0]?.records.length ?? 0) > 10, 'records')
    // The sink keeps the channel closed until the barrier of the middle comes, which waits behind records.
    harness.trigger(1, 'sink')
    await harness.turns(10)
    harness.trigger(1, 'source', 'middle')
    await harness.until(() => pipeline.acknowledged(1).length === 4, 'the checkpoint')
    await harness.stop()
  })

  test.each([0, 5])('let all channels go on afterwards, with a timeout of %i ms', async alignedTimeoutMs => {
    const topology = { sources: 3, middles: 2, sinks: 2, first: ring(5), second: ring(5) }
    const pipeline = new Pipeline(topology, { unaligned: { alignedTimeoutMs } })
    const { harness } = pipeline
    await harness.allRunning()
    // Barriers come on some channels before the announcement, and on others long after.
    const trigger = { checkpointId: 1, timestamp: 0, savepoint: false } as const
    harness.task('source', 1).triggerCheckpoint(trigger)
    await harness.until(() => harness.snapshot('source', 1, 1) !== undefined, 'the first barrier')
    await harness.until(() => harness.task('middle').metrics.checkpoint !== undefined, 'its arrival')
    harness.task('source', 0).triggerCheckpoint(trigger)
    await harness.turns(20)
    harness.task('source', 2).triggerCheckpoint(trigger)
    harness.trigger(1, 'middle', 'sink')
    await harness.until(() => pipeline.acknowledged(1).length === 7, 'the checkpoint')
    await harness.until(() => seen(pipeline.sinks).length === 3 * LIMIT, 'all records')
    expect(seen(pipeline.sinks)).toEqual(everything(3))
    await harness.stop()
  })

  test('with a snapshot that fails decline, and the task goes on', async () => {
    const pipeline = new Pipeline(SIMPLE, { unaligned: { alignedTimeoutMs: 0 }, checkpoints: 'exactly-once' })
    const { harness } = pipeline
    await harness.allRunning()
    const broken = pipeline.sinks[0]!.context!
    const original = broken.operatorState.snapshot.bind(broken.operatorState)
    broken.operatorState.snapshot = () => Promise.reject(new Error('no space'))
    pipeline.trigger(1)
    await harness.until(() => harness.declined.some(({ task }) => task === 'sink/0'), 'decline')
    for (const task of harness.tasks.values()) task.notifyCheckpointAborted(1)
    broken.operatorState.snapshot = original
    await pipeline.checkpoint(2)
    expect(harness.status('sink')).toBe('RUNNING')
    await harness.stop()
  })

  const side = fc.record({
    partitioning: fc.constantFrom<Partitioning>('hash', 'rebalance', 'broadcast'),
    capacity: fc.option(fc.integer({ min: 3, max: 40 }), { nil: undefined }),
  })
  const count = fc.integer({ min: 1, max: 3 })
  const topologies = fc.record({ sources: count, middles: count, sinks: count, first: side, second: side })

  test('hold each record once, whatever the topology, back pressure, channels, and parallelism afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(
        topologies,
        ...([
          count,
          count,
          fc.nat({ max: 60 }),
          fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }),
          fc.boolean(),
          fc.shuffledSubarray(['source', 'middle', 'sink'], { minLength: 3 }),
          fc.nat({ max: 5 }),
          fc.constantFrom(0, 1),
        ] as const),
        async (from, middles, sinks, turns, blocked, whole, order, gap, alignedTimeoutMs) => {
          // Copies of broadcast records are told apart by nothing: at another parallelism there are others.
          const copies = [from.first, from.second].some(({ partitioning }) => partitioning === 'broadcast')
          const to = copies ? from : { ...from, middles, sinks }
          const pipeline = new Pipeline(from, { unaligned: { alignedTimeoutMs } })
          const { harness } = pipeline
          await harness.allRunning()
          // Somebody has to work off what must be aligned.
          const all = copies ? [] : [...pipeline.middles, ...pipeline.sinks]
          for (const [i, operator] of all.entries()) operator.context?.setAvailable(blocked[i] !== true)
          await harness.turns(turns)
          pipeline.control.paused = whole
          const first = await pipeline.checkpoint(1, order, gap)
          pipeline.control.paused = false
          // A second one in the middle of what the first has left.
          const second = await pipeline.checkpoint(2, order, gap)
          for (const operator of all) operator.context?.setAvailable(true)
          for (const snapshots of [first, second]) {
            const again = new Pipeline(to, {
              restore: assign(snapshots, to)!,
              unaligned: { alignedTimeoutMs },
            })
            // At once, with records of the checkpoint not yet processed.
            await again.harness.allRunning()
            const third = await again.checkpoint(3, order, gap)
            await again.harness.stop()
            const last = new Pipeline(to, { restore: assign(third, to)!, checkpoints: 'none' })
            await last.finish()
            const factor = from.second.partitioning === 'broadcast' ? to.sinks : 1
            const inner = from.first.partitioning === 'broadcast' ? to.middles : 1
            const expected = everything(from.sources).flatMap(one => Array<string>(factor * inner).fill(one))
            expect(seen(last.sinks)).toEqual(expected)
          }
          await harness.stop()
        },
      ),
      { numRuns: 30 },
    )
  }, 60_000)
})
