import { readFileSync } from 'node:fs'
import { OutputTag, TumblingEventTimeWindows } from '@flink-ts/operators'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { SingleOutputStreamOperator } from '../datastream/single-output-stream-operator.ts'
import type { StreamExecutionEnvironment } from '../environment/stream-execution-environment.ts'
import { planned, plannedJob } from './fake-context.ts'
import { defaultMaxParallelism } from './translate.ts'

type Env = StreamExecutionEnvironment
const wordCount = (env: Env): void => {
  env
    .fromSequence(1, 10)
    .map(n => ({ word: String(n % 3), count: n }))
    .filter(entry => entry.count > 1)
    .keyBy(entry => entry.word)
    .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
    .print()
}
const names = async (
  build: (env: Env) => unknown,
  configuration: Record<string, string> = {},
): Promise<string[]> =>
  (await plannedJob(build, configuration)).graph.vertices.map(
    vertex => `${vertex.name} x${vertex.parallelism}`,
  )

describe('chaining', () => {
  test('forward operators of one parallelism make one task; keyBy begins another', async () => {
    const { graph, program } = await plannedJob(wordCount, { 'parallelism.default': '3' })
    expect(graph.vertices.map(vertex => vertex.name)).toEqual([
      'Source: Sequence -> Map -> Filter',
      'Keyed Reduce -> Print to Std. Out',
    ])
    const [source, reduce] = graph.vertices
    expect(
      source?.operators.map(operator => [operator.nodeId, operator.kind, operator.chainedOutputs]),
    ).toEqual([
      [1, 'source', [2]],
      [2, 'map', [3]],
      [3, 'filter', []],
    ])
    expect(graph.edges).toEqual([
      {
        edgeId: 0,
        source: source?.id,
        sourceNodeId: 3,
        target: reduce?.id,
        targetInput: 0,
        partitioning: 'hash',
      },
    ])
    expect(program.operatorFactory(4).kind).toBe('keyed-reduce')
    expect(program.keySelector(4, 0)?.({ word: 'x' } as never)).toBe('x')
    expect(program.keySelector(2, 0)).toBeUndefined()
    const partitioner = program.partitioner(0)
    expect(partitioner.type === 'hash' && partitioner.keySelector({ word: 'y' } as never)).toBe('y')
    expect(() => program.partitioner(1)).toThrow(/no edge 1/)
  })

  test('rebalance, other parallelism, other groups, startNewChain and disableChaining begin new tasks', async () => {
    const chain = (change: (map: SingleOutputStreamOperator<number>) => SingleOutputStreamOperator<number>) =>
      names(
        env => {
          change(env.fromSequence(1, 2).map(n => n)).filter(() => true)
        },
        { 'parallelism.default': '2' },
      )
    expect(await chain(map => map)).toEqual(['Source: Sequence -> Map -> Filter x2'])
    expect(await chain(map => map.startNewChain())).toEqual(['Source: Sequence x2', 'Map -> Filter x2'])
    expect(await chain(map => map.disableChaining())).toEqual(['Source: Sequence x2', 'Map x2', 'Filter x2'])
    expect(await chain(map => map.setParallelism(3))).toEqual(['Source: Sequence x2', 'Map x3', 'Filter x2'])
    // What follows inherits the group.
    expect(await chain(map => map.slotSharingGroup('b'))).toEqual(['Source: Sequence x2', 'Map -> Filter x2'])
    expect(
      await names(env =>
        env
          .fromSequence(1, 2)
          .rebalance()
          .map(n => n),
      ),
    ).toEqual(['Source: Sequence x1', 'Map x1'])
    expect(
      await names(env =>
        env
          .fromSequence(1, 2)
          .forward()
          .map(n => n),
      ),
    ).toEqual(['Source: Sequence -> Map x1'])
    expect(
      await names(env =>
        env
          .disableOperatorChaining()
          .fromSequence(1, 2)
          .map(n => n),
      ),
    ).toEqual(['Source: Sequence x1', 'Map x1'])
  })

  test('one operator may feed several, inside and outside its chain', async () => {
    const tag = new OutputTag<string>('odd')
    const { graph } = await plannedJob(env => {
      const split = env.fromSequence(1, 9).process<number>({ processElement: (n, _context, out) => out(n) })
      split.map(n => n + 1).name('left')
      split.map(n => n - 1).name('right')
      split
        .getSideOutput(tag)
        .map(text => text.length)
        .name('side')
      split
        .broadcast()
        .map(n => n)
        .name('all')
    })
    expect(graph.vertices.map(vertex => vertex.name)).toEqual([
      'Source: Sequence -> Process -> left -> right',
      'side',
      'all',
    ])
    expect(graph.vertices[0]?.operators[1]?.chainedOutputs).toEqual([3, 4])
    expect(
      graph.edges.map(edge => [edge.edgeId, edge.sourceNodeId, edge.outputTag, edge.partitioning]),
    ).toEqual([
      [0, 2, 'odd', 'forward'],
      [1, 2, undefined, 'broadcast'],
    ])
  })

  test('union feeds one input by several edges, with itself too', async () => {
    const { graph } = await plannedJob(env => {
      const a = env.fromElements(1)
      const b = env.fromElements(2).rebalance()
      a.union(b, a).map(n => n)
    })
    expect(graph.edges.map(edge => [edge.sourceNodeId, edge.targetInput, edge.partitioning])).toEqual([
      [1, 0, 'forward'],
      [2, 0, 'rebalance'],
      [1, 0, 'forward'],
    ])
  })

  test('collections stay at parallelism 1 and are spread', async () => {
    const { graph } = await plannedJob(env =>
      env
        .setParallelism(4)
        .fromElements(1, 2)
        .map(n => n),
    )
    expect(graph.vertices.map(vertex => vertex.parallelism)).toEqual([1, 4])
    expect(graph.edges[0]?.partitioning).toBe('rebalance')
  })

  test('any graph: each operator in one chain behind the one that feeds it, each edge once', async () => {
    const step = fc.record({
      input: fc.nat(),
      parallelism: fc.integer({ min: 1, max: 2 }),
      how: fc.constantFrom('forward', 'rebalance', 'keyed', 'union', 'alone'),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 25 }), async steps => {
        const { graph } = await plannedJob(env => {
          const streams: SingleOutputStreamOperator<number>[] = [env.fromSequence(1, 5)]
          for (const { input, parallelism, how } of steps) {
            const stream = streams[input % streams.length] as SingleOutputStreamOperator<number>
            const last = streams.at(-1) as SingleOutputStreamOperator<number>
            let next: SingleOutputStreamOperator<number>
            if (how === 'keyed') next = stream.keyBy(n => n).reduce((a, b) => a + b)
            else if (how === 'rebalance') next = stream.rebalance().map(n => n)
            else if (how === 'union') next = stream.union(last).map(n => n)
            else next = stream.map(n => n)
            next.setParallelism(parallelism)
            if (how === 'alone') next.disableChaining()
            streams.push(next)
          }
        })
        const operators = graph.vertices.flatMap(vertex => vertex.operators)
        expect(operators.length).toBe(steps.length + 1)
        expect(new Set(operators.map(operator => operator.operatorId)).size).toBe(operators.length)
        expect(new Set(graph.vertices.map(vertex => vertex.id)).size).toBe(graph.vertices.length)
        for (const vertex of graph.vertices) {
          const seen = new Set<number>([vertex.operators[0]?.nodeId as number])
          for (const operator of vertex.operators) {
            expect(seen.has(operator.nodeId)).toBe(true)
            for (const output of operator.chainedOutputs) seen.add(output)
          }
          expect(seen.size).toBe(vertex.operators.length)
        }
        const inputs =
          2 * steps.filter(s => s.how === 'union').length + steps.filter(s => s.how !== 'union').length
        const chained = operators.flatMap(operator => operator.chainedOutputs).length
        expect(chained + graph.edges.length).toBe(inputs)
        graph.edges.forEach((edge, i) => {
          expect(edge.edgeId).toBe(i)
          const source = graph.vertices.find(vertex => vertex.id === edge.source)
          expect(source?.operators.some(operator => operator.nodeId === edge.sourceNodeId)).toBe(true)
          const target = graph.vertices.find(vertex => vertex.id === edge.target)
          if (edge.partitioning === 'forward') expect(source?.parallelism).toBe(target?.parallelism)
        })
      }),
      { numRuns: 100 },
    )
  })
})

