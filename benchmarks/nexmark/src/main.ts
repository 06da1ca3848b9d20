// Runs queries on a file of events, and writes their final results.
//
//   npm run nexmark -- q5 --input events.jsonl.gz --output q5.jsonl [--parallelism 4]
//   npm run nexmark -- q3 q7 q10 --input events.jsonl.gz --output results
//   bin/flink run benchmarks/nexmark/src/main.ts q5 --input /shared/events.jsonl.gz --output q5.jsonl
//
// One query without a sink of its own writes a file; several, or one with a sink (q10), write into a folder.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { StreamExecutionEnvironment } from 'flink-ts'
import { parseCommandLine } from './command-line.ts'
import { EventFileSource } from './input/event-file-source.ts'
import { EventStreams } from './input/event-streams.ts'
import { watermarkAfterEachEvent } from './input/event-time.ts'
import { defaultSideInput, parseSideInput } from './input/side-input.ts'
import { finalRows, resultText } from './result-lines.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { queries, input, output, parallelism, sideInput } = parseCommandLine(env.args)
env.setParallelism(parallelism ?? env.getParallelism())
const outputPath = env.capture('output', () => resolve(output))
const rows = env.capture('side input', () => [
  ...(sideInput === undefined
    ? defaultSideInput()
    : parseSideInput(readFileSync(sideInput, 'utf8'), sideInput)),
])

const events = env.fromSource(
  new EventFileSource(env.capture('input', () => resolve(input))),
  watermarkAfterEachEvent,
  'events',
)
const streams = new EventStreams(events, 1, new Map(rows))
const inFolder = queries.length > 1
const results = queries.map(query => {
  const stream = query.build(streams)
  if (query.sink === undefined) return { query, rows: stream.collectAsync() }
  stream.sinkTo(query.sink(inFolder ? join(outputPath, query.name) : outputPath))
  return { query }
})
await env.execute(`nexmark ${queries.map(query => query.name).join(' ')}`)

for (const { query, rows } of results) {
  if (rows === undefined) continue
  const path = inFolder ? join(outputPath, `${query.name}.jsonl`) : outputPath
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, resultText(await finalRows(query, rows)))
}
