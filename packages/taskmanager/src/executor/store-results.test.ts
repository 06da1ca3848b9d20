import { defineError, ManualClock, nullLogger, SeededRandom } from '@flink-ts/common'
import { expect, test } from 'vitest'
import { storeResults } from './store-results.ts'

const Busy = defineError<Record<string, never>>({
  code: 'test.busy',
  domain: 'external',
  retry: 'backoff',
  message: () => 'busy',
})
const update = {
  attemptId: 'a' as never,
  status: 'FINISHED' as const,
  accumulators: { count: 1 },
  metrics: { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 },
}
const large = { list: [Buffer.from('one'), Buffer.from('two')], other: [Buffer.from('three')] }

function setup(put: (content: string) => Promise<string>) {
  const clock = new ManualClock()
  const dependencies = { clock, random: new SeededRandom(1), logger: nullLogger }
  const blobs = { put: (_: string, content: string | Uint8Array) => put(Buffer.from(content).toString()) }
  const result = storeResults(update, large, 'jm:1', { ...dependencies, blobs })
  return { clock, result }
}

test('parts are stored in order, what fails is tried again, and the state says where they are', async () => {
  let failures = 2
  const stored: string[] = []
  const { clock, result } = setup(async content => {
    if (failures-- > 0) throw Busy({})
    stored.push(content)
    return `key of ${content}`
  })
  for (let i = 0; i < 20; i++) {
    await new Promise(resolve => setImmediate(resolve))
    clock.advance(100)
  }
  expect(await result).toEqual({
    ...update,
    accumulators: {
      count: 1,
      list: { kind: 'stored', parts: [{ blobKey: 'key of one' }, { blobKey: 'key of two' }] },
      other: { kind: 'stored', parts: [{ blobKey: 'key of three' }] },
    },
  })
  expect(stored).toEqual(['one', 'two', 'three'])
})

test('a task whose result cannot be stored has failed, and may be tried again', async () => {
  const { result } = setup(() => Promise.reject(new Error('no space')))
  expect(await result).toMatchObject({
    status: 'FAILED',
    accumulators: undefined,
    error: { code: 'taskmanager.result-not-stored', retry: 'backoff', cause: { message: 'no space' } },
  })
})
