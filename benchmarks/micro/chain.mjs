// Chain of operators in one thread (generate, filter, map, keyed count) beside the same loop by hand, clean and after
// six other pipelines of the same operators ran: `node --conditions=@flink-ts/source benchmarks/micro/chain.mjs`
// (or after a build, without the condition). Each figure is the median of several processes, in CPU time.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { nullLogger } from '@flink-ts/common'
import {
  DataGeneratorSource,
  DiscardingSink,
  filterOperator,
  generateFunction,
  keyedProcessOperator,
  keyedReduceOperator,
  MIN_WATERMARK,
  mapOperator,
  sinkOperator,
  sourceOperator,
  WatermarkStrategy,
} from '@flink-ts/operators'
import { createHashMapKeyedStateBackend, ValueStateDescriptor } from '@flink-ts/state'

const RECORDS = Number(process.env.RECORDS ?? 8_000_000)
const ROUNDS = Number(process.env.ROUNDS ?? 5)
const KEYS = 10_000
const SLICE = 256

const channels = ['Google', 'Facebook', 'Baidu', 'Apple']
const urls = Array.from({ length: 1000 }, (_, i) =>
  Buffer.from(`https://www.example.com/page.html?channel_id=${i}`).latin1Slice(),
)

/** The main pipeline: bids of an auction. What a user would write. */
const bids = {
  generator: index => {
    const u = (Math.imul(index, 1664525) + 1013904223) >>> 4
    return {
      auction: u % KEYS,
      bidder: (u >>> 3) % 1000,
      price: (u >>> 5) & 0xffff,
      channel: channels[u & 3],
      url: urls[(u >>> 2) % 1000],
      time: index,
    }
  },
  filter: bid => (bid.price & 3) !== 0,
  map: bid => ({ auction: bid.auction, price: bid.price * 0.908, channel: bid.channel, count: 1 }),
  key: bid => bid.auction,
  reduce: (a, b) => ({ auction: a.auction, price: b.price, channel: b.channel, count: a.count + b.count }),
}

/** Other shapes and keys, through the same operators. */
const others = [
  {
    generator: i => ({ word: `w${i % 100}`, n: 1 }),
    filter: r => r.n > 0,
    map: r => ({ word: r.word, n: r.n }),
    key: r => r.word,
    reduce: (a, b) => ({ word: a.word, n: a.n + b.n }),
  },
  {
    generator: i => ({ id: i, name: `n${i % 50}`, mail: 'x' }),
    filter: r => (r.id & 1) === 0,
    map: r => ({ n: r.name, i: r.id }),
    key: r => r.n,
    reduce: (a, b) => ({ n: a.n, i: a.i + b.i }),
  },
  {
    generator: i => ({ a: i * 0.5, b: i }),
    filter: r => r.a > 1,
    map: r => [r.a, r.b],
    key: r => r[1] & 255,
    reduce: (a, b) => [a[0], b[1]],
  },
  {
    generator: i => i,
    filter: n => n % 3 !== 0,
    map: n => n * 2,
    key: n => n & 127,
    reduce: (a, b) => (a + b) | 0,
  },
  {
    generator: i => `s${i % 1000}`,
    filter: s => s.length > 2,
    map: s => s.toUpperCase(),
    key: s => s,
    reduce: (_a, b) => b,
  },
  {
    generator: i => ({ ts: i, v: i, host: `h${i % 9}`, z: null }),
    filter: r => r.v > 2,
    map: r => ({ host: r.host, v: r.v, ts: r.ts }),
    key: r => r.host,
    reduce: (_a, b) => b,
  },
]

let consumed = 0

/** What a task gives its operators, as far as a chain without events needs it. */
async function contextOf(name, register, out) {
  const keyedState = await createHashMapKeyedStateBackend(
    { keyGroupRange: { start: 0, end: 127 }, maxParallelism: 128 },
    [],
    { readRange: () => Promise.reject(new Error('nothing to restore')) },
  )
  return {
    operatorName: name,
    subtaskIndex: 0,
    parallelism: 1,
    maxParallelism: 128,
    attemptNumber: 0,
    checkpointingEnabled: false,
    restoredCheckpointId: undefined,
    autoWatermarkIntervalMs: 0,
    globalJobParameters: {},
    timestamp: register,
    out,
    sideOutput: () => () => {},
    generate: (names, body, values) => generateFunction(name, names, body, values),
    keyedState,
    operatorState: { listState: () => ({ get: () => [], update: () => {} }) },
    emitWatermark: () => {},
    currentWatermark: () => MIN_WATERMARK,
    shouldYield: () => false,
    processingTime: () => 0,
    logger: nullLogger,
  }
}

/** Counts with user-facing state instead of reduce. */
const countProcess = map => ({
  open(context) {
    this.count = context.getState(new ValueStateDescriptor('count', 0))
  },
  processElement(value, context, out) {
    const count = this.count.value() + 1
    this.count.update(count)
    out(map(value, count))
  },
})

