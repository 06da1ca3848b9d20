import type { Logger } from '@flink-ts/common'
import { fileSystemFor } from '@flink-ts/filesystem'
import type { JobOver } from '@flink-ts/gateways'
import type { FilesChange } from '../thread/slot-messages.ts'

/**
 * Files that the tasks of a slot have begun and that are no results yet: what sinks write before its checkpoint is
 * complete. Survives the thread. Owner: the slot, TaskExecutor main thread.
 */
export class UnfinishedFiles {
  readonly #logger: Logger
  /** By URI: the checkpoint that covers it; undefined: none yet. */
  readonly #files = new Map<string, number | undefined>()

  constructor(dependencies: { logger: Logger }) {
    this.#logger = dependencies.logger
  }

  get size(): number {
    return this.#files.size
  }

  note({ uris, state, checkpointId }: FilesChange): void {
    for (const uri of uris) {
      if (state === 'gone') this.#files.delete(uri)
      else this.#files.set(uri, checkpointId)
    }
  }

  /** Attempts start from this checkpoint, if from one: what it covers is theirs to commit. */
  restored(checkpointId: number | undefined): void {
    if (checkpointId === undefined) return
    for (const [uri, covered] of this.#files) {
      if (covered !== undefined && covered <= checkpointId) this.#files.delete(uri)
    }
  }

  /** Removes the files that nobody can come to commit. Never rejects: a file that cannot be removed is logged. */
  async removeUncovered({ retainedCheckpointId }: JobOver): Promise<void> {
    const files = [...this.#files]
    this.#files.clear()
    const uncovered = files.filter(
      ([, checkpointId]) => checkpointId === undefined || checkpointId > (retainedCheckpointId ?? -1),
    )
    const remove = async (uri: string): Promise<void> => {
      try {
        await fileSystemFor(uri).recoverableWriter().discard(uri)
      } catch (error) {
        this.#logger.warn({ uri, error }, 'unfinished file of a job that is over could not be removed')
      }
    }
    await Promise.all(uncovered.map(([uri]) => remove(uri)))
  }
}
