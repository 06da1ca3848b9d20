import { Deferred } from '@flink-ts/common'
import { MAX_WATERMARK } from '@flink-ts/operators'
import { expect, test } from 'vitest'
import { SlotHarness } from '../testing/slot-harness.ts'
import { CountingSource, RecordingOperator } from '../testing/test-operators.ts'

test('a bounded chain over a direct edge runs to its end without checkpoints', async () => {
  const source = new CountingSource('s', 1000)
  const map = new RecordingOperator('map')
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    checkpoints: 'none',
    vertices: [
      { name: 'A', operators: [source.spec, map.spec] },
      { name: 'B', operators: [sink.spec] },
    ],
    edges: [{ from: 'A', to: 'B' }],
  }).start()
  await harness.until(() => harness.status('B') === 'FINISHED')
  expect(harness.status('A')).toBe('FINISHED')
  expect(sink.records).toEqual(Array.from({ length: 1000 }, (_, i) => `s${i}`))
  expect(sink.timestamps).toEqual(Array.from({ length: 1000 }, (_, i) => i))
  expect(map.watermarks).toEqual([MAX_WATERMARK])
  expect(sink.watermarks).toEqual([MAX_WATERMARK])
  expect(sink.calls).toEqual(['open', 'end 0', 'finish', 'close'])
  expect(harness.task('B').metrics.recordsIn).toBe(1000)
  expect(harness.task('A').metrics.recordsOut).toBe(1000)
  expect(harness.crashes).toEqual([])
})

test('each operator of a chain counts its records, and a task knows what kept it', async () => {
  const source = new CountingSource('s', 10_000)
  const odd = new RecordingOperator('odd', recorder => ({
    processElement: value => {
      if (Number((value as string).slice(1)) % 2 === 1) recorder.context!.out(value)
    },
  }))
  const twice = new RecordingOperator('twice', recorder => ({
    processElement: value => {
      recorder.context!.out(value)
      recorder.context!.out(value)
    },
  }))
  const one = new RecordingOperator('one', () => ({ emitsOneEach: true }))
  const sink = new RecordingOperator('sink')
  let open = false
  const slow = new RecordingOperator('slow', recorder => ({
    processElement: () => {
      if (!open) recorder.context!.setAvailable(false)
    },
  }))
  const harness = new SlotHarness({
    checkpoints: 'none',
    vertices: [
      { name: 'A', operators: [source.spec, odd.spec, twice.spec, one.spec, sink.spec] },
      { name: 'B', operators: [slow.spec] },
    ],
    edges: [{ from: 'A', to: 'B', channel: 'ring' }],
  }).start()
  await harness.until(() => (harness.task('A').metrics.load?.total.backPressuredMs ?? 0) > 20)
  const { load } = harness.task('A').metrics
  expect(load?.outputUsage).toBe(1)
  expect(harness.task('B').metrics.load).toMatchObject({
    inputUsage: 1,
    total: { idleMs: expect.any(Number), backPressuredMs: 0 },
  })
  expect(harness.task('B').metrics.load!.total.busyMs).toBeGreaterThanOrEqual(20)
  open = true
  slow.context!.setAvailable(true)
  await harness.until(() => harness.status('B') === 'FINISHED')
  expect(harness.updates.findLast(update => update.attemptId === 'A/0')?.metrics.operators).toMatchObject([
    { name: 's', recordsIn: 0, recordsOut: 10_000 },
    { name: 'odd', recordsIn: 10_000, recordsOut: 5000 },
    { name: 'twice', recordsIn: 5000, recordsOut: 10_000 },
    { name: 'one', recordsIn: 10_000, recordsOut: 10_000 },
    { name: 'sink', recordsIn: 10_000, recordsOut: 10_000 },
  ])
})

test('with checkpoints a task ends only after one that was taken behind its last record', async () => {
  const source = new CountingSource('s', 10)
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [source.spec] },
      { name: 'B', operators: [sink.spec] },
    ],
    edges: [{ from: 'A', to: 'B', channel: 'ring' }],
  }).start()
  await harness.until(() => harness.endOfData.length === 2)
  await harness.turns(20)
  expect([harness.status('A'), harness.status('B')]).toEqual(['RUNNING', 'RUNNING'])
  harness.complete(0)
  await harness.turns(20)
  expect(harness.status('A')).toBe('RUNNING')
  harness.trigger(1, 'A')
  await harness.until(() => harness.acknowledged.length === 2)
  harness.complete(1)
  await harness.until(() => harness.status('A') === 'FINISHED' && harness.status('B') === 'FINISHED')
  expect(sink.calls).toEqual(['open', 'end 0', 'complete 0', 'snapshot 1', 'complete 1', 'finish', 'close'])
  expect(await harness.listState(harness.snapshot('B', 1)!, 'records')).toHaveLength(10)
})

