// What a record costs beside a stored baseline: npm run bench:compare [-- --update] [-- names]. Costs are ratios to a
// calibration loop that runs before each, so that figures of different hours, and of similar machines, compare. Ends with
// 1 if something costs over a tenth more. ROUNDS and SCALE change the size.
import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { runsIn } from '../nexmark/src/bench/measured-run.ts'
import { STRETCH_MARK, type Stretch } from '../smoke/stretch.ts'
import { type Costs, changesOf, costOf, type Pair, readBaseline } from './src/baseline.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 5)
const SCALE = Number(process.env['SCALE'] ?? 1)
const BASELINE = join(import.meta.dirname, 'baseline.json')
const QUERIES = ['q0', 'q3', 'q5', 'q7', 'q8', 'q9', 'q11', 'q12', 'q15', 'q16', 'q17', 'q18', 'q19', 'q20']
const RUN_TIMEOUT_MS = 300_000
const count = (millions: number): string => String(Math.round(millions * SCALE * 1e6))

function run(file: string, ...args: readonly string[]): string {
  const command = [...process.execArgv, join(import.meta.dirname, file), ...args]
  return execFileSync(process.execPath, command, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: RUN_TIMEOUT_MS,
    maxBuffer: 64 << 20,
  })
}

/** CPU time of a record in nanoseconds. */
function query(name: string): number {
  const [first, ...others] = runsIn(run('../nexmark/src/bench/query-job.ts', name, count(1.6), '1', '1'))
  if (first === undefined || others.length > 0) throw new Error(`${name} reported ${1 + others.length} runs`)
  return ((first.to.cpuMs - first.from.cpuMs) * 1e6) / first.events
}

function stretch(file: string, ...args: readonly string[]): number {
  const output = run(file, ...args)
  const line = output.split('\n').find(text => text.includes(STRETCH_MARK))
  if (line === undefined) throw new Error(`${file} reported nothing`)
  const { records, cpuMs } = JSON.parse(
    line.slice(line.indexOf(STRETCH_MARK) + STRETCH_MARK.length),
  ) as Stretch
  return (cpuMs * 1e6) / records
}

const BENCHMARKS: Readonly<Record<string, () => number>> = {
  'chain with reduce': () => stretch('../smoke/chain-job.ts', count(10), 'reduce'),
  'tumbling window': () => stretch('../bench/window-job.ts', 'number', 'tumbling', count(6)),
  timers: () => stretch('../bench/timer-job.ts', count(6)),
  codec: () =>
    1000 /
    (JSON.parse(run('../bench/codec.ts', 'engine', String(2 * SCALE))) as { millionsPerSecond: number })
      .millionsPerSecond,
  ...Object.fromEntries(QUERIES.map(name => [`nexmark ${name}`, () => query(name)])),
}

const update = process.argv.includes('--update')
const wanted = process.argv.slice(2).filter(arg => arg !== '--update')
const strange = wanted.find(name => BENCHMARKS[name] === undefined)
if (strange !== undefined) {
  console.error(`There is no benchmark '${strange}': choose from '${Object.keys(BENCHMARKS).join("', '")}'.`)
  process.exit(2)
}
const names = wanted.length > 0 ? wanted : Object.keys(BENCHMARKS)

if (!update && !existsSync(BASELINE)) {
  console.error(
    `There is no ${BASELINE} yet: store one with npm run bench:compare -- --update, on a quiet machine.`,
  )
  process.exit(2)
}
const stored: Costs = existsSync(BASELINE) ? readBaseline(BASELINE) : {}
const costs: Record<string, Costs[string]> = {}
console.log(`cost of a record in steps of the calibration loop, medians of ${ROUNDS}`)
for (const name of names) {
  const measure = BENCHMARKS[name] as () => number
  const pairs = Array.from(
    { length: ROUNDS },
    (): Pair => ({
      calibrationNs: Number(run('src/calibration.ts')),
      recordNs: measure(),
    }),
  )
  const cost = costOf(pairs)
  costs[name] = cost
  const [change] = changesOf({ [name]: cost }, stored)
  if (change === undefined) continue
  const before = change.stored === undefined ? '' : change.stored.median.toFixed(2)
  const difference = change.stored === undefined ? '' : `${(100 * change.increase).toFixed(0)} %`
  console.log(
    name.padEnd(24) +
      [cost.median.toFixed(2), before, difference, change.verdict].map(cell => cell.padStart(12)).join(''),
  )
}
if (update) {
  const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown' }
  const text = { at: new Date().toISOString(), machine, rounds: ROUNDS, costs: { ...stored, ...costs } }
  writeFileSync(BASELINE, `${JSON.stringify(text, null, 2)}\n`)
} else if (changesOf(costs, stored).some(({ verdict }) => verdict === 'costs more')) process.exitCode = 1