describe('ids', () => {
  const ids = async (build: (env: Env) => unknown, configuration = {}): Promise<Record<string, string>> => {
    const { graph } = await plannedJob(build, configuration)
    return Object.fromEntries(
      graph.vertices.flatMap(vertex =>
        vertex.operators.map(operator => [operator.name, operator.operatorId]),
      ),
    )
  }

  test('are 32 hex characters and equal in each run', async () => {
    const first = (await plannedJob(wordCount)).graph
    const second = (await plannedJob(wordCount)).graph
    expect({ ...first, jobId: '' }).toEqual({ ...second, jobId: '' })
    expect(first.jobId).not.toBe(second.jobId)
    for (const vertex of first.vertices) {
      expect(vertex.id).toMatch(/^[0-9a-f]{32}$/)
      for (const operator of vertex.operators) expect(operator.operatorId).toMatch(/^[0-9a-f]{32}$/)
    }
  })

  test('by uid or name do not change with what is around, nor with the parallelism', async () => {
    const before = await ids(env =>
      env
        .fromSequence(1, 2)
        .uid('s')
        .map(n => n)
        .name('plus'),
    )
    const after = await ids(
      env => {
        env
          .fromElements(0)
          .map(n => n)
          .name('other')
        env
          .fromSequence(1, 2)
          .uid('s')
          .filter(() => true)
          .map(n => n)
          .name('plus')
      },
      { 'parallelism.default': '5' },
    )
    expect(after['plus']).toBe(before['plus'])
    expect(after['Source: Sequence']).toBe(before['Source: Sequence'])
  })

  test('by path do not change with branches added elsewhere', async () => {
    const before = await ids(env =>
      env
        .fromSequence(1, 2)
        .uid('s')
        .map(n => n)
        .keyBy(n => n)
        .reduce((a, b) => a + b),
    )
    const after = await ids(env => {
      env.fromElements(0).filter(() => true)
      env
        .fromSequence(1, 2)
        .uid('s')
        .map(n => n)
        .keyBy(n => n)
        .reduce((a, b) => a + b)
    })
    expect(after['Keyed Reduce']).toBe(before['Keyed Reduce'])
  })

  test('equal names and equal paths are kept apart', async () => {
    const { graph } = await plannedJob(env => {
      const source = env.fromSequence(1, 2)
      source.map(n => n).name('same')
      source.map(n => n + 1).name('same')
      source.map(n => n + 2)
      source.map(n => n + 3)
    })
    const all = graph.vertices.flatMap(vertex => vertex.operators.map(operator => operator.operatorId))
    expect(new Set(all).size).toBe(5)
  })

  test('given by hand stay with their operator when another one takes its place', async () => {
    const build = (env: Env) => env.fromSequence(1, 2).map(n => n)
    const before = await ids(build)
    const moved = before['Map'] as string
    const after = await ids(env => {
      build(env)
        .map(n => n)
        .setUidHash(moved)
        .name('moved')
    })
    expect(after['moved']).toBe(moved)
    expect(after['Map']).not.toBe(moved)
    const named = await ids(env => build(env).name('named'))
    const taken = plannedJob(env =>
      build(env)
        .name('named')
        .map(n => n)
        .setUidHash(named['named'] as string),
    )
    await expect(taken).rejects.toThrow(/'Map' \(operator 3\) and 'named' \(operator 2\) both have the uid/)
  })

  test('equal uids are refused, naming both', async () => {
    const twice = plannedJob(env =>
      env
        .fromSequence(1, 2)
        .uid('u')
        .map(n => n)
        .name('parse')
        .uid('u'),
    )
    await expect(twice).rejects.toThrow(
      /'Source: Sequence' \(operator 1\) and 'parse' \(operator 2\) both have the uid 'u'/,
    )
  })
})

