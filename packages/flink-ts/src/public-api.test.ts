import { installExecutionContext, type JobGraph } from '@flink-ts/jobgraph'
import { expect, test } from 'vitest'
import * as api from './index.ts'

test('a program as in the documentation is planned with what the package exports', async () => {
  const graphs: JobGraph[] = []
  installExecutionContext({
    mode: 'planning',
    args: [],
    configuration: { 'parallelism.default': '2' },
    capture: (_name, read) => read(),
    executor: {
      execute: async graph => {
        graphs.push(graph)
        const result = { jobId: graph.jobId, jobName: graph.name, netRuntimeMs: 0, accumulators: {} }
        return {
          jobId: graph.jobId,
          status: async () => 'FINISHED',
          cancel: async () => {},
          triggerSavepoint: async () => '',
          stopWithSavepoint: async () => '',
          result: async () => result,
        }
      },
    },
  })
  interface Flight {
    date: Date
    origin: string
    delay: number
  }
  const env = api.StreamExecutionEnvironment.getExecutionEnvironment()
  const flights = env.fromSource(
    api.FileSource.forParquet<Flight>('flights.parquet').build(),
    api.WatermarkStrategy.forMonotonousTimestamps<Flight>().withTimestampAssigner(f => f.date.getTime()),
    'flights',
  )
  const worst: api.AggregateFunction<Flight, { worst: number }, { worst: number }> = {
    createAccumulator: () => ({ worst: 0 }),
    add: (flight, acc) => ({ worst: Math.max(acc.worst, flight.delay) }),
    getResult: acc => acc,
  }
  flights
    .keyBy(f => f.origin)
    .window(api.TumblingEventTimeWindows.of('1 d'))
    .aggregate(worst, (origin, window, result) => ({ origin, day: window.start, ...result }))
    .sinkTo(api.FileSink.forCsv<{ origin: string; day: number; worst: number }>('out').build())
  const result = await env.execute('flight delays')
  expect(result.jobName).toBe('flight delays')
  expect(graphs[0]?.vertices.map(vertex => vertex.name)).toEqual(['flights', 'Tumbling Window -> Sink: file'])
})
