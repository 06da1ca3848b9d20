import { type Clock, type Logger, nullLogger, SeededRandom } from '@flink-ts/common'
import { InProcessNetwork } from '@flink-ts/rpc'
import { Attempts } from './attempts.ts'
import { DataPlane } from './data-plane.ts'
import { SimulatedFiles } from './simulated-files.ts'
import { SimulatedStorage } from './simulated-storage.ts'
import { traceLogger } from './trace-logger.ts'
import { Verdict } from './violation.ts'
import { ProcessClock, VirtualTime } from './virtual-time.ts'
import { Output } from './workload.ts'

/** Takes one line of a trace. */
export type Trace = (line: string) => void

/** Everything that the processes of one simulation share. */
export class World {
  readonly time = new VirtualTime()
  readonly random: SeededRandom
  readonly verdict = new Verdict()
  readonly attempts: Attempts
  readonly network: InProcessNetwork
  readonly dataPlane: DataPlane
  readonly storage: SimulatedStorage
  readonly files: SimulatedFiles
  readonly output: Output
  /** How often a JobManager found that it leads no longer. */
  revokedTerms = 0
  /** Job hosts that were ever started. */
  jobHosts = 0
  /** Of what belongs to no process. */
  readonly clock: Clock
  readonly #trace: Trace | undefined

  constructor(seed: number, trace: Trace | undefined) {
    this.#trace = trace
    this.random = new SeededRandom(seed)
    const latencies = new SeededRandom(seed ^ 0x5bd1e995)
    this.clock = new ProcessClock(this.time)
    this.network = new InProcessNetwork({
      clock: this.clock,
      latencyMs: () => Math.max(0, Math.floor(latencies.next() * 8) - 3),
    })
    this.output = new Output(this.verdict)
    this.dataPlane = new DataPlane(this.time, new SeededRandom(seed ^ 0x1b873593))
    this.storage = new SimulatedStorage({
      time: this.time,
      random: new SeededRandom(seed ^ 0x27d4eb2f),
      note: (fields, message) => this.logger('storage').info(fields, message),
    })
    this.files = new SimulatedFiles(this.storage)
    this.attempts = new Attempts(this.verdict, this.storage)
  }

  /** @param process where it is said */
  logger(process: string): Logger {
    return this.#trace === undefined ? nullLogger : traceLogger(process, this.time, this.#trace)
  }
}
