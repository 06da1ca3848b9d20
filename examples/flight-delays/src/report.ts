import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FEWEST_FLIGHTS = 20
const SHOWN = 10

interface Row {
  readonly origin: string
  readonly day: string
  readonly flights: number
  readonly meanDelay: number
  readonly lateShare: number
}

/** Reads the CSV files and prints the worst days of airports, and how the job went. */
export function printReport(folder: string, job: { netRuntimeMs: number; parallelism: number }): void {
  const rows = readRows(folder)
  const worst = rows
    .filter(row => row.flights >= FEWEST_FLIGHTS)
    .sort((a, b) => b.meanDelay - a.meanDelay || (a.day < b.day ? -1 : 1))
    .slice(0, SHOWN)
  console.log(`\nThe ${worst.length} worst days of airports with at least ${FEWEST_FLIGHTS} flights:\n`)
  const table = [
    ['airport', 'day', 'flights', 'mean delay (min)', 'late (> 15 min)'],
    ...worst.map(row => [
      row.origin,
      row.day,
      String(row.flights),
      row.meanDelay.toFixed(2),
      `${(row.lateShare * 100).toFixed(1)} %`,
    ]),
  ]
  for (const line of alignRight(table)) console.log(`  ${line}`)

  const records = rows.reduce((sum, row) => sum + row.flights, 0)
  const seconds = job.netRuntimeMs / 1000
  console.log(
    `\n${count(records)} records in ${seconds.toFixed(1)} s (${count(records / seconds)}/s) ` +
      `at parallelism ${job.parallelism}; ${count(rows.length)} rows in ${folder}`,
  )
}

function readRows(folder: string): Row[] {
  const rows: Row[] = []
  for (const name of readdirSync(folder)) {
    // Files that are not finished begin with a dot.
    if (!/^part-.*\.csv$/.test(name)) continue
    const [, ...lines] = readFileSync(join(folder, name), 'utf8').trimEnd().split('\n')
    for (const line of lines) {
      const [origin = '', day = '', flights, meanDelay, lateShare] = line.split(',')
      const row = { flights: Number(flights), meanDelay: Number(meanDelay), lateShare: Number(lateShare) }
      rows.push({ origin, day, ...row })
    }
  }
  return rows
}

function alignRight(table: readonly (readonly string[])[]): readonly string[] {
  const widths = table[0]?.map((_, i) => Math.max(...table.map(row => row[i]?.length ?? 0))) ?? []
  return table.map(row =>
    row.map((cell, i) => (i < 2 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  '),
  )
}

function count(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
