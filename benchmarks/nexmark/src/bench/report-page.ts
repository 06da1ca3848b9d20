import type { Spread } from '../../../smoke/spread.ts'
import type { LatencyFigure } from './latency.ts'
import type { QueryFigures } from './query-figures.ts'

/** What a run of the benchmark found, as it is in nexmark.json. */
export interface NexmarkReport {
  readonly at: string
  readonly machine: { readonly node: string; readonly cpu: string; readonly cores: number }
  readonly rounds: number
  readonly events: number
  readonly unit: string
  /** What it was compared with. */
  readonly flink?: string
  readonly figures: readonly QueryFigures[]
  readonly latencies: readonly LatencyFigure[]
}

const ROW = 16
const LABEL = 190
const PLOT = 520
const COLORS = { engine: '#2563eb', loop: '#9ca3af', flink: '#e6526f' }

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
const thousands = (value: number): string => Math.round(value).toLocaleString('en')
const short = (value: number): string => value.toPrecision(value < 100 ? 2 : 3)
const withSpread = ({ median, least, most }: Spread, show: (value: number) => string): string =>
  `${show(median)} (${show(least)} to ${show(most)})`

interface Bar {
  readonly label: string
  readonly color: string
  readonly spread: Spread
}

/** Bars from zero, the spread as a line across the end of each. */
function barChart(bars: readonly Bar[], show: (value: number) => string): string {
  const largest = Math.max(...bars.map(({ spread }) => spread.most))
  const x = (value: number): string => (LABEL + (value / largest) * PLOT).toFixed(1)
  const rows = bars.map(({ label, color, spread }, i) => {
    const y = i * ROW
    const middle = y + ROW / 2
    return `<text x="${LABEL - 6}" y="${middle + 4}" text-anchor="end">${escaped(label)}</text>
<rect x="${LABEL}" y="${y + 2}" width="${(Number(x(spread.median)) - LABEL).toFixed(1)}" height="${ROW - 4}" fill="${color}"/>
<line x1="${x(spread.least)}" x2="${x(spread.most)}" y1="${middle}" y2="${middle}" stroke="currentColor"/>
<text x="${Number(x(spread.most)) + 6}" y="${middle + 4}">${escaped(withSpread(spread, show))}</text>`
  })
  return `<svg width="${LABEL + PLOT + 200}" height="${bars.length * ROW + 4}">${rows.join('\n')}</svg>`
}

const colorOf = (kind: string): string =>
  kind === 'loop' ? COLORS.loop : kind.startsWith('flink') ? COLORS.flink : COLORS.engine

function querySection({ query, about, rates, memory, toLoop, toFlink }: QueryFigures): string {
  const bars = Object.entries(rates).map(([kind, { perCpuSecond }]) => ({
    label: kind,
    color: colorOf(kind),
    spread: perCpuSecond,
  }))
  const ratios = [...toLoop, ...toFlink].map(
    ({ of, to, spread }) => `<li>${escaped(`${of}: ${withSpread(spread, short)} times ${to}`)}</li>`,
  )
  const used = Object.entries(memory).map(
    ([kind, { rssBytes, heapBytes }]) =>
      `<li>${escaped(kind)}: ${thousands(rssBytes / 2 ** 20)} MB resident at most, ${thousands(heapBytes / 2 ** 20)} MB on the heaps of the readers' threads at the end</li>`,
  )
  return `<section><h2>${query}: ${escaped(about)}</h2>
${barChart(bars, thousands)}
<ul>${[...ratios, ...used].join('')}</ul></section>`
}

function ratioSection(title: string, figures: readonly QueryFigures[], of: 'toLoop' | 'toFlink'): string {
  const bars = figures.flatMap(figure =>
    figure[of].map(ratio => ({
      label: `${figure.query} ${ratio.of}`,
      color: COLORS.engine,
      spread: ratio.spread,
    })),
  )
  return bars.length === 0 ? '' : `<section><h2>${title}</h2>${barChart(bars, short)}</section>`
}

function latencySection(latencies: readonly LatencyFigure[]): string {
  if (latencies.length === 0) return ''
  const rows = latencies.map(
    ({ bufferTimeoutMs, p50Ms, p99Ms, p999Ms }) =>
      `<tr><td>${bufferTimeoutMs} ms</td>${[p50Ms, p99Ms, p999Ms].map(spread => `<td>${withSpread(spread, short)}</td>`).join('')}</tr>`,
  )
  return `<section><h2>Latency in ms at half load, ${thousands(latencies[0]?.rate ?? 0)} records/s</h2>
<table><tr><th>buffer timeout</th><th>p50</th><th>p99</th><th>p99.9</th></tr>${rows.join('')}</table></section>`
}

/** A page that needs nothing else. */
export function reportPage(report: NexmarkReport): string {
  const { at, machine, rounds, events, figures, latencies, flink } = report
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Nexmark</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 2em; color-scheme: light dark }
svg text { font-size: 11px; fill: currentColor }
td, th { padding: 2px 12px; text-align: right }
</style>
<h1>Nexmark</h1>
<p>${escaped(`${at}, ${machine.cpu}, ${machine.cores} cores, Node.js ${machine.node}. Medians of ${rounds} rounds with least and most, ${thousands(events)} events each; thousand events per second of CPU time.`)}</p>
${flink === undefined ? '' : `<p>${escaped(flink)}</p>`}
${ratioSection('Times Apache Flink, per CPU second', figures, 'toFlink')}
${ratioSection('Share of a plain loop, per CPU second', figures, 'toLoop')}
${latencySection(latencies)}
${figures.map(querySection).join('\n')}
</html>
`
}
