import { type Logger, serializeError } from '@flink-ts/common'
import { LeadershipLost } from '@flink-ts/highavailability'
import type { CheckpointMetadata, CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import type { DiscardAction } from '../checkpoint/aborted-folders.ts'
import type { StoredCheckpoint } from '../checkpoint/checkpoint-coordinator.ts'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'
import type { ProgressRecorder } from './progress-recorder.ts'

/** Does the coordinator's storage work and reports its outcomes. Owner: JobMaster main thread. */
export class CheckpointIo {
  /** Undefined: the job takes no checkpoints, but savepoints. */
  readonly #storage: CheckpointStorage | undefined
  readonly #savepoints: SavepointStorage
  readonly #logger: Logger
  readonly #report: (event: CoordinatorEvent) => void
  /** Undefined: nothing outlives this process. */
  readonly #progress: ProgressRecorder | undefined
  readonly #open = new Set<Promise<void>>()

  constructor(
    storages: { readonly checkpoints: CheckpointStorage | undefined; readonly savepoints: SavepointStorage },
    logger: Logger,
    report: (event: CoordinatorEvent) => void,
    progress?: ProgressRecorder,
  ) {
    this.#storage = storages.checkpoints
    this.#savepoints = storages.savepoints
    this.#logger = logger
    this.#report = report
    this.#progress = progress
  }

  /** @param savepoint folder, if it is one */
  store(metadata: CheckpointMetadata, savepoint: string | undefined): void {
    const { checkpointId } = metadata
    const stored = this.#store(metadata, savepoint)
    this.#track(
      stored.then(
        outcome => this.#report({ type: 'stored', checkpointId, ...outcome }),
        (error: unknown) => {
          // The job is about to be suspended: its checkpoints fail no more.
          if (LeadershipLost.is(error)) return
          this.#logger.warn({ checkpointId, savepoint, error }, 'Checkpoint not stored')
          this.#report({ type: 'store-failed', checkpointId, reason: serializeError(error) })
        },
      ),
    )
  }

  /** The record does not list the checkpoint any more: a later one was stored. */
  retire(checkpointId: number): void {
    this.#track(
      this.#checkpoints()
        .retire(checkpointId)
        .catch((error: unknown) => {
          this.#logger.info({ checkpointId, error }, 'Metadata of a subsumed checkpoint not removed')
        }),
    )
  }

  /** A leader after this one goes on with it, if this one does not come to an end. */
  discard(folder: DiscardAction): void {
    this.#progress?.toGo(folder)
    this.discardAbandoned(folder)
  }

  /** The same for a folder that the record says of anyway that it does not count. */
  discardAbandoned(folder: DiscardAction): void {
    const { checkpointId, savepoint } = folder
    const remove = async (): Promise<void> => {
      await (savepoint === undefined
        ? this.#checkpoints().discard(checkpointId)
        : this.#savepoints.discard(savepoint))
      this.#progress?.gone(folder)
    }
    const discarded =
      this.#progress === undefined ? remove() : this.#progress.release(checkpointId).then(remove)
    this.#track(
      discarded.catch((error: unknown) => {
        // It belongs to another leader now.
        if (LeadershipLost.is(error)) return
        this.#logger.warn(
          { checkpointId, savepoint, error },
          'Checkpoint not removed: its folder stays behind',
        )
      }),
    )
  }

  /** Settles when nothing is under way any more, what comes up meanwhile included. Never rejects. */
  async drain(): Promise<void> {
    while (this.#open.size > 0) await Promise.all(this.#open)
  }

  /** Removes the folder of the job after everything else is done. Never rejects. */
  async discardJob(): Promise<void> {
    await this.drain()
    try {
      await this.#storage?.discardJob()
    } catch (error) {
      this.#logger.warn({ error }, 'Checkpoint folder of the job not removed')
    }
  }

  /** What is stored; it counts from then on. */
  async #store(
    metadata: CheckpointMetadata,
    savepoint: string | undefined,
  ): Promise<Omit<StoredCheckpoint, 'checkpointId'>> {
    const { checkpointId } = metadata
    if (this.#progress !== undefined) await this.#progress.reserve(checkpointId)
    const outcome =
      savepoint === undefined
        ? { pointer: await this.#checkpoints().complete(metadata) }
        : await this.#savepoints.complete(savepoint, metadata)
    if (this.#progress !== undefined) await this.#progress.stored({ checkpointId, ...outcome })
    return outcome
  }

  #checkpoints(): CheckpointStorage {
    if (this.#storage === undefined) throw new Error('A checkpoint of a job without checkpoint storage')
    return this.#storage
  }

  #track(work: Promise<void>): void {
    this.#open.add(work)
    // `work` never rejects: both outcomes were handled where it was made.
    void work.finally(() => this.#open.delete(work))
  }
}