test('a task goes on with checkpoints when one of its producers has finished', async () => {
  const [short, long] = [new CountingSource('x', 5), new CountingSource('y')]
  long.paused = true
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [short.spec] },
      { name: 'B', operators: [long.spec] },
      { name: 'C', operators: [sink.spec] },
    ],
    edges: [
      { from: 'A', to: 'C' },
      { from: 'B', to: 'C', channel: 'ring' },
    ],
  }).start()
  await harness.until(() => harness.endOfData.includes('A/0'))
  harness.trigger(1, 'A', 'B')
  await harness.until(() => harness.acknowledged.length === 3)
  harness.complete(1)
  await harness.until(() => harness.status('A') === 'FINISHED')
  expect(harness.status('C')).toBe('RUNNING')
  harness.trigger(2, 'B')
  await harness.until(() => harness.snapshot('C', 2) !== undefined)
  await harness.stop()
})

test('a consumer without running producers takes its checkpoint by trigger', async () => {
  const source = new CountingSource('s', 5)
  const hold = new Deferred<void>()
  const sink = new RecordingOperator('sink', () => ({ notifyCheckpointComplete: () => hold.promise }))
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [source.spec] },
      { name: 'B', operators: [sink.spec] },
    ],
    edges: [{ from: 'A', to: 'B' }],
  }).start()
  await harness.until(() => harness.endOfData.length === 2)
  harness.trigger(1, 'A')
  await harness.until(() => harness.acknowledged.length === 2)
  harness.complete(1)
  await harness.until(() => harness.status('A') === 'FINISHED')
  harness.task('B').triggerCheckpoint({ checkpointId: 2, timestamp: Date.now(), savepoint: false })
  await harness.turns(10)
  expect(harness.snapshot('B', 2)).toBeUndefined()
  hold.resolve()
  await harness.until(() => harness.status('B') === 'FINISHED')
  expect(harness.crashes).toEqual([])
})

test('a source is not asked while its consumer is unavailable, and goes on afterwards', async () => {
  const source = new CountingSource('s')
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [source.spec] },
      { name: 'B', operators: [new RecordingOperator('map').spec] },
      { name: 'C', operators: [sink.spec] },
    ],
    edges: [
      { from: 'A', to: 'B' },
      { from: 'B', to: 'C' },
    ],
  }).start()
  await harness.until(() => sink.records.length > 1000)
  sink.context!.setAvailable(false)
  await harness.turns(3)
  const before = source.position
  await harness.turns(50)
  expect(source.position).toBe(before)
  expect(
    harness.directChannel('A', 'B').queueLength + harness.directChannel('B', 'C').queueLength,
  ).toBeLessThanOrEqual(512)
  sink.context!.setAvailable(true)
  await harness.until(() => source.position > before)
  await harness.stop()
  expect(sink.calls).toEqual(['open', 'close'])
  expect(source.closed).toBe(1)
})

test('a full ring stops the source at its capacity and one batch', async () => {
  const source = new CountingSource('s')
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [source.spec] },
      { name: 'B', operators: [sink.spec] },
    ],
    edges: [{ from: 'A', to: 'B', channel: { capacity: 100 } }],
  }).start()
  await harness.allRunning()
  sink.context!.setAvailable(false)
  await harness.turns(5)
  const held = harness.ring('A', 'B').items.length
  await harness.turns(20)
  expect(harness.ring('A', 'B').items.length).toBe(held)
  expect(held).toBeLessThanOrEqual(100 + 256)
  await harness.stop()
})

test('a failing operator fails its own task, with its own stack, and everything is closed once', async () => {
  const source = new CountingSource('s')
  const map = new RecordingOperator('map')
  const sink = new RecordingOperator('sink', recorder => ({
    processElement: value => {
      recorder.records.push(value)
      if (recorder.records.length === 300) throw new TypeError('bad record')
    },
  }))
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [source.spec, map.spec] },
      { name: 'B', operators: [sink.spec] },
    ],
    edges: [{ from: 'A', to: 'B' }],
  }).start()
  await harness.until(() => harness.status('B') === 'FAILED')
  expect(harness.error('B')).toMatchObject({ name: 'TypeError', message: 'bad record' })
  expect(harness.error('B')?.stack).toContain('stream-task.test.ts')
  expect(harness.status('A')).toBe('RUNNING')
  expect(sink.calls).toEqual(['open', 'close'])
  expect(sink.records).toHaveLength(300)
  await harness.stop()
  expect(harness.status('A')).toBe('CANCELED')
  expect(map.calls).toEqual(['open', 'close'])
})

