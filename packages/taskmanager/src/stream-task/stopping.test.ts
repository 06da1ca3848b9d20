import { MAX_WATERMARK } from '@flink-ts/operators'
import { describe, expect, test } from 'vitest'
import { SlotHarness } from '../testing/slot-harness.ts'
import { CountingSource, RecordingOperator } from '../testing/test-operators.ts'

const SUSPENDING = { folder: 'file:///sp', suspend: true }

async function start(checkpoints: 'exactly-once' | 'none', channel: 'direct' | 'ring') {
  const source = new CountingSource('s')
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    checkpoints,
    vertices: [
      { name: 'A', operators: [source.spec] },
      { name: 'B', operators: [sink.spec] },
    ],
    edges: [{ from: 'A', to: 'B', channel }],
  }).start()
  await harness.until(() => sink.records.length > 0)
  return { harness, sink, source }
}

describe.each(['exactly-once', 'none'] as const)('a job that is stopped, checkpoints %s', checkpoints => {
  test.each(['direct', 'ring'] as const)(
    'stands still behind the savepoint and ends with it (%s)',
    async channel => {
      const { harness, sink } = await start(checkpoints, channel)
      harness.savepoint = SUSPENDING
      harness.trigger(1, 'A')
      await harness.until(() => harness.acknowledged.length === 2)
      const { length } = sink.records
      await harness.turns(50)
      expect(sink.records.length).toBe(length)
      expect([harness.status('A'), harness.status('B')]).toEqual(['RUNNING', 'RUNNING'])
      harness.complete(1)
      await harness.until(() => harness.status('A') === 'FINISHED' && harness.status('B') === 'FINISHED')
      expect(sink.records.length).toBe(length)
      // Its input has not ended: no end is told, and no window fires.
      expect(sink.watermarks).not.toContain(MAX_WATERMARK)
      expect(sink.calls).toEqual(['open', 'snapshot 1', 'complete 1', 'finish', 'close'])
      expect(harness.endOfData).toEqual([])
    },
  )

  test('goes on when the savepoint is given up', async () => {
    const { harness, sink } = await start(checkpoints, 'ring')
    harness.savepoint = SUSPENDING
    harness.trigger(1, 'A')
    await harness.until(() => harness.acknowledged.length === 2)
    const { length } = sink.records
    for (const task of harness.tasks.values()) task.notifyCheckpointAborted(1)
    await harness.until(() => sink.records.length > length)
    expect(harness.status('A')).toBe('RUNNING')
    for (const task of harness.tasks.values()) task.cancel()
    await harness.until(() => harness.status('A') === 'CANCELED' && harness.status('B') === 'CANCELED')
  })

  test('ends its input when it is drained, and waits for the savepoint behind it', async () => {
    const { harness, sink } = await start(checkpoints, 'ring')
    for (const task of harness.tasks.values()) task.drainSource()
    await harness.until(() => harness.endOfData.length === 2)
    await harness.turns(20)
    expect([harness.status('A'), harness.status('B')]).toEqual(['RUNNING', 'RUNNING'])
    expect(sink.watermarks.at(-1)).toBe(MAX_WATERMARK)
    harness.savepoint = { ...SUSPENDING, suspend: false }
    harness.trigger(1, 'A')
    await harness.until(() => harness.acknowledged.length === 2)
    harness.complete(1)
    await harness.until(() => harness.status('A') === 'FINISHED' && harness.status('B') === 'FINISHED')
    expect(sink.calls).toEqual(['open', 'end 0', 'snapshot 1', 'complete 1', 'finish', 'close'])
  })
})
