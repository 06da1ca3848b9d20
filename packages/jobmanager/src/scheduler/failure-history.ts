import type { SerializedError } from '@flink-ts/common'
import type { FailureEntry } from '@flink-ts/gateways'
import { type Execution, taskName } from '../execution-graph/execution-graph.ts'

/** The latest failures of a job. Owner: the scheduler. */
export class FailureHistory {
  readonly #maxEntries: number
  readonly #entries: FailureEntry[] = []
  #latest: SerializedError | undefined

  constructor(options: { readonly maxEntries: number }) {
    this.#maxEntries = options.maxEntries
  }

  /** Oldest first; what failed while an earlier failure was being answered is part of that entry. */
  get entries(): readonly FailureEntry[] {
    return this.#entries
  }

  /** The error that was added last. */
  get latest(): SerializedError | undefined {
    return this.#latest
  }

  /** @param concurrent the failure before it has not been answered by a restart yet */
  add(error: SerializedError, where: Execution | undefined, nowMs: number, concurrent: boolean): void {
    this.#latest = error
    const failure = {
      timestamp: nowMs,
      error,
      task: where === undefined ? undefined : taskName(where),
      location: where?.location?.dataAddress,
      taskManagerId: where?.location?.taskManager,
    }
    const root = this.#entries.at(-1)
    if (!concurrent || root === undefined) this.#entries.push({ ...failure, concurrent: [] })
    else if (root.concurrent.length < this.#maxEntries)
      this.#entries[this.#entries.length - 1] = { ...root, concurrent: [...root.concurrent, failure] }
    if (this.#entries.length > this.#maxEntries) this.#entries.shift()
  }
}