describe('parallelism', () => {
  test('number of key groups by default is as in Flink', () => {
    const golden = JSON.parse(
      readFileSync(new URL('./testdata/default-max-parallelism.json', import.meta.url), 'utf8'),
    ) as { parallelism: number; maxParallelism: number }[]
    for (const entry of golden) expect(defaultMaxParallelism(entry.parallelism)).toBe(entry.maxParallelism)
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 32768 }), parallelism => {
        const max = defaultMaxParallelism(parallelism)
        return max >= Math.min(32768, parallelism) && Number.isInteger(Math.log2(max))
      }),
    )
  })

  test('above the maximum is refused', async () => {
    const job = plannedJob(env =>
      env
        .setMaxParallelism(4)
        .fromSequence(1, 2)
        .map(n => n)
        .name('wide')
        .setParallelism(8),
    )
    await expect(job).rejects.toThrow(/parallelism of 'wide' \(operator 2\) is 8, above its maximum of 4/)
  })

  test('forward between different ones is refused, with the remedy', async () => {
    const job = plannedJob(env =>
      env
        .fromSequence(1, 2)
        .forward()
        .map(n => n)
        .setParallelism(2),
    )
    await expect(job).rejects.toThrow(
      /'Source: Sequence' \(operator 1\) has 1 and 'Map' \(operator 2\) has 2: use rebalance/,
    )
  })
})

