import type { SerializedError } from '@flink-ts/common'

/** A savepoint that somebody asked for. */
export interface SavepointRequest {
  /** Names the request in the answer to it. */
  readonly requestId: string
  /** URI of its folder. */
  readonly folder: string
  /** `suspend`: the job ends with it, to go on from it later. `drain`: sources end first, and windows and timers fire. */
  readonly stop: 'no' | 'suspend' | 'drain'
  /** How often it was begun in vain, because a task came to its end meanwhile; 0 if absent. */
  readonly attempt?: number
}

/** How often a savepoint is begun; with the pauses between, for five seconds. */
const MAX_ATTEMPTS = 50
const RETRY_PAUSE_MS = 100

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
  #pausedUntilMs: number | undefined
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
  take(allEndOfData: boolean, nowMs: number): SavepointRequest | undefined {
    const [next] = this.#queue
    if (next === undefined || this.#current !== undefined || this.#ending !== undefined) return undefined
    if (this.pauseMs(nowMs) !== undefined) return undefined
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

  /**
   * The current one came to nothing through nobody's fault: it is to be taken again, in a folder of its own, since what
   * is left of this one is still being removed. @returns false: it was tried often enough
   */
  retry(nowMs: number): boolean {
    const request = this.#current!
    const attempt = (request.attempt ?? 0) + 1
    // Sources that were drained have ended: nothing is as it was.
    if (request.stop === 'drain' || attempt >= MAX_ATTEMPTS) return false
    const folder = `${request.folder.replace(/-retry\d+$/, '')}-retry${attempt}`
    this.#current = undefined
    this.#queue.unshift({ ...request, folder, attempt })
    this.#pausedUntilMs = nowMs + RETRY_PAUSE_MS
    return true
  }

  /** How long none is taken; undefined: it may be now. */
  pauseMs(nowMs: number): number | undefined {
    if (this.#pausedUntilMs === undefined || this.#queue.length === 0) return undefined
    return this.#pausedUntilMs > nowMs ? this.#pausedUntilMs - nowMs : undefined
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
