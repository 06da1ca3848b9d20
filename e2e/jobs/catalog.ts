// A sink of its own with a global committer: all files of a checkpoint are entered into a catalog at once.
import { randomUUID } from 'node:crypto'
import { appendFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import {
  DataGeneratorSource,
  RestartStrategies,
  type Sink,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values: options } = parseArgs({
  args: [...env.args],
  options: {
    output: { type: 'string', default: '' },
    records: { type: 'string', default: '20000' },
    rate: { type: 'string', default: '10000' },
  },
})
const { output } = options

interface Part {
  readonly id: string
  readonly subtask: number
  readonly rows: readonly number[]
}

const catalog: Sink<number, Part, never> = {
  kind: 'catalog',
  createWriter: context => {
    let rows: number[] = []
    return {
      write: value => void rows.push(value),
      flush: () => {},
      prepareCommit: () => {
        if (rows.length === 0) return []
        const part = { id: randomUUID(), subtask: context.subtaskIndex, rows }
        rows = []
        return [part]
      },
    }
  },
  createGlobalCommitter: () => ({
    commit: async parts => {
      // A part that is there already is written again with the same content.
      for (const part of parts) writeFileSync(join(output, `${part.id}.json`), JSON.stringify(part.rows))
      const subtasks = [...new Set(parts.map(part => part.subtask))].sort()
      appendFileSync(join(output, 'commits.log'), `${process.pid} ${subtasks.join(' ')}\n`)
    },
  }),
}

env.enableCheckpointing('100 ms')
env.setRestartStrategy(RestartStrategies.fixedDelayRestart(100, 50))
env
  .fromSource(
    new DataGeneratorSource({
      generator: i => i,
      count: Number(options.records),
      ratePerSecond: Number(options.rate),
    }),
    WatermarkStrategy.noWatermarks(),
    'numbers',
  )
  .sinkTo(catalog)
await env.execute('catalog')
