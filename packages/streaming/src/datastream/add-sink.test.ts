import { DiscardingSink, type Sink } from '@flink-ts/operators'
import { expect, test } from 'vitest'
import { planned } from '../graph/fake-context.ts'

test('a sink that must not be shared gives the second operator one of its own', async () => {
  let copies = 0
  class Own extends DiscardingSink<unknown> {
    copy(): Sink<unknown> {
      copies++
      return new DiscardingSink<unknown>()
    }
  }
  await planned(env => {
    const [own, shared] = [new Own(), new DiscardingSink<unknown>()]
    const stream = env.fromSequence(1, 3)
    for (const sink of [own, shared, shared]) stream.sinkTo(sink)
    expect(copies).toBe(0)
    stream.sinkTo(own)
    stream.sinkTo(own)
  })
  expect(copies).toBe(2)
})
