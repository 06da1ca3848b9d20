// Copies the lines of all files in a folder, and of those that appear later, for ever.
import { parseArgs } from 'node:util'
import {
  FileSink,
  FileSource,
  RestartStrategies,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values: options } = parseArgs({
  args: [...env.args],
  options: { input: { type: 'string', default: '' }, output: { type: 'string', default: '' } },
})
env.enableCheckpointing('100 ms')
env.setRestartStrategy(RestartStrategies.fixedDelayRestart(100, 50))
env
  .fromSource(
    FileSource.forTextLines(options.input).withSplitSize(4096).monitorContinuously('50 ms').build(),
    WatermarkStrategy.noWatermarks(),
    'lines',
  )
  .sinkTo(FileSink.forRow<string>(options.output, line => line).build())
await env.execute('watch')
