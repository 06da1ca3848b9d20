// Collects more than a message may hold, and prints a digest of it.
import { createHash } from 'node:crypto'
import { StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const [count = '1000'] = env.args
const rows = await env
  .fromSequence(1, Number(count))
  .map(n => ({ n, text: `${n} `.repeat(20) }))
  .executeAndCollect('large result')
const sorted = rows.toSorted((a, b) => a.n - b.n)
const digest = createHash('sha256')
for (const row of sorted) digest.update(JSON.stringify(row))
console.log(`rows ${rows.length} digest ${digest.digest('hex')}`)
