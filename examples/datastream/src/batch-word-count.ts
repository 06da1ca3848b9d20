// Counts the words of a text, each once and at the end: BATCH mode. Stop words are a broadcast variable.
// --input <file or folder>, --stop-words <file>; without them, of a verse.
import { readFileSync } from 'node:fs'
import {
  FileSource,
  ParameterTool,
  RichFilterFunction,
  StreamExecutionEnvironment,
  WatermarkStrategy,
} from 'flink-ts'

const VERSE = ['To be, or not to be, that is the question:', "Whether 'tis nobler in the mind to suffer"]

class NoStopWord extends RichFilterFunction<string> {
  #stopWords: ReadonlySet<string> = new Set()

  override open(): void {
    this.#stopWords = new Set(this.getRuntimeContext().getBroadcastVariable<string>('stop words'))
  }

  override filter(word: string): boolean {
    return !this.#stopWords.has(word)
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism())).setRuntimeMode('BATCH')

const input = parameters.get('input')
const lines =
  input === undefined
    ? env.fromCollection(VERSE)
    : env.fromSource(FileSource.forTextLines(input).build(), WatermarkStrategy.noWatermarks(), 'lines')
const stopWordsFile = parameters.get('stop-words')
const stopWords = env.capture('stop words', () =>
  stopWordsFile === undefined ? ['the', 'to', 'in'] : readFileSync(stopWordsFile, 'utf8').split(/\s+/),
)

lines
  .flatMap(line => line.toLowerCase().match(/\p{L}+/gu) ?? [])
  .filter(new NoStopWord())
  .withBroadcastSet(env.fromCollection(stopWords), 'stop words')
  .map(word => ({ word, count: 1 }))
  .keyBy(({ word }) => word)
  .sum('count')
  .map(({ word, count }) => `${word} ${count}`)
  .print()

await env.execute('words of a text')
