// Counts words and prints every new count.
import { StreamExecutionEnvironment } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
env
  .fromElements('to be', 'or not', 'to be')
  .flatMap((line: string) => line.split(' '))
  .map(word => ({ word, count: 1 }))
  .keyBy(entry => entry.word)
  .reduce((a, b) => ({ word: a.word, count: a.count + b.count }))
  .print()
await env.execute('word count')
