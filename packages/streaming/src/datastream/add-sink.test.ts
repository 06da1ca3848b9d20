import type { CommittableMessage, Sink } from '@flink-ts/operators'
import { expect, test } from 'vitest'
import { plannedJob } from '../graph/fake-context.ts'
import type { DataStream } from './data-stream.ts'

const sink = (change: Partial<Sink<number>>): Sink<number> => ({
  kind: 'test',
  createWriter: () => ({ write: () => {}, flush: () => {} }),
  ...change,
})

const verticesOf = async (written: Sink<number>): Promise<string[]> => {
  const { graph } = await plannedJob(
    env => env.fromSequence(1, 10).sinkTo(written).name('numbers').uid('numbers').setParallelism(2),
    { 'parallelism.default': '2' },
  )
  return graph.vertices.map(vertex => `${vertex.name} x${vertex.parallelism}`)
}

test('a sink is one operator', async () => {
  expect(await verticesOf(sink({}))).toEqual(['Source: Sequence -> numbers x2'])
})

test('a sink may transform what is written, and its committables on the way from writers to committers', async () => {
  const written = sink({
    addPreWriteTopology: ((input: DataStream<number>) => input.keyBy(n => n % 2)) as never,
    addPreCommitTopology: ((committables: DataStream<CommittableMessage<string>>) =>
      committables.global().map(message => message)) as never,
  })
  expect(await verticesOf(written)).toEqual([
    'Source: Sequence x2',
    'numbers: Writer x2',
    'Map -> numbers x2',
  ])
})

test('only operators with a coordinator are marked for the job host', async () => {
  const coordinated = async (written: Sink<number>): Promise<(boolean | undefined)[]> => {
    const { graph } = await plannedJob(env => env.fromSequence(1, 10).sinkTo(written))
    return graph.vertices.flatMap(vertex => vertex.operators.map(operator => operator.coordinated))
  }
  expect(await coordinated(sink({}))).toEqual([undefined, undefined])
  const committer = { commit: async () => {} }
  expect(await coordinated(sink({ createGlobalCommitter: () => committer }))).toEqual([undefined, true])
})

test('a hook that gives no stream is named', async () => {
  const written = sink({ addPreWriteTopology: () => undefined })
  await expect(verticesOf(written)).rejects.toThrowError(/undefined from addPreWriteTopology.*DataStream/)
})
