import fc from 'fast-check'
import { expect, test } from 'vitest'
import { assign, everything, Pipeline, seen, type Topology } from '../testing/pipeline.ts'

const AT_LEAST_ONCE = { checkpoints: 'at-least-once' } as const

test('nothing is blocked: records behind a barrier are processed while another is awaited', async () => {
  const hash = { partitioning: 'hash', capacity: 20 } as const
  const pipeline = new Pipeline(
    { sources: 2, middles: 1, sinks: 1, first: hash, second: hash },
    AT_LEAST_ONCE,
  )
  const { harness } = pipeline
  await harness.allRunning()
  const trigger = { checkpointId: 1, timestamp: 0, savepoint: false } as const
  harness.task('source', 0).triggerCheckpoint(trigger)
  await harness.until(() => harness.snapshot('source', 1, 0) !== undefined, 'snapshot of one source')
  const behind = (): number =>
    (pipeline.middles[0]!.records as { source: number }[]).filter(({ source }) => source === 0).length
  const before = behind()
  await harness.until(() => behind() > before + 20, 'records behind the barrier')
  expect(harness.snapshot('middle', 1)).toBeUndefined()
  harness.task('source', 1).triggerCheckpoint(trigger)
  await harness.until(() => pipeline.acknowledged(1).length === 4, 'the checkpoint')
  await harness.stop()
})

const side = fc.record({
  partitioning: fc.constantFrom('hash' as const, 'rebalance' as const),
  capacity: fc.option(fc.integer({ min: 3, max: 40 }), { nil: undefined }),
})
const count = fc.integer({ min: 1, max: 3 })

test('after a restore nothing is missing, and what comes twice was behind a barrier', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ sources: count, middles: count, sinks: count, first: side, second: side }),
      ...([count, fc.nat({ max: 60 })] as const),
      async (topology: Topology, sinks, turns) => {
        const pipeline = new Pipeline(topology, AT_LEAST_ONCE)
        await pipeline.harness.allRunning()
        await pipeline.harness.turns(turns)
        const snapshots = await pipeline.checkpoint(1)
        await pipeline.harness.stop()
        const to = { ...topology, sinks }
        const again = new Pipeline(to, { restore: assign(snapshots, to)!, checkpoints: 'none' })
        await again.finish()
        expect([...new Set(seen(again.sinks))]).toEqual(everything(topology.sources))
      },
    ),
    { numRuns: 30 },
  )
}, 60_000)
