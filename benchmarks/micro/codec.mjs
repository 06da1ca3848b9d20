// Round trips of record batches, in million records a second of CPU time, against JSON of the same batches.
// node --conditions=@flink-ts/source benchmarks/micro/codec.mjs [seconds for each figure]
import { createBatchDecoder, createBatchEncoder } from '@flink-ts/serialization'

const SECONDS = Number(process.argv[2] ?? 1.5)
const BATCH = 512

let seed = 12345
const random = () => {
  seed = (Math.imul(seed, 1664525) + 1013904223) | 0
  return (seed >>> 4) / 268435456
}
/** A string of its own, as decoded ones are: not a rope, not shared. */
const fresh = text => Buffer.from(text, 'latin1').toString('latin1')
const letters = n => fresh(Array.from({ length: n }, () => String.fromCharCode(97 + random() * 26)).join(''))
const HOT = ['Google', 'Facebook', 'Baidu', 'Apple']

const shapes = {
  bid: i => {
    const hot = random() < 0.5
    const channel = Math.floor(random() * 10_000)
    const path = `${letters(5)}/${letters(5)}/${letters(5)}/item.htm?query=1${hot ? '' : `&channel_id=${channel}`}`
    return {
      auction: 1000 + Math.floor(random() * 100_000),
      bidder: 1000 + Math.floor(random() * 50_000),
      price: 100 + Math.floor(random() * 1e6),
      channel: hot ? HOT[Math.floor(random() * 4)] : fresh(`channel-${channel}`),
      url: fresh(`https://www.nexmark.com/${path}`),
      dateTime: 1_700_000_000_000 + i,
    }
  },
  word: () => ({ word: letters(2 + Math.floor(random() * 9)), count: 1 }),
  text: () => letters(2 + Math.floor(random() * 9)),
  number: i => i,
  nested: i => ({ id: i, tags: ['a', 'b'], position: { x: i / 2, y: 1 } }),
}

const keep = new Array(256).fill(null)
let at = 0
const sinkOf = name =>
  new Function('keep', `/* ${name} */ let at = 0; return r => { keep[at++ & 255] = r }`)(keep)

function measure(run) {
  const cpu = () => {
    const { user, system } = process.cpuUsage()
    return user + system
  }
  const end = performance.now() + SECONDS * 1000
  for (const warm = performance.now() + 400; performance.now() < warm; ) run()
  const from = cpu()
  let records = 0
  while (performance.now() < end) for (let i = 0; i < 20; i++) records += run()
  return records / (cpu() - from)
}

function columnar(name, records, timed) {
  const encoder = createBatchEncoder({ targetBytes: 1 << 20 })
  const decoder = createBatchDecoder()
  const target = Buffer.from(new SharedArrayBuffer(1 << 20))
  const timestamp = new Float64Array(1)
  const sink = sinkOf(name)
  let batch = 0
  return () => {
    const start = (batch++ % 8) * BATCH
    for (let i = 0; i < BATCH; i++) encoder.append(records[start + i], timed ? i : Number.NaN)
    decoder.open(target, 0, encoder.finish(target, 0))
    return BATCH + decoder.next(BATCH, timestamp, sink)
  }
}

function json(records) {
  let batch = 0
  return () => {
    const start = (batch++ % 8) * BATCH
    for (const record of JSON.parse(JSON.stringify(records.slice(start, start + BATCH))))
      keep[at++ & 255] = record
    return BATCH
  }
}

const figure = value => `${value.toFixed(1)} M/s`.padStart(10)
for (const [name, make] of Object.entries(shapes)) {
  const records = Array.from({ length: BATCH * 8 }, (_, i) => make(i))
  const plain = measure(columnar(name, records, false))
  const timed = measure(columnar(`${name} timed`, records, true))
  const other = measure(json(records))
  console.log(
    `${name.padEnd(8)} batch${figure(plain)}   with timestamps${figure(timed)}   JSON${figure(other)}   ratio ${(plain / other).toFixed(1)}`,
  )
}
