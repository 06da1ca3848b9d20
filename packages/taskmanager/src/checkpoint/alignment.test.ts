import { ManualClock } from '@flink-ts/common'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { SlotHarness } from '../testing/slot-harness.ts'
import { CountingSource, RecordingOperator } from '../testing/test-operators.ts'
import { BarrierAligner } from './barrier-aligner.ts'
import type { Barrier } from './barrier-handler.ts'
import { BarrierTracker } from './barrier-tracker.ts'

const barrier = (checkpointId: number): Barrier => ({ checkpointId, timestamp: 0, savepoint: false })

function handlerOf(Handler: typeof BarrierAligner | typeof BarrierTracker, channels: number) {
  const log: string[] = []
  const handler = new Handler(
    { channels },
    {
      clock: new ManualClock(),
      listener: {
        complete: b => log.push(`complete ${b.checkpointId}`),
        aborted: (id, _reason, forward) => log.push(`aborted ${id}${forward ? ' forward' : ''}`),
        overtake: b => log.push(`overtake ${b.checkpointId}`),
        block: channel => log.push(`block ${channel}`),
        unblockAll: () => log.push('unblock'),
      },
    },
  )
  return { handler, log }
}

test('a newer barrier ends the alignment for an older one', () => {
  const { handler, log } = handlerOf(BarrierAligner, 2)
  handler.onBarrier(0, barrier(1))
  handler.onBarrier(1, barrier(2))
  handler.onBarrier(0, barrier(2))
  expect(log).toEqual(['block 0', 'aborted 1 forward', 'unblock', 'block 1', 'complete 2', 'unblock'])
})

test('a cancelled barrier ends its alignment and is told downstream once', () => {
  const { handler, log } = handlerOf(BarrierAligner, 3)
  handler.onBarrier(0, barrier(1))
  handler.onCancelBarrier(1, 1)
  handler.onCancelBarrier(2, 1)
  handler.onBarrier(2, barrier(1))
  expect(log).toEqual(['block 0', 'aborted 1 forward', 'unblock'])
})

test('a checkpoint that the coordinator gave up before its barrier came is dropped when it comes', () => {
  const { handler, log } = handlerOf(BarrierAligner, 2)
  handler.onAborted(5)
  expect(log).toEqual([])
  handler.onBarrier(0, barrier(4))
  handler.onBarrier(1, barrier(4))
  handler.onBarrier(0, barrier(5))
  handler.onBarrier(1, barrier(5))
  handler.onBarrier(1, barrier(6))
  handler.onBarrier(0, barrier(6))
  expect(log).toEqual([
    'block 0',
    'complete 4',
    'unblock',
    'aborted 5 forward',
    'block 1',
    'complete 6',
    'unblock',
  ])
})

test('giving up the checkpoint being aligned frees its channels', () => {
  const { handler, log } = handlerOf(BarrierAligner, 2)
  handler.onBarrier(0, barrier(1))
  handler.onAborted(1)
  handler.onBarrier(1, barrier(1))
  expect(log).toEqual(['block 0', 'aborted 1 forward', 'unblock'])
})

test('a finished channel completes what waits for it', () => {
  const { handler, log } = handlerOf(BarrierAligner, 2)
  handler.onBarrier(0, barrier(1))
  handler.onChannelFinished(1)
  handler.onBarrier(0, barrier(2))
  expect(log).toEqual(['block 0', 'complete 1', 'unblock', 'complete 2', 'unblock'])
})

test('the tracker never blocks, and drops what a newer checkpoint has overtaken', () => {
  const { handler, log } = handlerOf(BarrierTracker, 2)
  handler.onBarrier(0, barrier(1))
  handler.onBarrier(0, barrier(2))
  handler.onBarrier(1, barrier(2))
  handler.onBarrier(1, barrier(1))
  handler.onBarrier(1, barrier(3))
  handler.onChannelFinished(0)
  expect(log).toEqual(['aborted 1 forward', 'complete 2', 'complete 3'])
})

