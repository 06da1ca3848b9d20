import { type Logger, serializeError } from '@flink-ts/common'
import type { CheckpointMetadata, CheckpointStorage } from '@flink-ts/state'
import type { CoordinatorEvent } from '../checkpoint/coordinator-protocol.ts'

/** Does the coordinator's storage work and reports its outcomes. Owner: JobMaster main thread. */
export class CheckpointIo {
  readonly #storage: CheckpointStorage
  readonly #logger: Logger
  readonly #report: (event: CoordinatorEvent) => void
  readonly #open = new Set<Promise<void>>()

  constructor(storage: CheckpointStorage, logger: Logger, report: (event: CoordinatorEvent) => void) {
    this.#storage = storage
    this.#logger = logger
    this.#report = report
  }

  store(metadata: CheckpointMetadata): void {
    const { checkpointId } = metadata
    this.#track(
      this.#storage.complete(metadata).then(
        pointer => this.#report({ type: 'stored', checkpointId, pointer }),
        (error: unknown) => {
          this.#logger.warn({ checkpointId, error }, 'Checkpoint not stored')
          this.#report({ type: 'store-failed', checkpointId, reason: serializeError(error) })
        },
      ),
    )
  }

  discard(checkpointId: number): void {
    this.#track(
      this.#storage.discard(checkpointId).catch((error: unknown) => {
        this.#logger.warn({ checkpointId, error }, 'Checkpoint not removed: its folder stays behind')
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
      await this.#storage.discardJob()
    } catch (error) {
      this.#logger.warn({ error }, 'Checkpoint folder of the job not removed')
    }
  }

  #track(work: Promise<void>): void {
    this.#open.add(work)
    // `work` never rejects: both outcomes were handled where it was made.
    void work.finally(() => this.#open.delete(work))
  }
}
