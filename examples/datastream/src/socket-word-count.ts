// Words that come over a socket, with how often each has come so far. Try it: `nc -lk 9999` in another terminal.
import { ParameterTool, StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))

env
  .socketTextStream(parameters.get('hostname', 'localhost'), parameters.getInt('port', 9999))
  .flatMap(line => line.toLowerCase().match(/\p{L}+/gu) ?? [])
  .map(word => ({ word, count: 1 }))
  .keyBy(({ word }) => word)
  .sum('count')
  .map(({ word, count }) => `${word} ${count}`)
  .print()

await env.execute('words of a socket')
