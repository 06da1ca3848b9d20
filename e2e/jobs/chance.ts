// A topology that depends on chance, on the clock, or (--process) on the process that evaluates it.
import { randomUUID } from 'node:crypto'
import { readlinkSync } from 'node:fs'
import { StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const steps = 1 + Math.floor(Math.random() * 9)
const started = Date.now()
const offset = Math.random()
let stream = env.fromSequence(1, 100)
for (let i = 0; i < steps; i++)
  stream = stream.map(n => n + offset).name(`step ${i} of ${steps} at ${started}`)
if (env.args.includes('--process')) stream = stream.map(n => n).name(`in ${readlinkSync('/proc/self')}`)
const numbers = await stream
  .rebalance()
  .map(n => n)
  .name(`${new Date().toISOString()} ${randomUUID()}`)
  .executeAndCollect('chance')
console.log(JSON.stringify({ steps, offset, numbers: numbers.sort((a, b) => a - b) }))
