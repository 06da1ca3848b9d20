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
import { bids, consumed, handCount, handReduce, others } from '../pipelines.ts'

const RECORDS = Number(process.env.RECORDS ?? 8_000_000)
const ROUNDS = Number(process.env.ROUNDS ?? 5)
const SLICE = 256

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
        consumed.count += typeof value === 'number' ? 1 : 2
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
  if (state === 'hand') {
    const hand = keyed === 'reduce' ? handReduce : handCount
    return measure(records => hand()(0, records))
  }
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
  console.log(JSON.stringify({ figure: await child(process.argv[3]), consumed: consumed.count }))
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