test('the fingerprint tells topology, not parallelism of the whole or functions', async () => {
  const fingerprint = async (build: (env: Env) => unknown, configuration = {}) =>
    (await plannedJob(build, configuration)).graph.fingerprint
  const map = (f: (n: number) => number) => (env: Env) => env.fromSequence(1, 2).map(f)
  expect(await fingerprint(map(n => n))).toBe(
    await fingerprint(
      map(n => n * 2),
      { 'parallelism.default': '4' },
    ),
  )
  expect(await fingerprint(map(n => n))).not.toBe(
    await fingerprint(env => env.fromSequence(1, 2).filter(() => true)),
  )
  expect(await fingerprint(map(n => n))).not.toBe(
    await fingerprint(
      map(n => n),
      { 'pipeline.operator-chaining.enabled': 'false' },
    ),
  )
  const { graph } = await plannedJob(env =>
    env
      .fromSequence(1, 2)
      .keyBy(n => n)
      .window(TumblingEventTimeWindows.of('1 s'))
      .reduce((a, b) => a + b)
      .print(),
  )
  expect(graph.fingerprintLines).toEqual([
    '1 source "Source: Sequence"',
    '2 window "Tumbling Window" from 1 by hash',
    '3 sink "Print to Std. Out" from 2 by chain',
  ])
})

test('a job graph is plain data', async () => {
  const { graph } = await plannedJob(wordCount)
  expect(JSON.parse(JSON.stringify(graph))).toEqual(JSON.parse(JSON.stringify(structuredClone(graph))))
})

describe('traps that were silent', () => {
  const refusal = async (build: (env: StreamExecutionEnvironment) => unknown): Promise<unknown> =>
    planned(build).then(
      () => undefined,
      (error: unknown) => error,
    )

  test.each<[string, (env: StreamExecutionEnvironment) => { setParallelism(n: number): unknown }]>([
    ['a collection', env => env.fromElements(1)],
    ['a socket', env => env.socketTextStream('localhost', 1)],
    [
      'windows over all',
      env =>
        env
          .fromElements(1)
          .countWindowAll(2)
          .reduce(left => left),
    ],
    [
      'forceNonParallel',
      env =>
        env
          .fromSequence(1, 2)
          .map(n => n)
          .forceNonParallel(),
    ],
  ])('%s has one subtask, and says so', async (_name, stream) => {
    expect(await refusal(env => stream(env).setParallelism(2))).toMatchObject({
      code: 'streaming.not-parallel',
    })
    expect(await refusal(env => stream(env).setParallelism(1))).toBeUndefined()
  })

  test.each(['rebalance', 'rescale', 'shuffle', 'forward', 'broadcast', 'global'] as const)(
    '%s of a keyed stream is refused, as in Flink',
    async call => {
      const error = await refusal(env =>
        env
          .fromElements(1)
          .keyBy(n => n)
          [call](),
      )
      expect(error).toMatchObject({ code: 'streaming.keyed-partitioning', data: { call } })
    },
  )

  test('so is a partitioner of one of its own', async () => {
    const error = await refusal(env =>
      env
        .fromElements(1)
        .keyBy(n => n)
        .partitionCustom(
          () => 0,
          n => n,
        ),
    )
    expect(error).toMatchObject({ code: 'streaming.keyed-partitioning', data: { call: 'partitionCustom' } })
  })
})
