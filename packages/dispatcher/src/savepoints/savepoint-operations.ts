import { type Clock, type JobId, serializeError } from '@flink-ts/common'
import type { SavepointStatus } from '@flink-ts/gateways'

interface Operation {
  readonly jobId: JobId
  readonly outcome: Promise<string>
  status: SavepointStatus
}

/**
 * Savepoints by the trigger id that their caller chose: asking again with the same id takes no second one, also after
 * the job has ended. Outcomes are remembered for a while. Owner: Dispatcher main thread.
 */
export class SavepointOperations {
  readonly #storeDurationMs: number
  readonly #clock: Clock
  readonly #operations = new Map<string, Operation>()

  constructor(options: { readonly storeDurationMs: number }, dependencies: { readonly clock: Clock }) {
    this.#storeDurationMs = options.storeDurationMs
    this.#clock = dependencies.clock
  }

  /** Starts it, unless it was; resolves with its URI. */
  run(jobId: JobId, triggerId: string, start: () => Promise<string>): Promise<string> {
    const known = this.#operations.get(keyOf(jobId, triggerId))
    if (known !== undefined) return known.outcome
    const operation: Operation = { jobId, outcome: start(), status: { type: 'in-progress' } }
    this.#operations.set(keyOf(jobId, triggerId), operation)
    operation.outcome.then(
      location => this.#ended(operation, triggerId, { type: 'completed', location }),
      (error: unknown) => this.#ended(operation, triggerId, { type: 'failed', error: serializeError(error) }),
    )
    return operation.outcome
  }

  /** Undefined: never heard of, or too long ago. */
  status(jobId: JobId, triggerId: string): SavepointStatus | undefined {
    return this.#operations.get(keyOf(jobId, triggerId))?.status
  }

  #ended(operation: Operation, triggerId: string, status: SavepointStatus): void {
    operation.status = status
    const forget = (): void => {
      this.#operations.delete(keyOf(operation.jobId, triggerId))
    }
    this.#clock.schedule(this.#storeDurationMs, forget, { unref: true })
  }
}

function keyOf(jobId: JobId, triggerId: string): string {
  return `${jobId}/${triggerId}`
}
