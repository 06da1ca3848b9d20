// The engine's paths beside the fastest known way to do the same work, measured in pairs of runs:
// `npm run bench [-- exchange codec chain window timers checkpoint recovery]`. Prints a table and writes benchmarks/results/bench.json. A
// benchmark is no test: it fails only if a run fails, not at a missed goal. ROUNDS and SCALE change the size.
// `npm run bench -- nexmark [queries] [--peer loop]` measures the queries of Nexmark.
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { rocksDbProblem } from '@flink-ts/rocksdb'
import { STRETCH_MARK, type Stretch } from '../smoke/stretch.ts'
import { checkpointLimits } from './checkpoint-limits.ts'
import { type Figure, figureOf } from './figure.ts'
import type { Limit } from './limit.ts'
import { recoveryLimits } from './recovery-limits.ts'

if (process.argv[2] === 'nexmark') {
  const program = join(import.meta.dirname, '../nexmark/src/bench/main.ts')
  const command = [...process.execArgv, program, ...process.argv.slice(3)]
  process.exit(spawnSync(process.execPath, command, { stdio: 'inherit' }).status ?? 1)
}

const ROUNDS = Number(process.env.ROUNDS ?? 5)
const SCALE = Number(process.env.SCALE ?? 1)
const records = (millions: number): string => String(Math.round(millions * SCALE * 1e6))

/** The last line that a program of this folder prints. */
function run(file: string, ...args: readonly string[]): string {
  const command = [...process.execArgv, join(import.meta.dirname, file), ...args]
  const output = execFileSync(process.execPath, command, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: 300_000,
  })
  return output.trim().split('\n').at(-1) as string
}

/** Million records a second of the thread's CPU time. */
function stretch(file: string, ...args: readonly string[]): number {
  const line = run(file, ...args)
  const text = line.slice(line.indexOf(STRETCH_MARK) + STRETCH_MARK.length)
  const { records: count, cpuMs } = JSON.parse(text) as Stretch
  return count / cpuMs / 1000
}

function pairs(reference: () => number, engine: () => number): { reference: number; engine: number }[] {
  return Array.from({ length: ROUNDS }, () => ({ reference: reference(), engine: engine() }))
}

function codec(): Figure[] {
  const measure = (kind: string): number => {
    const { millionsPerSecond } = JSON.parse(run('codec.ts', kind, String(2 * SCALE)))
    return millionsPerSecond
  }
  const head = { name: 'codec, bids', yardstick: 'columns of a fixed schema', goalPercent: 80 }
  const both = pairs(
    () => measure('reference'),
    () => measure('engine'),
  )
  return [figureOf(head, both)]
}

function exchange(): Figure[] {
  return [
    { where: 'threads', yardstick: 'ring of segments, waits that block', goalPercent: 75 },
    { where: 'processes', yardstick: 'threads with sockets of their own', goalPercent: 80 },
  ].flatMap(({ where, yardstick, goalPercent }) => {
    const measure = (kind: string): { wall: number; cpu: number } =>
      JSON.parse(run('exchange.ts', where, kind, records(8)))
    const both = Array.from({ length: ROUNDS }, () => [measure('reference'), measure('engine')] as const)
    return (['wall', 'cpu'] as const).map(time =>
      figureOf(
        {
          name: `between ${where}, ${time === 'wall' ? 'by the clock' : 'of CPU time'}`,
          ...{ yardstick, goalPercent },
        },
        both.map(([reference, engine]) => ({ reference: reference[time], engine: engine[time] })),
      ),
    )
  })
}

function chain(): Figure[] {
  return ['reduce', 'process'].map(keyed =>
    figureOf(
      { name: `chain with ${keyed}, after six others`, yardstick: 'loop by hand', goalPercent: 80 },
      pairs(
        () => stretch('../smoke/chain-hand.ts', records(10), keyed),
        () => stretch('../smoke/chain-job.ts', records(10), keyed, '--polluted'),
      ),
    ),
  )
}

