// Changes a record that it was handed, which under `node job.ts` is found.
import { StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromElements({ word: 'to', count: 1 }, { word: 'be', count: 2 })
  .filter(({ count }) => count > 0)
  .map(record => {
    record.count++
    return record
  })
  .name('add one')
  .print()
await env.execute('a record is changed')
