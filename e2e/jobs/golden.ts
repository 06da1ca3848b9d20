// All jobs of the golden files as one: windows, triggers, timers and joins, with failures on the way. Prints what they give.
// Argument: the folder of the golden files.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type DataStream, RestartStrategies, StreamExecutionEnvironment, WatermarkStrategy } from 'flink-ts'
import {
  EachElement,
  type Element,
  lateRecords,
  type Step,
  stamped,
  WatermarkSteps,
} from './golden/elements.ts'
import { joins } from './golden/joins.ts'
import { type Part, Rounds } from './golden/rounds.ts'
import { CLEARS, LATE, windows } from './golden/windows.ts'

interface Golden<T> {
  readonly input: readonly T[]
  readonly jobs: readonly { readonly name: string; readonly input?: readonly T[] }[]
}
const env = StreamExecutionEnvironment.getExecutionEnvironment()
const [folder] = env.args as readonly [string]
const parallelism = env.getParallelism()
env.enableCheckpointing('10 ms')
env.setRestartStrategy(RestartStrategies.fixedDelayRestart(5, 0))
const golden = <T = Element>(name: string): Golden<T> =>
  env.capture(name, () => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Golden<T>)

const elementFiles = ['windows.json', 'triggers.json', 'timers.json'].map(name => golden(name))
const joinFile = golden<Step>('joins.json')
/** By script: its elements. Jobs with the same input share it. */
const scripts = new Map<string, readonly Element[]>()
const scriptOf = (input: readonly Element[]): string => {
  const text = JSON.stringify(input)
  scripts.set(text, input)
  return text
}
const planned = elementFiles.flatMap(({ input, jobs }) =>
  jobs.map(job => ({ name: job.name, script: scriptOf(job.input ?? input) })),
)
const joinScript = scriptOf(joinFile.input as unknown as readonly Element[])
/** Both inputs end at the same time, in Flink's script. The one that is ahead first: that tells the operators nothing. */
const LAST: Step = { input: 'right', watermark: Number.MAX_SAFE_INTEGER, id: '', key: '', ts: 0, value: 0 }
/**
 * The steps of a script in groups, each of elements or of one watermark: the order of elements on the two sides matters only
 * with regard to watermarks.
 */
const groups = [...joinFile.input, LAST].reduce<Step[][]>((all, step) => {
  const before = all.at(-1)?.at(-1)
  if (before === undefined || before.watermark !== undefined || step.watermark !== undefined) all.push([step])
  else all.at(-1)?.push(step)
  return all
}, [])
const count = groups.length
const rounds = groups.map((group, round) =>
  [...scripts].flatMap(([script, input]) => {
    const at = (n: number): number => Math.floor((n * input.length) / count)
    const elements =
      script === joinScript
        ? (group as readonly unknown[] as readonly Element[])
        : input.slice(at(round), at(round + 1))
    return elements.map((element): Part => ({ script, element }))
  }),
)

env.setParallelism(1)
const parts = env.fromSource(
  new Rounds(rounds, [Math.floor(count / 3), Math.floor((2 * count) / 3)]),
  WatermarkStrategy.noWatermarks(),
  'parts',
)
const inputs = new Map(
  [...scripts.keys()].map(script => [
    script,
    parts.filter(part => part.script === script).map(part => part.element),
  ]),
)
const elementsOf = new Map(
  [...inputs].map(([script, input]) => [
    script,
    input
      .assignTimestampsAndWatermarks(
        WatermarkStrategy.forGenerator<Element>(() => new EachElement()).withTimestampAssigner(
          element => element.ts ?? 0,
        ),
      )
      .filter(element => element.watermark === undefined),
  ]),
)
const sideOf = (side: Step['input']): DataStream<Step> =>
  (inputs.get(joinScript) as unknown as DataStream<Step>)
    .filter(step => step.input === side)
    .assignTimestampsAndWatermarks(
      WatermarkStrategy.forGenerator<Step>(() => new WatermarkSteps()).withTimestampAssigner(
        step => step.ts ?? 0,
      ),
    )
    .filter(step => step.watermark === undefined)
const [left, right] = [sideOf('left'), sideOf('right')]
const restored = parts
  .filter(part => part.script === 'restored')
  .map((part): object => ({ job: 'restored', at: Number(part.element.id) }))

env.setParallelism(parallelism)
const named = (job: string, events: DataStream<object>): DataStream<object> =>
  events.map((event): object => ({ job, ...event }))
const results: DataStream<object>[] = []
for (const { name, script } of planned) {
  const build = windows[name]
  const elements = elementsOf.get(script)
  if (build === undefined || elements === undefined) throw new Error(`no job of the name ${name}`)
  const fired = build(
    elements.keyBy(element => element.key),
    elements,
  )
  const late = lateRecords('late', fired.getSideOutput(LATE))
  results.push(named(name, stamped(fired).union(late, fired.getSideOutput(CLEARS))))
}
for (const { name } of joinFile.jobs) {
  const build = joins[name]
  if (build === undefined) throw new Error(`no job of the name ${name}`)
  results.push(named(name, build(left, right)))
}
const all = await restored.union(...results).executeAndCollect('golden')
console.log(`results ${JSON.stringify(all)}`)
