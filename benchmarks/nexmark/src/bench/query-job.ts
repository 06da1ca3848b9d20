// One measured run of a query in the engine: node query-job.ts <query> <events> <parallelism> <seed> [encoded]
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DiscardingSink, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'
import { findQueries } from '../command-line.ts'
import { EventStreams } from '../input/event-streams.ts'
import { OUT_OF_ORDERNESS_MS } from '../input/event-time.ts'
import { defaultSideInput } from '../input/side-input.ts'
import { type Event, timeOf } from '../model/events.ts'
import { encodeKeyedEdges } from './encode-edges.ts'
import { RUN_MARK } from './measured-run.ts'
import { ReplaySource } from './replay-source.ts'

// As in a cluster: local runs check records, which takes time.
const env = StreamExecutionEnvironment.getExecutionEnvironment({ 'pipeline.check-records': 'false' })
const [name = '', events = '0', parallelism = '1', seed = '1', edges] = env.args
const [query] = findQueries([name])
if (query === undefined) throw new RangeError(`there is no query ${name}`)
env.setParallelism(Number(parallelism))
const folder = env.capture('folder', () => mkdtempSync(join(tmpdir(), 'nexmark-')))
const gate = join(folder, 'gate')
env.capture('gate', () => mkdirSync(gate))
const source = env.fromSource(
  new ReplaySource({
    seed: Number(seed),
    events: Number(events),
    gate,
    report: run => console.log(RUN_MARK + JSON.stringify(run)),
  }),
  WatermarkStrategy.forBoundedOutOfOrderness<Event>(OUT_OF_ORDERNESS_MS).withTimestampAssigner(timeOf),
  'prepared events',
)
const result = query.build(new EventStreams(source, Number(parallelism), defaultSideInput()))
if (edges === 'encoded') encodeKeyedEdges(result)
result.sinkTo(query.sink === undefined ? new DiscardingSink() : query.sink(join(folder, 'result')))
await env.execute(query.name)
rmSync(folder, { recursive: true })
