// What the job must give, computed independently of flink-ts: one plain loop over the Parquet file.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { asyncBufferFromFile, parquetRead } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'

const DAY_MS = 86_400_000
const packageFolder = dirname(createRequire(import.meta.url).resolve('vega-datasets'))

const groups = new Map<
  string,
  { origin: string; day: number; flights: number; delaySum: number; late: number }
>()
await parquetRead({
  file: await asyncBufferFromFile(join(packageFolder, '../data/flights-3m.parquet')),
  compressors,
  columns: ['date', 'delay', 'origin'],
  onComplete(rows) {
    for (const [date, delay, origin] of rows as [Date, bigint, string][]) {
      const day = Math.floor(date.getTime() / DAY_MS)
      const id = `${origin} ${day}`
      let group = groups.get(id)
      if (group === undefined) {
        group = { origin, day, flights: 0, delaySum: 0, late: 0 }
        groups.set(id, group)
      }
      group.flights++
      group.delaySum += Number(delay)
      if (delay > 15n) group.late++
    }
  },
})

const rows = [...groups.values()].map(({ origin, day, flights, delaySum, late }) => {
  const date = new Date(day * DAY_MS).toISOString().slice(0, 10)
  return `${origin},${date},${flights},${(delaySum / flights).toFixed(2)},${(late / flights).toFixed(4)}`
})

/** The rows of the CSV files without their header, in no particular order. */
export function expectedRows(): readonly string[] {
  return rows
}
