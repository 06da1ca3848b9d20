import { MAX_WATERMARK } from '@flink-ts/operators'
import { expect, test } from 'vitest'
import { SlotHarness } from '../testing/slot-harness.ts'
import { CountingSource, RecordingOperator } from '../testing/test-operators.ts'

/** Fires `due` results at each watermark, and stops when it is told to, or at its own gate. */
function firing(name: string, due: number, gate: { open: number }) {
  let left = 0
  let current: number | undefined
  return new RecordingOperator(name, recorder => ({
    advanceWatermark: watermark => {
      if (current !== watermark) {
        current = watermark
        left = due
      }
      while (left > 0) {
        if (gate.open === 0 || recorder.context!.shouldYield()) return false
        gate.open--
        left--
        recorder.context!.out(`${name} fired at ${watermark}`)
      }
      current = undefined
      recorder.watermarks.push(watermark)
      return true
    },
    processElement: value => {
      if (current !== undefined) throw new Error(`record ${value} during the watermark`)
      recorder.records.push(value)
      recorder.context!.out(value)
    },
  }))
}

test('a suspended watermark holds back records but lets barriers through', async () => {
  const gate = { open: 2 }
  const window = firing('window', 5, gate)
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [
      { name: 'S', operators: [new CountingSource('s').spec] },
      { name: 'W', operators: [window.spec] },
      { name: 'C', operators: [sink.spec] },
    ],
    edges: [
      { from: 'S', to: 'W', channel: 'ring' },
      { from: 'W', to: 'C' },
    ],
  })
  for (const name of ['W', 'C']) {
    harness.loop.add(harness.task(name))
    await harness.task(name).start()
  }
  await harness.until(() => harness.status('W') === 'RUNNING' && harness.status('C') === 'RUNNING')
  const writer = harness.ring('S', 'W').writer(new Float64Array([7]))
  writer.write('a')
  writer.event({ type: 'watermark', watermark: 10 })
  writer.event({ type: 'barrier', checkpointId: 1, timestamp: 0, savepoint: false })
  writer.write('b')
  await harness.until(() => harness.snapshot('C', 1) !== undefined)
  expect(sink.records).toEqual(['a', 'window fired at 10', 'window fired at 10'])
  expect(sink.watermarks).toEqual([])
  await harness.turns(10)
  expect(window.records).toEqual(['a'])
  gate.open = 100
  harness.loop.wake()
  await harness.until(() => window.records.length === 2)
  expect(sink.records).toEqual(['a', ...new Array(5).fill('window fired at 10'), 'b'])
  expect(sink.watermarks).toEqual([10])
  for (const name of ['W', 'C']) harness.task(name).cancel()
})

test('an operator that fires more than there is room for waits for its consumer', async () => {
  const window = firing('window', 5000, { open: Number.POSITIVE_INFINITY })
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    checkpoints: 'none',
    vertices: [
      { name: 'S', operators: [new CountingSource('s', 3).spec, window.spec] },
      { name: 'C', operators: [sink.spec] },
    ],
    edges: [{ from: 'S', to: 'C', channel: { capacity: 50 } }],
  }).start()
  await harness.allRunning()
  sink.context!.setAvailable(false)
  await harness.turns(20)
  expect(harness.ring('S', 'C').items.length).toBeLessThan(50 + 32)
  sink.context!.setAvailable(true)
  await harness.until(() => harness.status('C') === 'FINISHED')
  expect(sink.records.length).toBe(5003)
  expect(sink.watermarks).toEqual([MAX_WATERMARK])
})

test('watermarks pass a chain in order, and none overtakes what an earlier one fires', async () => {
  const gate = { open: 1 }
  const [first, second] = [firing('first', 1, { open: 100 }), firing('second', 3, gate)]
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [
      { name: 'S', operators: [new CountingSource('s').spec] },
      { name: 'W', operators: [first.spec, second.spec, sink.spec] },
    ],
    edges: [{ from: 'S', to: 'W', channel: 'ring' }],
  })
  harness.loop.add(harness.task('W'))
  await harness.task('W').start()
  const writer = harness.ring('S', 'W').writer(new Float64Array([0]))
  writer.event({ type: 'watermark', watermark: 10 })
  writer.event({ type: 'watermark', watermark: 20 })
  await harness.turns(10)
  expect(sink.records).toEqual(['first fired at 10', 'second fired at 10'])
  gate.open = 100
  harness.loop.wake()
  await harness.until(() => sink.watermarks.length === 2)
  expect(sink.records).toEqual([
    'first fired at 10',
    ...new Array(3).fill('second fired at 10'),
    'first fired at 20',
    ...new Array(3).fill('second fired at 20'),
  ])
  harness.task('W').cancel()
})

test('watermarks of an assigner and idleness reach the consumer; a watermark ends idleness', async () => {
  const source = new CountingSource('s')
  source.paused = true
  const other = new CountingSource('o')
  other.paused = true
  const assigner = new RecordingOperator('assigner', () => ({ forwardWatermark: () => undefined }))
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [source.spec, assigner.spec] },
      { name: 'B', operators: [other.spec, new RecordingOperator('b').spec] },
      { name: 'C', operators: [sink.spec] },
    ],
    edges: [
      { from: 'A', to: 'C' },
      { from: 'B', to: 'C', channel: 'ring' },
    ],
  }).start()
  await harness.allRunning()
  assigner.context!.emitWatermark(5)
  await harness.turns(5)
  expect(sink.watermarks).toEqual([])
  assigner.context!.execute(() => assigner.context!.emitIdle())
  await harness.turns(5)
  const b = harness.ring('B', 'C').writer(new Float64Array([0]))
  b.event({ type: 'watermark', watermark: 8 })
  await harness.turns(5)
  expect(sink.watermarks).toEqual([8])
  assigner.context!.execute(() => assigner.context!.emitWatermark(9))
  b.event({ type: 'watermark', watermark: 20 })
  await harness.turns(5)
  expect(sink.watermarks).toEqual([8, 9])
  expect(sink.context!.currentWatermark()).toBe(9)
  await harness.stop()
})

test('timers run between records and stop with the task', async () => {
  const source = new CountingSource('s')
  source.paused = true
  let fired = 0
  const map = new RecordingOperator('map', recorder => ({
    open: () => {
      recorder.context!.scheduleProcessingTime(recorder.context!.processingTime() + 5, () => {
        fired++
        recorder.context!.out('tick')
      })
      recorder.context!.scheduleProcessingTime(recorder.context!.processingTime() + 3, () => fired++).cancel()
      recorder.context!.scheduleProcessingTime(recorder.context!.processingTime() + 3_600_000, () => fired++)
    },
  }))
  const sink = new RecordingOperator('sink')
  const harness = new SlotHarness({
    vertices: [{ name: 'A', operators: [source.spec, map.spec, sink.spec] }],
    edges: [],
  }).start()
  await harness.until(() => sink.records.length === 1)
  expect(fired).toBe(1)
  await harness.stop()
})