function windows(): Figure[] {
  const layouts = {
    objects: 'a Map of objects for each window or pane',
    columns: 'sums alone, in typed columns',
  }
  return ['tumbling', 'sliding'].flatMap(assigner =>
    ['number', 'string'].flatMap(key => {
      const rounds = Array.from({ length: ROUNDS }, () => ({
        objects: stretch('window-hand.ts', 'objects', key, assigner, records(6)),
        columns: stretch('window-hand.ts', 'columns', key, assigner, records(6)),
        engine: stretch('window-job.ts', key, assigner, records(6)),
      }))
      return (['objects', 'columns'] as const).map(layout =>
        figureOf(
          {
            name: `${assigner}, 100,000 ${key}s; ${layout}`,
            yardstick: layouts[layout],
            goalPercent: 70,
          },
          rounds.map(round => ({ reference: round[layout], engine: round.engine })),
        ),
      )
    }),
  )
}

function timers(): Figure[] {
  const yardstick = 'Sets by time'
  const both = pairs(
    () => stretch('timer-hand.ts', records(6)),
    () => stretch('timer-job.ts', records(6)),
  )
  return [figureOf({ name: 'timers, a million live', yardstick, goalPercent: 70 }, both)]
}

/** Nothing where RocksDB is not installed. */
function stateOnRocksDb(): Figure[] {
  if (rocksDbProblem() !== undefined) return []
  const measure = (kind: string): number => {
    const { millionsPerSecond } = JSON.parse(run('state-rocksdb.ts', kind, records(0.5)))
    return millionsPerSecond
  }
  const head = { name: 'counter in RocksDB, a million keys', yardstick: 'the addon alone', goalPercent: 80 }
  const both = pairs(
    () => measure('reference'),
    () => measure('engine'),
  )
  return [figureOf(head, both)]
}

const SECTIONS: Readonly<Record<string, () => readonly Figure[]>> = {
  ...{ codec, exchange, chain, timers },
  'state-rocksdb': stateOnRocksDb,
  window: windows,
}
const LIMITS: Readonly<Record<string, (rounds: number, scale: number) => Promise<readonly Limit[]>>> = {
  checkpoint: checkpointLimits,
  recovery: recoveryLimits,
}
const wanted = process.argv.slice(2)
const names = [...Object.keys(SECTIONS), ...Object.keys(LIMITS)]
const isWanted = (name: string): boolean => wanted.length === 0 || wanted.includes(name)
const unknown = wanted.find(name => !names.includes(name))
if (unknown !== undefined) {
  console.error(`There is no benchmark '${unknown}': choose from ${names.join(', ')}.`)
  process.exit(1)
}

const row = (name: string, ...cells: readonly string[]): void =>
  console.log(name.padEnd(44) + cells.map(cell => cell.padStart(10)).join(''))
const figures: Figure[] = []
if (Object.keys(SECTIONS).some(isWanted))
  row('M records/s, medians of pairs', 'engine', 'fastest', 'ratio', 'goal', '')
for (const [name, section] of Object.entries(SECTIONS)) {
  if (!isWanted(name)) continue
  for (const figure of section()) {
    figures.push(figure)
    const { percent, goalPercent, engine, reference } = figure
    const [ratio, goal] = [`${percent.toFixed(0)} %`, `${goalPercent} %`]
    const verdict = percent >= goalPercent ? 'met' : 'missed'
    row(figure.name, engine.median.toFixed(1), reference.median.toFixed(1), ratio, goal, verdict)
  }
}
const limits: Limit[] = []
if (Object.keys(LIMITS).some(isWanted)) row('medians', 'measured', 'most', 'goal', '')
for (const [name, measure] of Object.entries(LIMITS)) {
  if (!isWanted(name)) continue
  for (const result of await measure(Math.min(ROUNDS, 3), SCALE)) {
    limits.push(result)
    const { unit, limit, measured } = result
    const [median, most] = [measured.median, measured.most].map(value => `${value.toFixed(1)} ${unit}`)
    const verdict = limit === undefined ? '' : measured.median <= limit ? 'met' : 'missed'
    const goal = limit === undefined ? '' : `<= ${limit} ${unit}`
    row(result.name, median as string, most as string, goal, verdict)
  }
}
const folder = join(import.meta.dirname, '../results')
mkdirSync(folder, { recursive: true })
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
const result = { at: new Date().toISOString(), machine, rounds: ROUNDS, scale: SCALE, figures, limits }
writeFileSync(join(folder, 'bench.json'), `${JSON.stringify(result, null, 2)}\n`)
