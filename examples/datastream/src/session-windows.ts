// Visits of a web site: the clicks of a user belong to one visit as long as they are less than half a minute apart.
import {
  EventTimeSessionWindows,
  ParameterTool,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'

interface Click {
  readonly user: string
  readonly page: string
  /** Milliseconds since the epoch. */
  readonly time: number
}

const at = (clock: string): number => Date.parse(`2026-03-01T${clock}Z`)
const clicks: Click[] = [
  { user: 'ada', page: '/', time: at('10:00:00') },
  { user: 'bob', page: '/', time: at('10:00:05') },
  { user: 'ada', page: '/shoes', time: at('10:00:20') },
  { user: 'ada', page: '/cart', time: at('10:00:45') },
  { user: 'bob', page: '/help', time: at('10:01:00') },
  { user: 'ada', page: '/', time: at('10:02:00') },
]

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))

env
  .fromCollection(clicks)
  .assignTimestampsAndWatermarks(
    WatermarkStrategy.forMonotonousTimestamps<Click>().withTimestampAssigner(click => click.time),
  )
  .keyBy(click => click.user)
  .window(EventTimeSessionWindows.withGap('30 s'))
  .apply((user, window, visited, out) => {
    const seconds = (window.end - window.start) / 1000 - 30
    const pages = visited.toSorted((a, b) => a.time - b.time).map(click => click.page)
    out(`${user} ${pages.join(' ')} in ${seconds} s`)
  })
  .print()

await env.execute('session windows')
