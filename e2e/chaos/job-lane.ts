import { SeededRandom } from '@flink-ts/common'
import { JobRun, type JobRunDependencies, type Operation } from './job-run.ts'

export interface JobLaneOptions {
  /** One of {@link WORKLOADS}. */
  readonly kind: string
  readonly seed: number
  /** Least and greatest time of one job, undisturbed. */
  readonly jobSeconds: readonly [number, number]
}

/** Jobs of one kind, one after the other; the output of each is compared when it is over. */
export class JobLane {
  readonly kind: string
  readonly #options: JobLaneOptions
  readonly #deps: JobRunDependencies
  readonly #random: SeededRandom
  #number = 0
  #jobId: string | undefined
  #requested: { readonly operation: Operation; readonly done: () => void } | undefined

  constructor(options: JobLaneOptions, dependencies: JobRunDependencies) {
    this.kind = options.kind
    this.#options = options
    this.#deps = dependencies
    this.#random = new SeededRandom(options.seed)
  }

  /** The job that runs now; undefined: one is being submitted, or ended. */
  get jobId(): string | undefined {
    return this.#jobId
  }

  /** Has the operation done to the job that runs; resolves when it is over, whatever came of it. */
  request(operation: Operation): Promise<void> {
    if (this.#requested !== undefined || this.#jobId === undefined) return Promise.resolve()
    return new Promise(done => {
      this.#requested = { operation, done }
    })
  }

  /** Runs jobs until `isOver`, and the last one to its end. Resolves also when a job went wrong: the report says so. */
  async run(isOver: () => boolean): Promise<void> {
    while (!isOver()) {
      const run = new JobRun(
        {
          kind: this.kind,
          name: `${this.kind}-${this.#number++}`,
          seconds: this.#between(this.#options.jobSeconds),
        },
        this.#deps,
      )
      await this.#toItsEnd(run)
      this.#jobId = undefined
      this.#requested?.done()
      this.#requested = undefined
    }
  }

  async #toItsEnd(run: JobRun): Promise<void> {
    try {
      await run.start(this.#between([1, 3]))
      while (!(await run.isOver())) {
        this.#jobId = run.jobId
        const requested = this.#requested
        if (requested !== undefined) {
          this.#jobId = undefined
          await run.operate(requested.operation, this.#between([1, 3]))
          this.#requested = undefined
          requested.done()
        }
        await new Promise(resolve => setTimeout(resolve, 50))
      }
    } catch (error) {
      this.#deps.report.failed(`job ${run.name}: ${(error as Error).message}`)
    }
  }

  #between([least, most]: readonly [number, number]): number {
    return least + Math.floor(this.#random.next() * (most - least + 1))
  }
}
