import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { JobGraph } from '@flink-ts/jobgraph'
import { WatermarkStrategy } from '@flink-ts/operators'
import { describe, expect, test } from 'vitest'
import type { StreamExecutionEnvironment } from '../environment/stream-execution-environment.ts'
import { plannedJob } from './fake-context.ts'

const counts = (env: StreamExecutionEnvironment): void => {
  const strategy = WatermarkStrategy.forMonotonousTimestamps<number>()
  env
    .fromSequence(1, 9)
    .assignTimestampsAndWatermarks(strategy.withTimestampAssigner(n => n))
    .keyBy(n => n % 3)
    .reduce((a, b) => a + b)
    .print()
}

describe('BATCH mode', () => {
  const kindsOf = (graph: JobGraph): string[] =>
    graph.vertices.flatMap(({ operators }) => operators.map(({ kind }) => kind))

  test('has final results and no checkpoints; what runs in slots is the same', async () => {
    const { graph, program } = await plannedJob(env => {
      counts(env)
      env.setRuntimeMode('BATCH').enableCheckpointing('1 s')
    })
    expect(graph.jobType).toBe('BATCH')
    expect(graph.checkpointing.intervalMs).toBeUndefined()
    expect(kindsOf(graph)).toEqual(['source', 'timestamps-and-watermarks', 'keyed-final-reduce', 'sink'])
    expect(program.operatorFactory(3).kind).toBe('keyed-final-reduce')
  })

  test('follows the configuration; AUTOMATIC is BATCH where all sources end', async () => {
    const modeOf = async (mode: string, build: (env: StreamExecutionEnvironment) => unknown) =>
      (await plannedJob(build, { 'execution.runtime-mode': mode })).graph.jobType
    expect(await modeOf('BATCH', counts)).toBe('BATCH')
    expect(await modeOf('automatic', counts)).toBe('BATCH')
    expect(await modeOf('STREAMING', counts)).toBeUndefined()
    expect(await modeOf('AUTOMATIC', env => env.socketTextStream('localhost', 1).print())).toBeUndefined()
  })

  test.each<[string, (env: StreamExecutionEnvironment) => unknown, RegExp]>([
    ['sources without end', env => env.socketTextStream('localhost', 1).print(), /reads without end/],
    [
      'loops',
      env => {
        const loop = env.fromSequence(1, 2).iterate()
        loop.closeWith(loop.filter(n => n > 1))
      },
      /Leave iterate out/,
    ],
  ])('refuses %s', async (_name, build, message) => {
    const job = plannedJob(build, { 'execution.runtime-mode': 'BATCH' })
    await expect(job).rejects.toMatchObject({ code: 'streaming.not-in-batch-mode' })
    await expect(job).rejects.toThrow(message)
  })

  test('refuses to go on from a savepoint', async () => {
    const job = plannedJob(
      env => {
        counts(env)
        env.setRuntimeMode('BATCH')
      },
      { 'execution.state-recovery.path': 'file:///savepoint' },
    )
    await expect(job).rejects.toThrow(/nothing in BATCH mode/)
  })
})

describe('broadcast sets', () => {
  const reading = { open: () => {}, map: (n: number) => n }

  test('reach their operator by a subtask of their own', async () => {
    const { graph } = await plannedJob(env => {
      env.setParallelism(2).setRuntimeMode('BATCH')
      const mapped = env.fromSequence(1, 9).map(reading)
      mapped
        .withBroadcastSet(env.fromSequence(1, 3), 'some')
        .withBroadcastSet(env.fromElements('x'), 'others')
      mapped.print()
    })
    const map = graph.vertices.find(({ name }) => name.startsWith('Map'))
    const inputs = graph.edges.filter(({ target }) => target === map?.id)
    expect(inputs.map(({ targetInput, partitioning }) => `${targetInput} ${partitioning}`)).toEqual([
      '0 forward',
      '1 broadcast',
      '1 broadcast',
    ])
    const givers = inputs.slice(1).map(({ source }) => graph.vertices.find(({ id }) => id === source))
    expect(givers.map(vertex => `${vertex?.operators.at(-1)?.name} x${vertex?.parallelism}`)).toEqual([
      'Broadcast Set: some x1',
      'Broadcast Set: others x1',
    ])
  })

  test.each<[string, (env: StreamExecutionEnvironment) => unknown, RegExp]>([
    [
      'of a source',
      env => env.fromSequence(1, 2).withBroadcastSet(env.fromElements(1), 'a'),
      /behind the source/,
    ],
    [
      'of two inputs',
      env => {
        const numbers = env.fromSequence(1, 2)
        const both = numbers.connect(numbers).map(
          n => n,
          n => n,
        )
        both.withBroadcastSet(numbers, 'a')
      },
      /operator of one input/,
    ],
    [
      'twice by one name',
      env => {
        const mapped = env.fromSequence(1, 2).map(reading)
        mapped.withBroadcastSet(env.fromElements(1), 'a').withBroadcastSet(env.fromElements(2), 'a')
      },
      /a name of its own/,
    ],
    [
      'made of what needs it',
      env => {
        const mapped = env.fromSequence(1, 2).map(reading)
        mapped.withBroadcastSet(
          mapped.filter(n => n > 1),
          'a',
        )
      },
      /does not depend on it/,
    ],
    [
      'that is no stream',
      env =>
        env
          .fromElements(1)
          .map(reading)
          .withBroadcastSet([] as never, 'a'),
      /a DataStream/,
    ],
  ])('%s are refused', async (_name, build, message) => {
    await expect(plannedJob(build, { 'execution.runtime-mode': 'BATCH' })).rejects.toThrow(message)
  })

  test('need BATCH mode', async () => {
    const job = plannedJob(env =>
      env.fromSequence(1, 2).map(reading).withBroadcastSet(env.fromElements(1), 'a').print(),
    )
    await expect(job).rejects.toMatchObject({ code: 'streaming.broadcast-set-in-stream' })
  })
})

describe('cached files', () => {
  test('travel with each job of the environment, as URIs', async () => {
    const { graph } = await plannedJob(env => {
      env
        .registerCachedFile('data/some file.csv', 'some')
        .registerCachedFile('hdfs://host/tools', 'tools', true)
      counts(env)
    })
    expect(graph.cachedFiles).toEqual([
      { name: 'some', uri: pathToFileURL(resolve('data/some file.csv')).href, executable: false },
      { name: 'tools', uri: 'hdfs://host/tools', executable: true },
    ])
  })

  test.each<[string, (env: StreamExecutionEnvironment) => unknown]>([
    ['no path', env => env.registerCachedFile('', 'a')],
    ['no name', env => env.registerCachedFile('a', '')],
    ['a name twice', env => env.registerCachedFile('a', 'a').registerCachedFile('b', 'a')],
  ])('%s is refused', async (_name, build) => {
    await expect(plannedJob(build)).rejects.toMatchObject({ code: 'streaming.invalid-argument' })
  })
})
