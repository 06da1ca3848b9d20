// Uses a secret of the host in a task.
import { StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const token = env.secret('E2E_TOKEN')
env
  .fromElements('a')
  .map(() => `${token}: ${token.length}`)
  .print()
await env.execute('secret')
