// One measured run of a query in the engine: node query-job.ts <query> <events> <parallelism> <seed>
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiscardingSink, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'
import { findQueries } from '../command-line.ts'
import { EventStreams } from '../input/event-streams.ts'
import { OUT_OF_ORDERNESS_MS } from '../input/event-time.ts'
import { defaultSideInput } from '../input/side-input.ts'
import { type Event, timeOf } from '../model/events.ts'
import { RUN_MARK } from './measured-run.ts'
import { ReplaySource } from './replay-source.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const [name = '', events = '0', parallelism = '1', seed = '1'] = env.args
const [query] = findQueries([name])
if (query === undefined) throw new RangeError(`there is no query ${name}`)
env.setParallelism(Number(parallelism))
const source = env.fromSource(
  new ReplaySource({
    seed: Number(seed),
    events: Number(events),
    report: run => console.log(RUN_MARK + JSON.stringify(run)),
  }),
  WatermarkStrategy.forBoundedOutOfOrderness<Event>(OUT_OF_ORDERNESS_MS).withTimestampAssigner(timeOf),
  'prepared events',
)
const result = query.build(new EventStreams(source, Number(parallelism), defaultSideInput()))
if (query.sink === undefined) {
  result.sinkTo(new DiscardingSink())
  await env.execute(query.name)
} else {
  const folder = env.capture('folder', () => mkdtempSync(join(tmpdir(), 'nexmark-')))
  result.sinkTo(query.sink(folder))
  await env.execute(query.name)
  rmSync(folder, { recursive: true })
}
