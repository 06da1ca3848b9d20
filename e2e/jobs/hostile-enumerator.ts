// A source whose enumerator behaves as badly as it can when the first split is asked for.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { type Source, type SplitEnumerator, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const { values: options } = parseArgs({
  args: [...env.args],
  // The marker is written before it begins.
  options: { mode: { type: 'string', default: 'throw' }, marker: { type: 'string', default: '' } },
})

class Hostile implements SplitEnumerator<number, null> {
  start(): void {}

  handleSplitRequest(): void {
    if (options.marker !== '') writeFileSync(options.marker, '')
    switch (options.mode) {
      case 'exit':
        process.exit(3)
        break
      case 'reject':
        void Promise.reject(new Error('nobody looks after me'))
        break
      case 'memory': {
        const kept: unknown[] = []
        for (;;) kept.push(Array.from({ length: 1000 }, (_, i) => ({ i })))
      }
      case 'loop':
        for (;;) {
          // for ever
        }
      default:
        throw new RangeError('no splits today')
    }
  }

  addSplitsBack(): void {}
  addReader(): void {}
  snapshotState(): null {
    return null
  }
}

const source: Source<number, number, null> = {
  boundedness: 'bounded',
  kind: 'hostile',
  createEnumerator: () => new Hostile(),
  restoreEnumerator: () => new Hostile(),
  createReader: () => ({ addSplits: () => {}, poll: () => 'end', snapshot: () => [] }),
}
env.fromSource(source, WatermarkStrategy.noWatermarks(), 'hostile').print()
await env.execute('hostile')