test('a failure to open closes what there is and reports the cause', async () => {
  const first = new RecordingOperator('first')
  const second = new RecordingOperator('second', () => ({
    open: () => Promise.reject(new Error('no connection')),
  }))
  const harness = new SlotHarness({
    vertices: [{ name: 'A', operators: [new CountingSource('s').spec, first.spec, second.spec] }],
    edges: [],
  }).start()
  await harness.until(() => harness.status('A') === 'FAILED')
  expect(harness.error('A')?.message).toBe("no connection (in open of operator 'second' of A (1/1))")
  expect(first.calls).toEqual(['close'])
  expect(second.calls).toEqual(['close'])
})

test('cancellation waits for an unfinished life-cycle call, then closes', async () => {
  const hold = new Deferred<void>()
  const sink: RecordingOperator = new RecordingOperator('sink', recorder => ({
    endInput: () => {
      recorder.calls.push('end')
      return hold.promise
    },
  }))
  const harness = new SlotHarness({
    vertices: [{ name: 'A', operators: [new CountingSource('s', 3).spec, sink.spec] }],
    edges: [],
  }).start()
  await harness.until(() => sink.calls.includes('end'))
  harness.task('A').cancel()
  await harness.turns(10)
  expect(sink.calls).toEqual(['open', 'end'])
  hold.resolve()
  await harness.until(() => harness.status('A') === 'CANCELED')
  expect(sink.calls).toEqual(['open', 'end', 'close'])
})

test('operators end in order, each awaited, with what asynchronous work brings back', async () => {
  const order: string[] = []
  const first = new RecordingOperator('first', recorder => ({
    endInput: () =>
      new Promise<void>(resolve => {
        setImmediate(() =>
          recorder.context!.execute(() => {
            recorder.context!.out('late result')
            order.push('first')
            resolve()
          }),
        )
      }),
  }))
  const second = new RecordingOperator('second', () => ({
    endInput: () => {
      order.push('second')
    },
  }))
  const harness = new SlotHarness({
    checkpoints: 'none',
    vertices: [{ name: 'A', operators: [new CountingSource('s', 2).spec, first.spec, second.spec] }],
    edges: [],
  }).start()
  await harness.until(() => harness.status('A') === 'FINISHED')
  expect(order).toEqual(['first', 'second'])
  expect(second.records).toEqual(['s0', 's1', 'late result'])
})

test('a record pushed while the consumer awaits something is queued and comes later, in order', async () => {
  const source = new CountingSource('s', 5000)
  const hold = new Deferred<void>()
  let held = false
  const sink = new RecordingOperator('sink', recorder => ({
    notifyCheckpointComplete: () => {
      held = true
      recorder.calls.push(`seen ${recorder.records.length}`)
      return hold.promise.then(() => {
        held = false
      })
    },
    processElement: value => {
      if (held) throw new Error('called while a promise was open')
      recorder.records.push(value)
    },
  }))
  const harness = new SlotHarness({
    checkpoints: 'none',
    vertices: [
      { name: 'A', operators: [source.spec] },
      { name: 'B', operators: [sink.spec] },
    ],
    edges: [{ from: 'A', to: 'B' }],
  }).start()
  await harness.until(() => sink.records.length > 0)
  harness.task('B').notifyCheckpointComplete(1)
  await harness.turns(10)
  hold.resolve()
  await harness.until(() => harness.status('B') === 'FINISHED')
  expect(sink.records).toEqual(Array.from({ length: 5000 }, (_, i) => `s${i}`))
})

test('a waiting source is asked again after wake, also when it was woken during the call', async () => {
  const source = new CountingSource('s')
  source.paused = true
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [{ name: 'A', operators: [source.spec, sink.spec] }],
    edges: [],
  }).start()
  await harness.allRunning()
  await harness.turns(10)
  expect(sink.records).toEqual([])
  source.paused = false
  source.wake()
  await harness.until(() => sink.records.length > 0)
  await harness.stop()
})

test('accumulators of a chain are merged', async () => {
  const a = new RecordingOperator('a', r => ({ finish: () => r.context!.setAccumulator('n', 3) }))
  const b = new RecordingOperator('b', r => ({
    finish: () => {
      r.context!.setAccumulator('n', 4)
      r.context!.setAccumulator('list', ['x'])
    },
  }))
  const harness = new SlotHarness({
    checkpoints: 'none',
    vertices: [{ name: 'A', operators: [new CountingSource('s', 1).spec, a.spec, b.spec] }],
    edges: [],
  }).start()
  await harness.until(() => harness.status('A') === 'FINISHED')
  expect(harness.updates.at(-1)?.accumulators).toEqual({ n: 7, list: ['x'] })
})
