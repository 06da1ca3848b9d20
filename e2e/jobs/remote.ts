// Submits its jobs to the cluster at the port given: `node remote.ts --port 6123 [--token-file f]`, or `--local`. Under `flink run` it is refused.
import { ParameterTool, StreamExecutionEnvironment } from 'flink-ts'

const { args } = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(args)
const env = parameters.has('local')
  ? StreamExecutionEnvironment.createLocalEnvironment(2)
  : StreamExecutionEnvironment.createRemoteEnvironment('127.0.0.1', parameters.getInt('port'), {
      'security.auth.token-file': parameters.get('token-file', ''),
    }).setParallelism(2)
const told: string[] = []
env.registerJobListener({
  onJobSubmitted: client => told.push(client === undefined ? 'refused' : 'submitted'),
  onJobExecuted: result => told.push(`executed ${result?.jobName}`),
})
env.getConfig().setGlobalJobParameters(parameters)

const first = await env.fromSequence(1, 100).executeAndCollect('first')
const sums = env
  .fromSequence(1, first.length)
  .keyBy(n => n % 2)
  .reduce((a, b) => a + b)
  .collectAsync()
const client = await env.executeAsync('second')
let highest = 0
for await (const sum of sums) highest = Math.max(highest, sum)
await client.result()
console.log(JSON.stringify({ count: first.length, highest, status: await client.status(), told }))
