// What the skeleton costs, in one run: `npm run bench:smoke [-- chain | cluster]`. Prints a table and writes
// benchmarks/results/smoke.json. A benchmark is no test: it fails only if a run fails, not at a missed goal.
// ROUNDS and RECORDS change the size.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import { type ChainFigures, measureChain } from './chain-figures.ts'
import { type ClusterFigures, measureCluster } from './cluster-figures.ts'
import { type Spread, spreadOf } from './spread.ts'

const ROUNDS = Number(process.env.ROUNDS ?? 5)
/** Each starts and stops a whole cluster. */
const CLUSTER_ROUNDS = Math.min(ROUNDS, 3)
const RECORDS = Number(process.env.RECORDS ?? 30_000_000)
/** Of the loop by hand, in percent. */
const CHAIN_GOAL = 75

/** Figures of Apache Flink were measured with its own scripts on two cores. */
const CLUSTER_ROWS: readonly {
  key: keyof ClusterFigures
  name: string
  unit: string
  goal: number
  flink: number
}[] = [
  { key: 'startMs', name: 'start of a cluster', unit: 'ms', goal: 1200, flink: 5400 },
  { key: 'submitMs', name: 'submission until all tasks run', unit: 'ms', goal: 400, flink: 1700 },
  { key: 'idleRssMb', name: 'resident memory, idle', unit: 'MB', goal: 220, flink: 555 },
]

const COLUMNS = [36, 12, 22, 12, 12, 8]
const row = (...cells: string[]): void =>
  console.log(
    cells
      .map((cell, i) => (i === 0 ? cell.padEnd(COLUMNS[0] as number) : cell.padStart(COLUMNS[i] ?? 10)))
      .join(''),
  )

const spreadText = ({ median, least, most }: Spread, digits = 1): string =>
  `${median.toFixed(digits)} (${least.toFixed(digits)} to ${most.toFixed(digits)})`

function printChain({ keyed, hand, clean, polluted, sameClass }: ChainFigures): void {
  row(`${keyed}, M records/s: loop by hand`, '', spreadText(hand), '', '', '')
  for (const [name, spread] of [
    ['clean', clean],
    ['after six other pipelines', polluted],
    ['after six of the same class', sameClass],
  ] as const) {
    if (spread === undefined) continue
    const percent = (100 * spread.median) / hand.median
    const figure = [`${percent.toFixed(0)} %`, spreadText(spread)]
    // The goal is of operators. What V8 makes of a class of the user's that many of them share is shown beside it.
    const verdict =
      spread === sameClass ? [] : [`${CHAIN_GOAL} %`, '', percent >= CHAIN_GOAL ? 'met' : 'missed']
    row(`${keyed}: ${name}`, ...figure, ...verdict)
  }
}

type ClusterSpreads = Record<keyof ClusterFigures, Spread>

async function measureClusters(): Promise<ClusterSpreads> {
  const runs: ClusterFigures[] = []
  for (let round = 0; round < CLUSTER_ROUNDS; round++) {
    runs.push(await measureCluster(join(import.meta.dirname, 'idle-job.ts')))
  }
  const spread = (key: keyof ClusterFigures): Spread => spreadOf(runs.map(run => run[key]))
  return { startMs: spread('startMs'), submitMs: spread('submitMs'), idleRssMb: spread('idleRssMb') }
}

function printCluster(figures: ClusterSpreads): void {
  for (const { key, name, unit, goal, flink } of CLUSTER_ROWS) {
    const spread = figures[key]
    const text = (figure: number): string => `${figure.toFixed(0)} ${unit}`
    const verdict = spread.median < goal ? 'met' : 'missed'
    row(name, text(spread.median), spreadText(spread, 0), `< ${text(goal)}`, text(flink), verdict)
  }
}

const only = process.argv[2]
const chains: ChainFigures[] = []
let cluster: ClusterSpreads | undefined
row('', 'figure', 'spread', 'goal', 'Flink', '')
if (only !== 'cluster') {
  for (const keyed of ['reduce', 'process'] as const) {
    const figures = measureChain(keyed, { records: RECORDS, rounds: ROUNDS })
    chains.push(figures)
    printChain(figures)
  }
}
if (only !== 'chain') {
  cluster = await measureClusters()
  printCluster(cluster)
}
const folder = join(import.meta.dirname, '../results')
mkdirSync(folder, { recursive: true })
const machine = { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length }
writeFileSync(
  join(folder, 'smoke.json'),
  `${JSON.stringify({ at: new Date().toISOString(), machine, rounds: ROUNDS, records: RECORDS, chains, cluster }, null, 2)}\n`,
)
