import { type SerializedError, serializeError } from '@flink-ts/common'
import type { JobStatus } from '@flink-ts/jobgraph'
import { CheckpointExpired, CheckpointFailuresExceeded, SavepointFailed, StopFailed } from '../errors.ts'
import { keepsCheckpoints } from './cleaner.ts'
import type { CompletedCheckpoint } from './completed-store.ts'
import type { CoordinatorEvent } from './coordinator-protocol.ts'
import type { CoordinatorState } from './coordinator-state.ts'
import { FailureManager } from './failure-manager.ts'
import { type PendingCheckpoint, stateSizeBytes } from './pending-checkpoint.ts'

interface Circumstances {
  readonly writing?: 'nothing is being written' | undefined
  /** A savepoint is to be taken again. */
  readonly retry?: boolean
}

/** Ends checkpoints and savepoints, well or badly. Owner: the coordinator. */
export class CheckpointEnds {
  readonly #state: CoordinatorState
  readonly #failureManager: FailureManager

  constructor(state: CoordinatorState) {
    this.#state = state
    this.#failureManager = new FailureManager(state.graph.checkpointing.tolerableFailures)
  }

  /** The metadata of a checkpoint is durable. */
  stored(event: Extract<CoordinatorEvent, { type: 'stored' }>): void {
    const { checkpointId, pointer } = event
    const pending = this.#state.pending.get(checkpointId)
    if (pending === undefined) {
      this.#state.actAll(this.#state.folders.writingEnded(checkpointId))
      return
    }
    this.#state.pending.delete(checkpointId)
    this.#state.act({ type: 'cancel-timer', timer: `expire/${checkpointId}` })
    const { savepoint } = pending
    const completed = this.completedOf(pending, event)
    this.#state.history.completed(completed)
    if (savepoint !== undefined) {
      this.#state.latestSavepointId = checkpointId
      const answer = this.#state.savepoints.completed(pointer)
      if (answer !== undefined) this.#state.act(answer)
      // The job goes on: what was before it is not committed, since a failure goes back to an earlier checkpoint.
      if (savepoint.stop === 'no') return
    }
    for (const requestId of pending.requests)
      this.#state.act({ type: 'checkpoint-completed', requestId, checkpointId })
    const subsumed = this.#state.completed.add(completed, [...this.#state.pending.keys()])
    this.#failureManager.completed()
    this.#state.triggers.completed(this.#state.time.monotonicMs, pending.coversEndOfData)
    const slowest = pending.describeSlowest(this.#state.graph)
    const ending = savepoint === undefined ? [...pending.ended] : [...pending.plan.acknowledge.keys()]
    this.#state.act({
      type: 'notify-complete',
      attemptIds: this.#state.tasks.living(pending.plan),
      checkpointId,
      last: ending.length > 0,
      ...(slowest !== undefined && { slowest }),
    })
    // They end now: a checkpoint that waits for them would be in vain.
    for (const attemptId of ending) this.#state.tasks.update(attemptId, { state: 'finishing' })
    this.#state.actAll(subsumed)
  }

  /** A checkpoint whose metadata is durable as one that is complete. */
  completedOf(
    pending: PendingCheckpoint,
    {
      pointer,
      metadata: stored,
    }: Pick<Extract<CoordinatorEvent, { type: 'stored' }>, 'pointer' | 'metadata'>,
  ): CompletedCheckpoint {
    const { metadata, origins } = pending.sealed
    return {
      ...{ id: pending.id, pointer, origins, metadata: stored ?? metadata },
      stateBytes: stateSizeBytes(metadata),
      durationMs: this.#state.time.monotonicMs - pending.startedMs,
      external: pending.savepoint !== undefined,
    }
  }

  /** A checkpoint has taken too long. */
  expired(checkpointId: number): void {
    const pending = this.#state.pending.get(checkpointId)
    if (pending === undefined) return
    const { timeoutMs } = this.#state.graph.checkpointing
    const missing = pending.describeMissing(this.#state.graph)
    // All have acknowledged: the storage is what takes so long.
    const waitingFor = missing.length === 0 ? ['the checkpoint storage'] : missing
    this.failed(pending, serializeError(CheckpointExpired({ checkpointId, timeoutMs, missing: waitingFor })))
  }

  /** Something went wrong: it counts, unless it was a savepoint. */
  failed(pending: PendingCheckpoint, reason: SerializedError, writing?: 'nothing is being written'): void {
    this.abort(pending, reason, writing)
    if (pending.savepoint !== undefined) return
    this.#state.triggers.failed(this.#state.time.monotonicMs)
    const failures = this.#failureManager.failed()
    if (failures === undefined) return
    const tolerable = this.#state.graph.checkpointing.tolerableFailures
    const error = CheckpointFailuresExceeded({ failures, tolerable, last: reason.message })
    this.#state.act({ type: 'fail-job', error: { ...serializeError(error), cause: reason } })
  }

  /** Gives a checkpoint up because tasks came to their end: nothing went wrong. A savepoint is taken once more. */
  overtaken(pending: PendingCheckpoint, reason: string): void {
    this.#end(pending, reason, { retry: true })
  }

  /** Gives a checkpoint up. */
  abort(
    pending: PendingCheckpoint,
    reason: SerializedError | string,
    writing?: 'nothing is being written',
  ): void {
    this.#end(pending, reason, { writing })
  }

  #end(pending: PendingCheckpoint, reason: SerializedError | string, circumstances: Circumstances): void {
    const living = this.#state.tasks.living(pending.plan)
    const error = this.#giveUp(pending, reason, circumstances)
    // Its sources have ended: only a checkpoint from before brings them back.
    if (error !== undefined && pending.savepoint?.stop === 'drain' && living.length > 0)
      this.#state.act({ type: 'fail-job', error })
  }

  /** @returns what was answered, if it was a savepoint */
  #giveUp(
    pending: PendingCheckpoint,
    reason: SerializedError | string,
    { writing, retry = false }: Circumstances = {},
  ): SerializedError | undefined {
    const { id: checkpointId, savepoint } = pending
    const text = typeof reason === 'string' ? reason : reason.message
    this.#state.pending.delete(checkpointId)
    this.#state.history.failed(checkpointId, text, this.#state.time.epochMs)
    this.#state.act({ type: 'cancel-timer', timer: `expire/${checkpointId}` })
    const attemptIds = this.#state.tasks.living(pending.plan)
    if (attemptIds.length > 0 || this.#state.coordinated) {
      this.#state.act({ type: 'notify-aborted', attemptIds, checkpointId, reason: text })
    }
    // The folder goes when nobody is about to write into it.
    const beingWritten = pending.state === 'storing' && writing === undefined
    this.#state.actAll(this.#state.folders.add(checkpointId, savepoint?.folder, beingWritten))
    this.#failByHand(pending.requests, text)
    if (savepoint === undefined) return undefined
    if (retry && this.#state.savepoints.retry(this.#state.time.monotonicMs)) return undefined
    const failure = serializeError(SavepointFailed({ reason: text.replace(/\.$/, '') }))
    const error = typeof reason === 'string' ? failure : { ...failure, cause: reason }
    this.#state.act(this.#state.savepoints.failed(error))
    return error
  }

  #failByHand(requests: readonly string[], reason: string): void {
    const error = serializeError(SavepointFailed({ reason: reason.replace(/\.$/, '') }))
    for (const requestId of requests) this.#state.act({ type: 'savepoint-failed', requestId, error })
  }

  /** Nothing that is under way can succeed any more. */
  interrupted(finished: boolean, reason: string): void {
    // What was drained starts again with what was stopped: that is no failure of its own.
    for (const pending of [...this.#state.pending.values()]) this.#giveUp(pending, reason)
    this.#failByHand(this.#state.byHand.splice(0), reason)
    const failure = (pointer: string | undefined): SerializedError =>
      serializeError(pointer === undefined ? SavepointFailed({ reason }) : StopFailed({ pointer, reason }))
    this.#state.actAll(this.#state.savepoints.interrupted(finished, failure))
  }

  /** Nothing is taken any more; what is not kept is discarded. */
  jobOver(status: JobStatus): void {
    if (this.#state.over) return
    this.#state.over = true
    this.interrupted(status === 'FINISHED', `the job is over: ${status}`)
    if (status === 'SUSPENDED') return
    this.#state.actAll(this.#state.folders.all())
    if (keepsCheckpoints(this.#state.graph.checkpointing.externalizedRetention, status)) return
    this.#state.actAll(this.#state.completed.discardAll())
    this.#state.actAll(this.#state.abandonedFolders())
    this.#state.act({ type: 'discard-job' })
  }
}
