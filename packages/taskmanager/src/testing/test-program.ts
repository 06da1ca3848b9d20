import type { JobId, JobVertexId, OperatorId } from '@flink-ts/common'
import { currentExecutionContext, type JobEdge, type JobGraph, type JobVertex } from '@flink-ts/jobgraph'
import type { OperatorContext, ReplayedProgram, StreamOperator } from '@flink-ts/operators'

/** What the two operators of the test job do. */
export interface TestProgramOptions {
  readonly parallelism: number
  /** Records of each source; absent: without end. */
  readonly limit?: number
  /** What the sink does at its hundredth record. */
  readonly atHundred?: 'throw' | 'loop' | 'exit' | 'reject' | 'callback' | 'many-maps' | 'buffers'
  readonly intervalMs?: number
  readonly forward?: boolean
  /** The replay gives another topology than planning. */
  readonly unstable?: boolean
  readonly paused?: boolean
}

const SOURCE = 'source'.padEnd(32, '0') as JobVertexId
const SINK = 'sink'.padEnd(32, '0') as JobVertexId

/** A job of sources that count and sinks that add up, with forward or hash edges in between. */
export function testGraph(options: TestProgramOptions, replayed = false): JobGraph {
  const vertex = (id: JobVertexId, nodeId: number, kind: string): JobVertex => ({
    id,
    name: kind,
    parallelism: options.parallelism,
    maxParallelism: 128,
    slotSharingGroup: 'default',
    operators: [
      {
        nodeId,
        operatorId: id as string as OperatorId,
        uid: undefined,
        name: kind,
        kind,
        chainedOutputs: [],
      },
    ],
  })
  const edge: JobEdge = {
    edgeId: 0,
    source: SOURCE,
    sourceNodeId: 1,
    outputTag: undefined,
    target: SINK,
    targetInput: 0,
    partitioning: options.forward === true ? 'forward' : 'hash',
  }
  const kind = options.unstable === true && replayed ? 'other sink' : 'sink'
  return {
    jobId: 'f'.repeat(32) as JobId,
    name: 'test job',
    vertices: [vertex(SOURCE, 1, 'source'), vertex(SINK, 2, kind)],
    edges: [edge],
    fingerprint: kind,
    fingerprintLines: ['1 source', `2 ${kind}`],
    checkpointing: {
      intervalMs: options.intervalMs,
      mode: 'exactly-once',
      minPauseMs: 0,
      timeoutMs: 10_000,
      maxConcurrent: 1,
      tolerableFailures: 0,
      directory: undefined,
      retained: 1,
      externalizedRetention: 'no-externalized-checkpoints',
    },
    restoreFrom: undefined,
    restartStrategy: undefined,
    autoWatermarkIntervalMs: 200,
    bufferTimeoutMs: 100,
    globalJobParameters: {},
  }
}

function createSource(context: OperatorContext, options: TestProgramOptions): StreamOperator {
  const state = context.operatorState.listState<number>('position')
  let position = state.get()[0] ?? 0
  const limit = options.limit ?? Number.POSITIVE_INFINITY
  return {
    source: {
      emit: max => {
        if (options.paused === true) return 'wait'
        for (let i = 0; i < max && position < limit; i++) {
          context.timestamp[0] = position
          context.out(position++)
        }
        return position >= limit ? 'end' : 'more'
      },
    },
    snapshotState: () => state.update([position]),
  }
}

function createSink(context: OperatorContext, options: TestProgramOptions): StreamOperator {
  const state = context.operatorState.listState<number>('count and sum')
  const [first, second] = [...state.get(), 0, 0]
  let count = first as number
  let sum = second as number
  return {
    processElement: value => {
      count++
      sum += value as number
      if (count === 100) misbehave(options.atHundred)
    },
    snapshotState: () => state.update([count, sum]),
    finish: () => {
      context.setAccumulator('count', count)
      context.setAccumulator('sum', sum)
    },
  }
}

const kept: unknown[] = []

function misbehave(how: TestProgramOptions['atHundred']): void {
  if (how === 'throw') throw new RangeError('record one hundred')
  if (how === 'exit') process.exit(3)
  // A promise that nobody handles is an error of the thread.
  if (how === 'reject') void Promise.reject(new Error('lost promise'))
  if (how === 'callback') {
    setImmediate(() => {
      throw new RangeError('late error')
    })
  }
  while (how === 'loop') Math.sqrt(2)
  // Faster than anybody looks.
  for (let segment: unknown[] = []; how === 'many-maps'; segment = segment.length === 1000 ? [] : segment) {
    if (segment.length === 0) kept.push(segment)
    segment.push(new Map([[segment.length, [String(segment.length)]]]))
  }
  // Outside the heap, where V8 has no limit: only who looks sees it.
  for (let i = 0; i < 100 && how === 'buffers'; i++) kept.push(new Uint8Array(1024 ** 2).fill(1))
}

// When this module is evaluated as a user's program: its options come as argument.
if (process.argv[2]?.startsWith('{')) {
  const options = JSON.parse(process.argv[2]) as TestProgramOptions
  const graph = testGraph(options, true)
  const program: ReplayedProgram = {
    fingerprint: graph.fingerprint,
    fingerprintLines: graph.fingerprintLines,
    operatorFactory: nodeId => ({
      kind: nodeId === 1 ? 'source' : 'sink',
      create: context => (nodeId === 1 ? createSource(context, options) : createSink(context, options)),
    }),
    partitioner: () =>
      options.forward === true ? { type: 'forward' } : { type: 'hash', keySelector: (value: never) => value },
    keySelector: () => undefined,
  }
  // Never settles in a replay.
  void currentExecutionContext().executor.execute(graph, program)
}
