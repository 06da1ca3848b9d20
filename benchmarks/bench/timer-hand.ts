// The yardstick for timers: buckets by timestamp, Sets, since a key has one timer for each time. node benchmarks/bench/timer-hand.ts <records>
import { beginStretch, STRETCH_MARK, warmUpOf } from '../smoke/stretch.ts'
import { DELAY_MS, type Measurement, measurements, RECORDS_PER_MS } from './sums.ts'

const buckets = new Map<number, Set<number | string>>()
const fired = { timers: 0 }
const make = measurements('number')
let next = 0

function add({ key, time }: Measurement): void {
  const bucket = buckets.get(time + DELAY_MS)
  if (bucket === undefined) buckets.set(time + DELAY_MS, new Set([key]))
  else bucket.add(key)
}

function run(from: number, to: number): void {
  for (let index = from; index < to; index++) {
    const record = make(index)
    add(record)
    if (index % (RECORDS_PER_MS * 10) !== 0) continue
    for (; next < record.time; next++) {
      const bucket = buckets.get(next)
      if (bucket === undefined) continue
      for (const key of bucket) {
        const result = { key, time: next }
        fired.timers += result.time === next ? 1 : 2
      }
      buckets.delete(next)
    }
  }
}

const records = Number(process.argv[2])
run(0, warmUpOf(records))
const end = beginStretch()
run(warmUpOf(records), records)
console.log(STRETCH_MARK + JSON.stringify(end(records - warmUpOf(records))))
