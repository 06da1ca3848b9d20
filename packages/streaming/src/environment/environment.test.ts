import { pathToFileURL } from 'node:url'
import { DataGeneratorSource, WatermarkStrategy } from '@flink-ts/operators'
import { describe, expect, test } from 'vitest'
import { planned, plannedJob } from '../graph/fake-context.ts'
import { RestartStrategies } from './restart-strategies.ts'
import { StreamExecutionEnvironment } from './stream-execution-environment.ts'

describe('settings', () => {
  test('of the program win over those of the client, which win over defaults', async () => {
    const client = {
      'parallelism.default': '3',
      'execution.checkpointing.interval': '1 min',
      'execution.checkpointing.timeout': '30 s',
      'restart-strategy.type': 'fixed-delay',
      'restart-strategy.fixed-delay.attempts': '7',
      'execution.savepoint.path': '/data/savepoint-1',
      'pipeline.max-parallelism': '64',
    }
    const { graph } = await plannedJob(env => {
      env.getCheckpointConfig().setCheckpointingMode('at-least-once')
      env.enableCheckpointing('200 ms')
      env.getConfig().setAutoWatermarkInterval('50 ms').setGlobalJobParameters({ owner: 'me' })
      env.setBufferTimeout(-1)
      env.getCheckpointConfig().setMinPauseBetweenCheckpoints({ seconds: 1 })
      env.getCheckpointConfig().setMaxConcurrentCheckpoints(2)
      env.getCheckpointConfig().setTolerableCheckpointFailureNumber(5)
      env.getCheckpointConfig().setExternalizedCheckpointRetention('retain-on-cancellation')
      env.getCheckpointConfig().setCheckpointStorage('checkpoints')
      env
        .fromSequence(1, 2)
        .map(n => n)
        .setParallelism(2)
    }, client)
    expect(graph).toMatchObject({
      name: 'job',
      autoWatermarkIntervalMs: 50,
      bufferTimeoutMs: -1,
      globalJobParameters: { owner: 'me' },
      restartStrategy: { type: 'fixed-delay', attempts: 7, delayMs: 1000 },
      restoreFrom: { path: 'file:///data/savepoint-1', allowNonRestoredState: false, claimMode: 'no-claim' },
      checkpointing: {
        intervalMs: 200,
        mode: 'at-least-once',
        minPauseMs: 1000,
        timeoutMs: 30_000,
        maxConcurrent: 2,
        tolerableFailures: 5,
        directory: pathToFileURL('checkpoints').href,
        retained: 1,
        externalizedRetention: 'retain-on-cancellation',
      },
    })
    expect(graph.vertices.map(vertex => [vertex.parallelism, vertex.maxParallelism])).toEqual([
      [3, 64],
      [2, 64],
    ])
  })

  test('unaligned checkpoints: one at a time, exactly once, with a timeout', async () => {
    const unalignedOf = async (set: (env: StreamExecutionEnvironment) => void, client = {}) => {
      const job = await plannedJob(env => {
        set(env)
        env.fromSequence(1, 2)
      }, client)
      return job.graph.checkpointing.unaligned
    }
    const enable = (env: StreamExecutionEnvironment) => env.getCheckpointConfig().enableUnalignedCheckpoints()
    expect(await unalignedOf(() => {})).toBeUndefined()
    expect(await unalignedOf(enable)).toEqual({ alignedTimeoutMs: 0 })
    const old = {
      'execution.checkpointing.unaligned': 'true',
      'execution.checkpointing.alignment-timeout': '3 s',
    }
    expect(await unalignedOf(() => {}, old)).toEqual({ alignedTimeoutMs: 3000 })
    const atLeastOnce = (env: StreamExecutionEnvironment) => {
      enable(env)
      env.getCheckpointConfig().setAlignedCheckpointTimeout('1 s')
      env.enableCheckpointing('1 s', 'at-least-once')
    }
    expect(await unalignedOf(atLeastOnce)).toBeUndefined()
    const two = { 'execution.checkpointing.max-concurrent-checkpoints': '2' }
    await expect(unalignedOf(enable, two)).rejects.toThrow(/max-concurrent-checkpoints.*unaligned/)
  })

  test('without any are those of Flink', async () => {
    const { graph } = await plannedJob(env => env.fromSequence(1, 2))
    expect(graph.checkpointing.intervalMs).toBeUndefined()
    expect(graph).toMatchObject({
      autoWatermarkIntervalMs: 200,
      bufferTimeoutMs: 100,
      restartStrategy: undefined,
    })
    expect(graph.vertices[0]).toMatchObject({
      parallelism: 1,
      maxParallelism: 128,
      slotSharingGroup: 'default',
    })
  })

  test('restart strategies', async () => {
    const fixed = await plannedJob(env => {
      env.setRestartStrategy(RestartStrategies.fixedDelayRestart(3, '2 s')).fromSequence(1, 2)
    })
    expect(fixed.graph.restartStrategy).toEqual({ type: 'fixed-delay', attempts: 3, delayMs: 2000 })
    const none = await plannedJob(env =>
      env.setRestartStrategy(RestartStrategies.noRestart()).fromSequence(1, 2),
    )
    expect(none.graph.restartStrategy).toEqual({ type: 'none' })
    const rate = await plannedJob(env =>
      env.setRestartStrategy(RestartStrategies.failureRateRestart(3, '5 min', '10 s')).fromSequence(1, 2),
    )
    expect(rate.graph.restartStrategy).toEqual({
      type: 'failure-rate',
      maxFailures: 3,
      intervalMs: 300_000,
      delayMs: 10_000,
    })
    const exponential = { initialBackoff: '2 s', attemptsBeforeResetBackoff: 8 } as const
    const growing = await plannedJob(env =>
      env.setRestartStrategy(RestartStrategies.exponentialDelayRestart(exponential)).fromSequence(1, 2),
    )
    expect(growing.graph.restartStrategy).toEqual({
      type: 'exponential-delay',
      initialMs: 2000,
      maxMs: 60_000,
      multiplier: 1.5,
      resetThresholdMs: 3_600_000,
      jitterFactor: 0.1,
      attempts: 8,
    })
  })

  test('given in code by keys count as the program', async () => {
    await planned(
      () => {
        const env = StreamExecutionEnvironment.getExecutionEnvironment({ 'parallelism.default': '9' })
        expect(env.getParallelism()).toBe(9)
        expect(env.args).toEqual(['--input', 'a'])
        expect(env.capture('rules', () => 42)).toBe(42)
      },
      { configuration: { 'parallelism.default': '2' } },
    )
  })

  test.each<[string, (env: StreamExecutionEnvironment) => unknown, RegExp]>([
    ['parallelism 0', env => env.setParallelism(0), /env\.setParallelism got 0/],
    [
      'parallelism 1.5',
      env =>
        env
          .fromElements(1)
          .map(n => n)
          .setParallelism(1.5),
      /setParallelism of 'Map' \(operator 2\) got 1\.5/,
    ],
    ['parallelism 40000', env => env.setMaxParallelism(40000), /1 to 32768/],
    [
      'short interval',
      env => env.enableCheckpointing(5),
      /setCheckpointInterval: 5 is no valid duration.*10 ms/,
    ],
    [
      'unknown mode',
      env => env.enableCheckpointing(50, 'sometimes' as never),
      /'exactly-once' or 'at-least-once'/,
    ],
    [
      'unknown retention',
      env => env.getCheckpointConfig().setExternalizedCheckpointRetention('x' as never),
      /one of retain-on/,
    ],
    [
      'concurrent 0',
      env => env.getCheckpointConfig().setMaxConcurrentCheckpoints(0),
      /a whole number from 1/,
    ],
    ['attempts -1', () => RestartStrategies.fixedDelayRestart(-1, 0), /fixedDelayRestart got -1/],
    ['no failures', () => RestartStrategies.failureRateRestart(0, 1, 1), /failureRateRestart got 0/],
    [
      'jitter 2',
      () => RestartStrategies.exponentialDelayRestart({ jitterFactor: 2 }),
      /exponentialDelayRestart got 2.*from 0 to 1/,
    ],
    ['empty uid', env => env.fromElements(1).uid(''), /uid of 'Source: Collection'/],
    ['reversed sequence', env => env.fromSequence(5, 1), /5 to 1/],
    [
      'source without name',
      env =>
        env.fromSource(new DataGeneratorSource({ generator: i => i }), WatermarkStrategy.noWatermarks(), ''),
      /the name ""/,
    ],
    [
      'source builder',
      env => env.fromSource({} as never, WatermarkStrategy.noWatermarks(), 's'),
      /build\(\)/,
    ],
    [
      'no strategy',
      env => env.fromSource(new DataGeneratorSource({ generator: i => i }), undefined as never, 's'),
      /watermark strategy/,
    ],
    ['not iterable', env => env.fromCollection(7 as never), /array or another iterable/],
    [
      'map without function',
      env => env.fromElements(1).map(undefined as never),
      /map got undefined: give a function/,
    ],
    [
      'async map',
      env => env.fromElements(1).map(async n => n),
      /asynchronous work with the async I\/O operator/,
    ],
    [
      'async key',
      env => env.fromElements(1).keyBy((async (n: number) => n) as never),
      /given to keyBy.*returns a promise/,
    ],
    [
      'process with a function',
      env => env.fromElements(1).process((() => 1) as never),
      /an object with the method processElement/,
    ],
  ])('%s is an error that names the call', async (_name, use, message) => {
    await planned(env => expect(() => use(env)).toThrow(message))
  })

  test('a value of the client that is no parallelism is an error', async () => {
    await expect(plannedJob(env => env.fromSequence(1, 2), { 'parallelism.default': '0' })).rejects.toThrow(
      /parallelism\.default got 0/,
    )
  })
})