// What each channel delivers: records, and the barriers 1..n at random places.
const channelScript = (barriers: number) =>
  fc
    .array(fc.nat({ max: 4 }), { minLength: barriers + 1, maxLength: barriers + 1 })
    .map(counts =>
      counts.flatMap((count, epoch) => [
        ...new Array(count).fill(epoch),
        ...(epoch < barriers ? [-1 - epoch] : []),
      ]),
    )

test('each snapshot has exactly the records before the barriers, whatever the interleaving', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc
        .integer({ min: 1, max: 4 })
        .chain(channels => fc.array(channelScript(3), { minLength: channels, maxLength: channels })),
      fc.array(fc.nat({ max: 1000 }), { minLength: 40, maxLength: 40 }),
      fc.boolean(),
      async (scripts, choices, asynchronous) => {
        const sink = new RecordingOperator('sink', () =>
          asynchronous ? { prepareSnapshot: () => new Promise<void>(resolve => setImmediate(resolve)) } : {},
        )
        const producers = scripts.map((_, i) => ({
          name: `P${i}`,
          operators: [new CountingSource(`p${i}`).spec],
        }))
        const harness = new SlotHarness({
          vertices: [...producers, { name: 'C', operators: [sink.spec] }],
          edges: scripts.map((_, i) => ({ from: `P${i}`, to: 'C', channel: 'ring' as const })),
        })
        // The producers are not started: the test writes into their rings.
        const task = harness.task('C')
        harness.loop.add(task)
        await task.start()
        await harness.until(() => harness.status('C') === 'RUNNING')
        const rest = scripts.map(script => [...script])
        let choice = 0
        for (let left = rest.flat().length; left > 0; left--) {
          const open = rest.map((_, i) => i).filter(i => rest[i]!.length > 0)
          const i = open[choices[choice++ % choices.length]! % open.length]!
          const item = rest[i]!.shift()!
          const writer = harness.ring(`P${i}`, 'C').writer(new Float64Array([0]))
          if (item >= 0) writer.write(`${i}:${item}`)
          else writer.event({ type: 'barrier', ...barrier(-item) })
          if (choices[choice % choices.length]! % 3 === 0) await harness.turns(1)
        }
        const total = scripts.flat().filter(item => item >= 0).length
        await harness.until(() => harness.acknowledged.length === 3 && sink.records.length === total, 'all')
        for (const id of [1, 2, 3]) {
          const expected = scripts.flatMap((script, i) =>
            script.filter(e => e >= 0 && e < id).map(e => `${i}:${e}`),
          )
          const actual = await harness.listState<string>(harness.snapshot('C', id)!, 'records')
          expect([...actual].sort()).toEqual(expected.sort())
        }
        await harness.stop()
      },
    ),
    { numRuns: 60 },
  )
})

