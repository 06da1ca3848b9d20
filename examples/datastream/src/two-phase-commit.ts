// Bookings into a ledger that knows transactions, each exactly once: written with a checkpoint, visible when that is
// complete. The ledger is a folder here, with a file for each transaction.
//
//   node examples/datastream/src/two-phase-commit.ts --ledger output/ledger
import { randomUUID } from 'node:crypto'
import { appendFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  DataGeneratorSource,
  ParameterTool,
  StreamExecutionEnvironment,
  TwoPhaseCommitSinkFunction,
  WatermarkStrategy,
} from 'flink-ts'

interface Booking {
  readonly account: string
  readonly cents: number
}

interface Transaction {
  readonly id: string
}

class Ledger extends TwoPhaseCommitSinkFunction<Booking, Transaction> {
  override readonly kind = 'ledger'
  readonly #folder: string

  constructor(folder: string) {
    super()
    this.#folder = folder
  }

  beginTransaction(): Transaction {
    mkdirSync(this.#folder, { recursive: true })
    return { id: randomUUID() }
  }

  invoke({ id }: Transaction, { account, cents }: Booking): void {
    appendFileSync(this.#file(id, 'open'), `${account} ${cents}\n`)
  }

  preCommit({ id }: Transaction): void {
    // A transaction without bookings has no file.
    if (existsSync(this.#file(id, 'open'))) renameSync(this.#file(id, 'open'), this.#file(id, 'prepared'))
  }

  // Asked again after a failure: one that is committed already is no error.
  commit({ id }: Transaction): void {
    if (existsSync(this.#file(id, 'prepared')))
      renameSync(this.#file(id, 'prepared'), this.#file(id, 'booked'))
  }

  abort({ id }: Transaction): void {
    rmSync(this.#file(id, 'open'), { force: true })
    rmSync(this.#file(id, 'prepared'), { force: true })
  }

  #file(id: string, state: 'open' | 'prepared' | 'booked'): string {
    return join(this.#folder, `${id}.${state}`)
  }
}

const env = StreamExecutionEnvironment.getExecutionEnvironment()
const parameters = ParameterTool.fromArgs(env.args)
env.setParallelism(parameters.getInt('parallelism', env.getParallelism()))
env.enableCheckpointing('100 ms')

env
  .fromSource(
    new DataGeneratorSource({
      generator: (i): Booking => ({ account: `account ${i % 7}`, cents: i }),
      count: parameters.getInt('bookings', 1000),
      ratePerSecond: 2000,
    }),
    WatermarkStrategy.noWatermarks<Booking>(),
    'bookings',
  )
  .sinkTo(new Ledger(parameters.get('ledger', 'output/ledger')))
  .name('ledger')

await env.execute('two-phase commit')
