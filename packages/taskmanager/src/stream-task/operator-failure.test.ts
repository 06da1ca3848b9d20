import { defineError } from '@flink-ts/common'
import type { StreamOperator } from '@flink-ts/operators'
import { expect, test } from 'vitest'
import { SlotHarness } from '../testing/slot-harness.ts'
import { CountingSource, RecordingOperator } from '../testing/test-operators.ts'
import { operatorFailure } from './operator-failure.ts'

const place = { operator: 'rows', task: 'Sink (2/4)' }
const StorageDown = defineError<{ host: string }>({
  code: 'test.storage-down',
  domain: 'external',
  retry: 'backoff',
  message: d => `${d.host} is down.`,
})

test('an error of the user keeps message and stack, and is the cause', () => {
  const thrown = new RangeError('no connection')
  const failure = operatorFailure(place, 'open', thrown)
  expect(failure).toMatchObject({
    code: 'taskmanager.operator-failed',
    message: "no connection (in open of operator 'rows' of Sink (2/4))",
    cause: thrown,
  })
  expect(failure.stack?.split('\n')[1]).toBe(thrown.stack?.split('\n')[1])
  expect(operatorFailure(place, 'open', { odd: 1 }).message).toContain('{ odd: 1 } (in open')
})

test('an error of ours keeps what restart strategies read; one that names an operator stays as it is', () => {
  const thrown = StorageDown({ host: 'nn1' })
  const failure = operatorFailure(place, 'close', thrown)
  expect(failure).toMatchObject({
    code: 'test.storage-down',
    domain: 'external',
    retry: 'backoff',
    data: { host: 'nn1', operator: 'rows' },
    message: "nn1 is down. (in close of operator 'rows' of Sink (2/4))",
  })
  expect(operatorFailure({ ...place, operator: 'other' }, 'open', failure)).toBe(failure)
})

const boom = (): never => {
  throw new RangeError('boom')
}
const rejected = async (): Promise<void> => boom()
const steps: [string, (recorder: RecordingOperator) => Partial<StreamOperator>, RegExp][] = [
  ['open', () => ({ open: boom }), /in open of operator 'bad'/],
  ['a promise of open', () => ({ open: rejected }), /in open of operator 'bad'/],
  ['a watermark', () => ({ advanceWatermark: boom }), /in a timer or window of operator 'bad'/],
  ['endInput', () => ({ endInput: rejected }), /in endInput of operator 'bad'/],
  ['finish', () => ({ finish: boom }), /in finish of operator 'bad'/],
  ['close', () => ({ close: rejected }), /in close of operator 'bad'/],
  [
    'a processing-time timer',
    recorder => ({ open: () => void recorder.context?.scheduleProcessingTime(0, boom) }),
    /in a processing-time timer of operator 'bad'/,
  ],
  [
    'work that came back',
    recorder => ({ open: () => void setImmediate(() => recorder.context?.execute(boom)) }),
    /in asynchronous work of operator 'bad'/,
  ],
  [
    'context.fail',
    recorder => ({ open: () => void setImmediate(() => recorder.context?.fail(new RangeError('boom'))) }),
    /in asynchronous work of operator 'bad'/,
  ],
]

test.each(steps)(
  'a failure in %s names the operator and has the stack of the user',
  async (step, behaviour, message) => {
    const source = new CountingSource('s', 3)
    source.paused = ['a processing-time timer', 'work that came back', 'context.fail'].includes(step)
    const harness = new SlotHarness({
      vertices: [{ name: 'A', operators: [source.spec, new RecordingOperator('bad', behaviour).spec] }],
      edges: [],
      checkpoints: 'none',
    }).start()
    await harness.until(() => harness.status('A') === 'FAILED')
    expect(harness.error('A')?.message).toMatch(/^boom \(/)
    expect(harness.error('A')?.message).toMatch(message)
    expect(harness.error('A')?.stack?.split('\n')[1]).toContain('operator-failure.test.ts')
    await harness.stop()
  },
)
