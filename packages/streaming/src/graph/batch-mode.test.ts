import type { JobGraph } from '@flink-ts/jobgraph'
import { WatermarkStrategy } from '@flink-ts/operators'
import { describe, expect, test } from 'vitest'
import type { StreamExecutionEnvironment } from '../environment/stream-execution-environment.ts'
import { plannedJob } from './fake-context.ts'

describe('BATCH mode', () => {
  const counts = (env: StreamExecutionEnvironment): void => {
    const strategy = WatermarkStrategy.forMonotonousTimestamps<number>()
    env
      .fromSequence(1, 9)
      .assignTimestampsAndWatermarks(strategy.withTimestampAssigner(n => n))
      .keyBy(n => n % 3)
      .reduce((a, b) => a + b)
      .print()
  }
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
