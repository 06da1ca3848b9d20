// Encodes and decodes batches of bids in this thread: node benchmarks/bench/codec.ts <reference | engine> <seconds>
// Prints million round trips a second of CPU time, that of the garbage collector's helpers included.
import { createBatchDecoder, createBatchEncoder } from '@flink-ts/serialization'
import { type Bid, makeBids } from './bids.ts'
import { BATCH, BATCH_BYTES, ColumnarBids } from './columnar-bids.ts'

const BATCHES = 64
const bids = makeBids(BATCH * BATCHES)
const kept: unknown[] = new Array(256).fill(undefined)
let at = 0
const keep = (bid: unknown): void => {
  kept[at++ & 255] = bid
}

function reference(): (batch: number) => void {
  const columns = new ColumnarBids(new SharedArrayBuffer(BATCH_BYTES))
  return batch => {
    for (let i = 0; i < BATCH; i++) columns.append(bids[batch * BATCH + i] as Bid)
    columns.finish(0)
    columns.decode(0, keep)
  }
}

function engine(): (batch: number) => void {
  const encoder = createBatchEncoder({ targetBytes: BATCH_BYTES })
  const decoder = createBatchDecoder()
  const target = Buffer.from(new SharedArrayBuffer(2 * BATCH_BYTES))
  const timestamp = new Float64Array(1)
  return batch => {
    for (let i = 0; i < BATCH; i++) encoder.append(bids[batch * BATCH + i], Number.NaN)
    decoder.open(target, 0, encoder.finish(target, 0))
    decoder.next(BATCH, timestamp, keep)
  }
}

const run = process.argv[2] === 'reference' ? reference() : engine()
const rounds = (ms: number): number => {
  let batches = 0
  for (const end = performance.now() + ms; performance.now() < end; ) {
    for (let i = 0; i < BATCHES; i++) run(i)
    batches += BATCHES
  }
  return batches * BATCH
}
rounds(500)
const before = process.cpuUsage()
const records = rounds(Number(process.argv[3]) * 1000)
const { user, system } = process.cpuUsage(before)
console.log(JSON.stringify({ millionsPerSecond: records / (user + system) }))