test('a diamond of direct edges and rings gives consistent snapshots while records flow', async () => {
  const kind = fc.constantFrom('direct' as const, 'ring' as const, { capacity: 20 })
  await fc.assert(
    fc.asyncProperty(
      fc.tuple(kind, kind, kind, kind, kind),
      fc.boolean(),
      fc.integer({ min: 1, max: 6 }),
      async (kinds, slow, pauses) => {
        const [s, t] = [new CountingSource('s'), new CountingSource('t')]
        s.batch = 7
        t.batch = 5
        const wait = () => new Promise<void>(resolve => setImmediate(resolve))
        const left = new RecordingOperator('left', () =>
          slow ? { prepareSnapshot: wait, notifyCheckpointComplete: wait } : {},
        )
        const right = new RecordingOperator('right', () => ({ snapshotState: wait }))
        const sink = new RecordingOperator('sink')
        const harness = new SlotHarness({
          vertices: [
            { name: 'S', operators: [s.spec] },
            { name: 'T', operators: [t.spec] },
            { name: 'L', operators: [left.spec] },
            { name: 'R', operators: [right.spec] },
            { name: 'C', operators: [sink.spec] },
          ],
          edges: [
            { from: 'S', to: 'L', channel: kinds[0] },
            { from: 'S', to: 'R', channel: kinds[1] },
            { from: 'T', to: 'R', channel: kinds[2] },
            { from: 'L', to: 'C', channel: kinds[3] },
            { from: 'R', to: 'C', channel: kinds[4], input: 1 },
          ],
        }).start()
        await harness.allRunning()
        for (let id = 1; id <= 3; id++) {
          await harness.turns(pauses)
          harness.trigger(id, 'S')
          await harness.turns(pauses % 3)
          harness.trigger(id, 'T')
          await harness.until(() => harness.acknowledged.length === 5 * id, `checkpoint ${id}`)
          harness.complete(id)
          const position = async (name: string) =>
            (await harness.listState<number>(harness.snapshot(name, id)!, 'position'))[0]!
          const records = await harness.listState<string>(harness.snapshot('C', id)!, 'records')
          const [ns, nt] = [await position('S'), await position('T')]
          // Every record of S comes twice, by both ways; each of T once; in order on each way.
          expect(records.filter(r => r.startsWith('s')).length).toBe(2 * ns)
          expect(records.filter(r => r.startsWith('t'))).toEqual(
            Array.from({ length: nt }, (_, i) => `t${i}`),
          )
        }
        await harness.stop()
        expect(harness.declined).toEqual([])
        expect(harness.crashes).toEqual([])
      },
    ),
    { numRuns: 25 },
  )
}, 30_000)

test('a snapshot that fails declines the checkpoint, tells downstream, and the task goes on', async () => {
  const source = new CountingSource('s')
  source.batch = 10
  const bad = new RecordingOperator('bad', () => ({
    prepareSnapshot: id => {
      if (id === 1) throw new Error('disk full')
    },
  }))
  const [other, sink] = [new CountingSource('o'), new RecordingOperator('sink')]
  other.batch = 10
  const harness = new SlotHarness({
    vertices: [
      { name: 'A', operators: [source.spec, bad.spec] },
      { name: 'B', operators: [other.spec] },
      { name: 'C', operators: [sink.spec] },
    ],
    edges: [
      { from: 'A', to: 'C' },
      { from: 'B', to: 'C', channel: 'ring' },
    ],
  }).start()
  await harness.allRunning()
  harness.trigger(1, 'B', 'A')
  await harness.until(() => harness.declined.some(d => d.task === 'A/0'))
  expect(harness.declined.find(({ task }) => task === 'A/0')!.reason.message).toBe(
    "A (1/1) could not take its snapshot for checkpoint 1: disk full (in prepareSnapshot of operator 'bad' of A (1/1))",
  )
  harness.trigger(2, 'A', 'B')
  await harness.until(() => harness.snapshot('C', 2) !== undefined && harness.snapshot('A', 2) !== undefined)
  expect(harness.snapshot('C', 1)).toBeUndefined()
  expect(harness.status('A')).toBe('RUNNING')
  await harness.stop()
})

test('state comes back where it was', async () => {
  const source = new CountingSource('s')
  const sink = new RecordingOperator('sink')
  const first = new SlotHarness({
    vertices: [{ name: 'A', operators: [source.spec, sink.spec] }],
    edges: [],
  }).start()
  await first.until(() => sink.records.length > 500)
  first.trigger(1, 'A')
  await first.until(() => first.snapshot('A', 1) !== undefined)
  const snapshot = first.snapshot('A', 1)!
  await first.stop()
  const again = new CountingSource('s')
  again.paused = true
  const sinkAgain = new RecordingOperator('sink')
  const second = new SlotHarness({
    vertices: [{ name: 'A', operators: [again.spec, sinkAgain.spec] }],
    edges: [],
    restore: { 'A/0': snapshot },
  }).start()
  await second.allRunning()
  expect(sinkAgain.records).toEqual(Array.from({ length: again.position }, (_, i) => `s${i}`))
  expect(again.position).toBeGreaterThan(500)
  expect(sinkAgain.context?.restoredCheckpointId).toBe(1)
  await second.stop()
})