describe('execute', () => {
  test('several jobs in one program, each with its own operators', async () => {
    const submissions = await planned(async env => {
      env.fromElements(1).print()
      const result = await env.execute('first')
      expect(result.jobName).toBe('first')
      env
        .fromSequence(1, 2)
        .filter(() => true)
        .print()
      await env.executeAsync()
    })
    expect(submissions.map(submission => submission.graph.name)).toEqual(['first', 'Flink Streaming Job'])
    expect(
      submissions.map(({ graph }) => graph.vertices.flatMap(v => v.operators.map(o => o.nodeId))),
    ).toEqual([
      [1, 2],
      [1, 2, 3],
    ])
  })

  test('with nothing to execute is an error', async () => {
    await planned(env => expect(env.execute()).rejects.toThrow(/no operators/))
  })

  test('a stream of an executed job cannot be used again', async () => {
    await planned(async env => {
      const stream = env.fromElements(1)
      await env.execute()
      expect(() => stream.map(n => n)).toThrow(/map: the stream of 'Source: Collection'.*already executed/)
      expect(() => env.fromElements(2).union(stream)).toThrow(/union: the stream of/)
    })
  })

  test('executeAndCollect gives the records of its own stream', async () => {
    const submissions = await planned(
      async env => {
        env.setParallelism(3)
        const doubled = env.fromSequence(1, 3).map(n => n * 2)
        expect(await doubled.executeAndCollect('doubled')).toEqual([2, 4, 6])
      },
      { accumulators: () => ({ 'collect-3': [2, 4, 6] }) },
    )
    expect(submissions[0]?.graph.vertices.map(vertex => [vertex.name, vertex.parallelism])).toEqual([
      ['Source: Sequence -> Map', 3],
      ['Collect', 1],
    ])
  })
})
