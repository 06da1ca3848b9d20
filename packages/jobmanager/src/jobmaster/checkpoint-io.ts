import { type Logger, serializeError } from '@flink-ts/common'
import type { CheckpointMetadata, CheckpointStorage, SavepointStorage } from '@flink-ts/state'
import type { DiscardAction } from '../checkpoint/aborted-folders.ts'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'

/** Does the coordinator's storage work and reports its outcomes. Owner: JobMaster main thread. */
export class CheckpointIo {
  /** Undefined: the job takes no checkpoints, but savepoints. */
  readonly #storage: CheckpointStorage | undefined
  readonly #savepoints: SavepointStorage
  readonly #logger: Logger
  readonly #report: (event: CoordinatorEvent) => void
  readonly #open = new Set<Promise<void>>()

  constructor(
    storages: { readonly checkpoints: CheckpointStorage | undefined; readonly savepoints: SavepointStorage },
    logger: Logger,
    report: (event: CoordinatorEvent) => void,
  ) {
    this.#storage = storages.checkpoints
    this.#savepoints = storages.savepoints
    this.#logger = logger
    this.#report = report
  }

  /** @param savepoint folder, if it is one */
  store(metadata: CheckpointMetadata, savepoint: string | undefined): void {
    const { checkpointId } = metadata
    const stored =
      savepoint === undefined
        ? this.#checkpoints()
            .complete(metadata)
            .then(pointer => ({ pointer }))
        : this.#savepoints.complete(savepoint, metadata)
    this.#track(
      stored.then(
        outcome => this.#report({ type: 'stored', checkpointId, ...outcome }),
        (error: unknown) => {
          this.#logger.warn({ checkpointId, savepoint, error }, 'Checkpoint not stored')
          this.#report({ type: 'store-failed', checkpointId, reason: serializeError(error) })
        },
      ),
    )
  }

  discard({ checkpointId, savepoint }: DiscardAction): void {
    const discarded =
      savepoint === undefined
        ? this.#checkpoints().discard(checkpointId)
        : this.#savepoints.discard(savepoint)
    this.#track(
      discarded.catch((error: unknown) => {
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
