// Reads the lines of files, whose pieces the job host hands out; writes each line, and each count of its first word.
import { FileSink, FileSource, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'
import { jobOptions } from './job-options.ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const options = jobOptions(env.args, {
  input: '',
  output: '',
  name: 'files',
  // Takes so long for a line.
  'slow-ms': 1,
})
const slowMs = options['slow-ms']
env.enableCheckpointing('300 ms')
env.getCheckpointConfig().setExternalizedCheckpointRetention('retain-on-cancellation')

const asleep = new Int32Array(new SharedArrayBuffer(4))
const lines = env
  .fromSource(
    FileSource.forTextLines(options.input).withSplitSize(2048).build(),
    WatermarkStrategy.noWatermarks(),
    'lines',
  )
  .uid('lines')
  .map(line => {
    Atomics.wait(asleep, 0, 0, slowMs)
    return line
  })
  .uid('slow')
lines
  .map(line => ({ word: line.slice(0, line.indexOf(' ')), count: 1 }))
  .uid('words')
  .keyBy(({ word }) => word)
  .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
  .uid('counts')
  .map(({ word, count }) => `count ${word} ${count}`)
  .union(lines)
  .sinkTo(FileSink.forRow<string>(options.output, row => row).build())
  .uid('rows')
await env.execute(options.name)
