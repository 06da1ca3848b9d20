import type { JobClient, JobExecutionResult } from '@flink-ts/jobgraph'

/**
 * Told of the jobs of an environment, in the program that submits them; never in replays. Nothing waits for promises.
 * What it throws, or a promise rejects with, is shown as a warning of the process and has no other effect.
 */
export interface JobListener {
  /** A job was accepted (`client`), or could not be submitted (`error`). */
  onJobSubmitted?(client: JobClient | undefined, error: unknown): void
  /** A job whose result somebody asked for is over: with its result, or failed. */
  onJobExecuted?(result: JobExecutionResult | undefined, error: unknown): void
}

/** The listeners of one environment. */
export class JobListeners {
  readonly #listeners = new Set<JobListener>()

  add(listener: JobListener): void {
    this.#listeners.add(listener)
  }

  clear(): void {
    this.#listeners.clear()
  }

  /** Tells of a submission, and has the end of the job told by the client it gives back. */
  async watch(submission: Promise<JobClient>): Promise<JobClient> {
    if (this.#listeners.size === 0) return submission
    const listeners = [...this.#listeners]
    const tell = (call: (listener: JobListener) => unknown): void => {
      for (const listener of listeners) {
        try {
          const result = call(listener)
          if (result instanceof Promise) result.catch(warn)
        } catch (error) {
          warn(error)
        }
      }
    }
    let client: JobClient
    try {
      client = await submission
    } catch (error) {
      tell(listener => listener.onJobSubmitted?.(undefined, error))
      throw error
    }
    tell(listener => listener.onJobSubmitted?.(client, undefined))
    let result: Promise<JobExecutionResult> | undefined
    const watched = async (): Promise<JobExecutionResult> => {
      try {
        const outcome = await client.result()
        tell(listener => listener.onJobExecuted?.(outcome, undefined))
        return outcome
      } catch (error) {
        tell(listener => listener.onJobExecuted?.(undefined, error))
        throw error
      }
    }
    return new Proxy(client, {
      get: (target, property) => {
        if (property === 'result') return () => (result ??= watched())
        const value: unknown = Reflect.get(target, property, target)
        return typeof value === 'function' ? value.bind(target) : value
      },
    })
  }
}

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : String(error), { code: 'FLINK_JOB_LISTENER' })
}
