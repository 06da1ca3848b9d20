// Rates of the Nexmark queries: npm run bench -- nexmark [queries] [--peer loop] [--parallelism 1,2]
// Prints a table and writes benchmarks/results/nexmark.json. All kinds of run of a query follow one another in each
// round, so that what else the machine does meets all. ROUNDS and SCALE change the size.
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Spread, spreadOf } from '../../../smoke/spread.ts'
import { findQueries } from '../command-line.ts'
import { type MeasuredRun, RUN_MARK, ratesOf } from './measured-run.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 5)
const SCALE = Number(process.env['SCALE'] ?? 1)
const EVENTS = Math.round(4_000_000 * SCALE)
const RUN_TIMEOUT_MS = 600_000

interface Kind {
  readonly name: string
  readonly program: string
  readonly parallelism: number
}

/** Thousand events a second. */
interface Rates {
  readonly perSecond: Spread
  readonly perCpuSecond: Spread
}

interface QueryFigures {
  readonly query: string
  readonly rates: Readonly<Record<string, Rates>>
  /** Median of the ratios of the rounds to those of the loop, per CPU second. */
  readonly percentOfLoop?: Readonly<Record<string, number>>
}

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    peer: { type: 'string', multiple: true, default: [] },
    parallelism: { type: 'string', default: '1,2' },
  },
})
const strange = values.peer.find(peer => peer !== 'loop')
if (strange !== undefined) throw new RangeError(`There is no peer '${strange}': --peer loop`)
const queries = findQueries(positionals.length === 0 ? ['all'] : positionals)
const engines = values.parallelism.split(',').map((text): Kind => {
  const parallelism = Number(text)
  if (Number.isInteger(parallelism) && parallelism > 0)
    return { name: `p=${text}`, program: 'query-job.ts', parallelism }
  throw new RangeError(`--parallelism is '${values.parallelism}', but must be numbers like 1,2`)
})
const loop: Kind = { name: 'loop', program: 'query-loop.ts', parallelism: 1 }
const kinds = values.peer.length > 0 ? [...engines, loop] : engines

function measure(query: string, { program, parallelism }: Kind, round: number): ReturnType<typeof ratesOf> {
  const args = [query, String(EVENTS), String(parallelism), String(round + 1)]
  const output = execFileSync(
    process.execPath,
    [...process.execArgv, join(import.meta.dirname, program), ...args],
    { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], timeout: RUN_TIMEOUT_MS, maxBuffer: 64 << 20 },
  )
  const runs = output
    .split('\n')
    .filter(line => line.includes(RUN_MARK))
    .map(line => JSON.parse(line.slice(line.indexOf(RUN_MARK) + RUN_MARK.length)) as MeasuredRun)
  if (runs.length !== parallelism)
    throw new Error(`${query}: ${runs.length} readers reported, not ${parallelism}`)
  return ratesOf(runs)
}

function figuresOf(query: string): QueryFigures {
  const rounds = Array.from({ length: ROUNDS }, (_, round) =>
    Object.fromEntries(kinds.map(kind => [kind.name, measure(query, kind, round)])),
  )
  const spread = (kind: string, time: 'perSecond' | 'perCpuSecond'): Spread =>
    spreadOf(rounds.map(round => (round[kind] as ReturnType<typeof ratesOf>)[time]))
  const rates = Object.fromEntries(
    kinds.map(({ name }) => [
      name,
      { perSecond: spread(name, 'perSecond'), perCpuSecond: spread(name, 'perCpuSecond') },
    ]),
  )
  if (!kinds.includes(loop)) return { query, rates }
  const percentOf = (kind: string): number =>
    spreadOf(
      rounds.map(round => (100 * (round[kind]?.perCpuSecond ?? 0)) / (round[loop.name]?.perCpuSecond ?? 1)),
    ).median
  return {
    query,
    rates,
    percentOfLoop: Object.fromEntries(engines.map(({ name }) => [name, percentOf(name)])),
  }
}

const row = (name: string, ...cells: readonly string[]): void =>
  console.log(name.padEnd(6) + cells.map(cell => cell.padStart(16)).join(''))
const thousand = ({ median, least, most }: Spread): string =>
  `${median.toFixed(0)} ±${((100 * (most - least)) / 2 / median).toFixed(0)} %`

console.log(
  `thousand events per second by the clock | per CPU second, medians of ${ROUNDS}, ${EVENTS} events each`,
)
const header = kinds.flatMap(({ name }) => [`${name} clock`, `${name} CPU`])
row('query', ...header, ...(kinds.includes(loop) ? engines.map(({ name }) => `${name} / loop`) : []))
const figures: QueryFigures[] = []
for (const { name } of queries) {
  const figure = figuresOf(name)
  figures.push(figure)
  const cells = kinds.flatMap(kind => {
    const { perSecond, perCpuSecond } = figure.rates[kind.name] as Rates
    return [thousand(perSecond), thousand(perCpuSecond)]
  })
  row(name, ...cells, ...Object.values(figure.percentOfLoop ?? {}).map(percent => `${percent.toFixed(0)} %`))
}
const folder = join(import.meta.dirname, '../../../results')
mkdirSync(folder, { recursive: true })
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
const result = {
  at: new Date().toISOString(),
  machine,
  rounds: ROUNDS,
  events: EVENTS,
  unit: 'thousand events/s',
  figures,
}
const file = join(folder, 'nexmark.json')
writeFileSync(file, `${JSON.stringify(result, null, 2)}\n`)
console.log(`All figures are in ${file}`)
