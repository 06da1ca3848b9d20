// Makes one mistake, the one that its argument names. In the cluster main runs in a thread; that is how it tells replays.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'
import { isMainThread } from 'node:worker_threads'
import { StreamExecutionEnvironment, Types } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const [mistake, port] = env.args
const inReplay = !isMainThread

if (mistake === 'throw' && inReplay) throw new TypeError('there are no rules on this host')
if (mistake === 'exit' && inReplay) process.exit(3)
if (mistake === 'connect') connect({ host: '127.0.0.1', port: Number(port) }).destroy()
if (mistake === 'start') spawn('true')

const numbers = env.fromElements(1, 2, 3)
switch (mistake) {
  case 'promise':
    numbers.map(async n => n).print()
    break
  case 'key':
    numbers
      .keyBy(() => undefined as unknown as string)
      .map(n => n)
      .print()
    break
  case 'schema':
    numbers
      .map(n => ({ number: { text: n < 3 ? String(n) : n } }))
      .returns(Types.OBJECT({ number: Types.OBJECT({ text: Types.STRING }) }))
      .print()
    break
  case 'record':
    numbers
      .map(n => ({ n, format: () => String(n) }))
      .rebalance()
      .print()
    break
  default:
    numbers.print()
}
await env.execute(`mistake: ${mistake}`)
