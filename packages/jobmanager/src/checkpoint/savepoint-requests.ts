import type { SerializedError } from '@flink-ts/common'

/** A savepoint that somebody asked for. */
export interface SavepointRequest {
  /** Names the request in the answer to it. */
  readonly requestId: string
  /** URI of its folder. */
  readonly folder: string
  /** `suspend`: the job ends with it, to go on from it later. `drain`: sources end first, and windows and timers fire. */
  readonly stop: 'no' | 'suspend' | 'drain'
}

/** The answer to a request; `savepoint-failed` also to one for a checkpoint. */
export type SavepointAnswer =
  | { readonly type: 'savepoint-completed'; readonly requestId: string; readonly pointer: string }
  | { readonly type: 'checkpoint-completed'; readonly requestId: string; readonly checkpointId: number }
  | { readonly type: 'savepoint-failed'; readonly requestId: string; readonly error: SerializedError }

/**
 * The savepoints that were asked for and are not answered yet: they are taken one after the other, with no checkpoint
 * beside. Once the job is being stopped, nothing else is taken. Owner: the coordinator.
 */
export class SavepointRequests {
  readonly #queue: SavepointRequest[] = []
  /** The one whose checkpoint is under way. */
  #current: SavepointRequest | undefined
  #draining = false
  /** The savepoint that the job ends with is complete; tasks have been told. */
  #ending: { readonly request: SavepointRequest; readonly pointer: string } | undefined

  /** Something was asked for that comes before periodic checkpoints. */
  get busy(): boolean {
    return this.#queue.length > 0 || this.#current !== undefined || this.#ending !== undefined
  }

  /** The job is being stopped by one of them. */
  get stopping(): boolean {
    return (
      this.#ending !== undefined ||
      [this.#current, ...this.#queue].some(r => r !== undefined && r.stop !== 'no')
    )
  }

  /** Tasks were told to end for good: sources are drained, or the savepoint is complete. */
  get tasksEnd(): boolean {
    return this.#draining || this.#ending !== undefined
  }

  add(request: SavepointRequest): void {
    this.#queue.push(request)
  }

  /** The sources are to be drained now, once. */
  takeDrain(): boolean {
    if (this.#current !== undefined || this.#draining || this.#queue[0]?.stop !== 'drain') return false
    this.#draining = true
    return true
  }

  /** The savepoint to take now, with no checkpoint under way. */
  take(allEndOfData: boolean): SavepointRequest | undefined {
    const [next] = this.#queue
    if (next === undefined || this.#current !== undefined || this.#ending !== undefined) return undefined
    if (next.stop === 'drain' && !allEndOfData) return undefined
    this.#queue.shift()
    this.#current = next
    return next
  }

  /** The current one is durable. @returns the answer, if it can be given already */
  completed(pointer: string): SavepointAnswer | undefined {
    const request = this.#current!
    this.#current = undefined
    if (request.stop === 'no') {
      return { type: 'savepoint-completed', requestId: request.requestId, pointer }
    }
    this.#ending = { request, pointer }
    return undefined
  }

  /** The current one was given up. */
  failed(error: SerializedError): SavepointAnswer {
    const { requestId } = this.#current!
    this.#current = undefined
    this.#draining = false
    return { type: 'savepoint-failed', requestId, error }
  }

  /**
   * Tasks were stopped, or the job is over. @param finished the job has come to its normal end
   * @param error for a savepoint that is complete but whose job did not end, or for one that was not taken
   */
  interrupted(
    finished: boolean,
    error: (pointer: string | undefined) => SerializedError,
  ): readonly SavepointAnswer[] {
    const answers: SavepointAnswer[] = []
    if (this.#ending !== undefined) {
      const { request, pointer } = this.#ending
      const { requestId } = request
      if (finished) answers.push({ type: 'savepoint-completed', requestId, pointer })
      else answers.push({ type: 'savepoint-failed', requestId, error: error(pointer) })
    }
    for (const { requestId } of this.#queue)
      answers.push({ type: 'savepoint-failed', requestId, error: error(undefined) })
    this.#ending = undefined
    this.#queue.length = 0
    this.#draining = false
    return answers
  }
}