/** source -> filter -> map -> (direct edge by key) keyed count -> sink; returns the source's driver. */
async function build(job, records, keyed) {
  const register = new Float64Array([Number.NaN])
  const sink = {
    kind: 'count',
    createWriter: () => ({
      write: value => {
        consumed += typeof value === 'number' ? 1 : 2
      },
      flush: () => {},
    }),
  }
  const factories = [
    ['sink', sinkOperator(job === bids ? sink : new DiscardingSink())],
    [
      'count',
      keyed === 'process'
        ? keyedProcessOperator(
            job.key,
            countProcess((value, count) => ({ value, count })),
          )
        : keyedReduceOperator(job.key, job.reduce),
    ],
    ['map', mapOperator(job.map)],
    ['filter', filterOperator(job.filter)],
    [
      'source',
      sourceOperator(
        new DataGeneratorSource({ generator: job.generator, count: records }),
        WatermarkStrategy.noWatermarks(),
      ),
    ],
  ]
  let out
  let operator
  for (const [name, factory] of factories) {
    operator = factory.create(await contextOf(name, register, out))
    await operator.open?.()
    out = operator.processElement
  }
  return operator.source
}

function drive(source) {
  while (source.emit(SLICE) !== 'end') {
    // as a task does, slice by slice
  }
}

/** The same by hand, with a mutable box for each key: the fastest plain way. Reduces as the reduce function does. */
function handReduce(records) {
  const state = new Map()
  for (let index = 0; index < records; index++) {
    const u = (Math.imul(index, 1664525) + 1013904223) >>> 4
    const bid = {
      auction: u % KEYS,
      bidder: (u >>> 3) % 1000,
      price: (u >>> 5) & 0xffff,
      channel: channels[u & 3],
      url: urls[(u >>> 2) % 1000],
      time: index,
    }
    if ((bid.price & 3) === 0) continue
    const mapped = { auction: bid.auction, price: bid.price * 0.908, channel: bid.channel, count: 1 }
    const box = state.get(mapped.auction)
    let result
    if (box === undefined) {
      state.set(mapped.auction, { value: mapped })
      result = mapped
    } else {
      const a = box.value
      result = {
        auction: a.auction,
        price: mapped.price,
        channel: mapped.channel,
        count: a.count + mapped.count,
      }
      box.value = result
    }
    consumed += typeof result === 'number' ? 1 : 2
  }
}

/** Counts in place, as the process function does. */
function handCount(records) {
  const state = new Map()
  for (let index = 0; index < records; index++) {
    const u = (Math.imul(index, 1664525) + 1013904223) >>> 4
    const bid = {
      auction: u % KEYS,
      bidder: (u >>> 3) % 1000,
      price: (u >>> 5) & 0xffff,
      channel: channels[u & 3],
      url: urls[(u >>> 2) % 1000],
      time: index,
    }
    if ((bid.price & 3) === 0) continue
    const mapped = { auction: bid.auction, price: bid.price * 0.908, channel: bid.channel, count: 1 }
    let box = state.get(mapped.auction)
    if (box === undefined) {
      box = { count: 0 }
      state.set(mapped.auction, box)
    }
    box.count++
    const result = { value: mapped, count: box.count }
    consumed += typeof result === 'number' ? 1 : 2
  }
}

/** Million records a second of CPU time. */
async function measure(run) {
  for (let i = 0; i < 3; i++) await run(RECORDS / 8)
  const before = process.cpuUsage()
  await run(RECORDS)
  const { user, system } = process.cpuUsage(before)
  return RECORDS / (user + system)
}

async function child(variant) {
  const [keyed, state] = variant.split(' ')
  if (state === 'hand') return measure(keyed === 'reduce' ? handReduce : handCount)
  if (state === 'polluted') {
    for (let round = 0; round < 3; round++) {
      for (const job of others) drive(await build(job, 100_000, keyed))
    }
  }
  // One pipeline for all rounds, as in a job that runs on.
  const source = await build(bids, 4 * RECORDS, keyed)
  let emitted = 0
  return measure(records => {
    for (const end = emitted + records; emitted < end; emitted += SLICE) source.emit(SLICE)
  })
}

const median = values => values.toSorted((a, b) => a - b)[values.length >> 1]

if (process.argv[2] === '--variant') {
  console.log(JSON.stringify({ figure: await child(process.argv[3]), consumed }))
} else {
  const variants = ['reduce', 'process'].flatMap(keyed =>
    ['hand', 'clean', 'polluted'].map(state => `${keyed} ${state}`),
  )
  const figures = Object.fromEntries(variants.map(variant => [variant, []]))
  for (let round = 0; round < ROUNDS; round++) {
    for (const variant of variants) {
      const args = [...process.execArgv, fileURLToPath(import.meta.url), '--variant', variant]
      const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
      if (status !== 0) throw new Error(stderr)
      figures[variant].push(JSON.parse(stdout).figure)
    }
  }
  for (const variant of variants) {
    const reference = median(figures[`${variant.split(' ')[0]} hand`])
    const figure = median(figures[variant])
    console.log(
      `${variant.padEnd(18)} ${figure.toFixed(1).padStart(6)} M/s  ${((100 * figure) / reference).toFixed(0)} % of the loop by hand`,
    )
  }
}
