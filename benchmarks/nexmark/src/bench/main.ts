// The queries of Nexmark, measured: npm run bench -- nexmark [queries] [--peer loop] [--peer flink] [--parallelism 1,2]
// [--form sql,datastream] [--gc Parallel,G1] [--latency]. Prints a table; writes nexmark.json and nexmark.html in
// benchmarks/results. ROUNDS and SCALE change the size.
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { join } from 'node:path'
import type { Spread } from '../../../smoke/spread.ts'
import { FlinkPeer } from '../peer/flink-peer.ts'
import { type BenchOptions, parseBenchOptions } from './bench-options.ts'
import { geometricMean, type Ratio } from './comparison.ts'
import { engineKind, flinkKind, type Kind, loopKind } from './kinds.ts'
import { measureLatencies } from './latency.ts'
import { figuresOf, type QueryFigures } from './query-figures.ts'
import { type NexmarkReport, reportPage } from './report-page.ts'

const ROUNDS = Number(process.env['ROUNDS'] ?? 5)
const EVENTS = Math.round(4_000_000 * Number(process.env['SCALE'] ?? 1))
const RESULTS = join(import.meta.dirname, '../../../results')

/** Queries without a `keyBy`: nothing of them is ever encoded. */
const STATELESS: ReadonlySet<string> = new Set(['q0', 'q1', 'q2', 'q10', 'q13', 'q14', 'q21', 'q22'])

function kindsOf(query: string, options: BenchOptions, flink: FlinkPeer | undefined): readonly Kind[] {
  const { parallelisms, peers, forms, collectors } = options
  const encoded = peers.size > 0 && parallelisms.includes(1) && !STATELESS.has(query)
  const rivals =
    flink === undefined
      ? []
      : parallelisms.flatMap(parallelism =>
          flink
            .formsOf(query)
            .filter(form => forms.includes(form))
            .flatMap(form =>
              (parallelism === 1 ? collectors.slice(0, 1) : collectors).map(collector =>
                flinkKind(flink, form, parallelism, collector),
              ),
            ),
        )
  return [
    ...parallelisms.map(parallelism => engineKind(parallelism)),
    ...(encoded ? [engineKind(1, true)] : []),
    ...(peers.has('loop') ? [loopKind()] : []),
    ...rivals,
  ]
}

const percent = ({ median, least, most }: Spread): string =>
  `±${((100 * (most - least)) / 2 / median).toFixed(0)} %`
const shown = (spread: Spread): string => `${spread.median.toFixed(0)} ${percent(spread)}`.padStart(14)
const times = ({ of, to, spread }: Ratio): string =>
  `  ${of} is ${spread.median.toFixed(2)} times ${to} (${spread.least.toFixed(2)} to ${spread.most.toFixed(2)})`

function print({ query, about, rates, memory, toLoop, toFlink }: QueryFigures): void {
  console.log(`${query}: ${about}`)
  for (const [kind, { perSecond, perCpuSecond }] of Object.entries(rates)) {
    const used = memory[kind]
    const bytes = used === undefined ? '' : `${(used.rssBytes / 2 ** 20).toFixed(0)} MB`.padStart(10)
    console.log(`  ${kind.padEnd(28)}${shown(perSecond)}${shown(perCpuSecond)}${bytes}`)
  }
  for (const ratio of [...toLoop, ...toFlink]) console.log(times(ratio))
}

function printMeans(figures: readonly QueryFigures[]): void {
  const ratios = Object.groupBy(
    figures.flatMap(({ toFlink }) => toFlink),
    ({ of }) => of,
  )
  for (const [kind, all = []] of Object.entries(ratios)) {
    const mean = geometricMean(all.map(({ spread }) => spread.median))
    console.log(
      `${kind}: ${mean.toFixed(2)} times Flink per CPU second, geometric mean of ${all.length} queries`,
    )
  }
}

const options = parseBenchOptions(process.argv.slice(2))
const flink = options.peers.has('flink') ? new FlinkPeer() : undefined
try {
  console.log(
    `Thousand events per second by the clock, and per CPU second: medians of ${ROUNDS}, ${EVENTS} events each`,
  )
  if (flink !== undefined) console.log(`Beside ${flink.about}`)
  const figures = options.queries.map(({ name, about }) => {
    const figure = figuresOf({ query: name, about }, kindsOf(name, options, flink), {
      rounds: ROUNDS,
      events: EVENTS,
    })
    print(figure)
    return figure
  })
  printMeans(figures)
  const latencies = options.latency ? measureLatencies(ROUNDS) : []
  const report: NexmarkReport = {
    at: new Date().toISOString(),
    machine: { node: process.version, cpu: cpus()[0]?.model ?? 'unknown', cores: cpus().length },
    rounds: ROUNDS,
    events: EVENTS,
    unit: 'thousand events/s',
    ...(flink !== undefined && { flink: flink.about }),
    figures,
    latencies,
  }
  mkdirSync(RESULTS, { recursive: true })
  writeFileSync(join(RESULTS, 'nexmark.json'), `${JSON.stringify(report, null, 2)}\n`)
  writeFileSync(join(RESULTS, 'nexmark.html'), reportPage(report))
  console.log(
    `All figures are in ${join(RESULTS, 'nexmark.json')}, with charts in ${join(RESULTS, 'nexmark.html')}`,
  )
} finally {
  flink?.close()
}
