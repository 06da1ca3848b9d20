/** Which folder is to be removed: that of a checkpoint, or of a savepoint. */
export interface DiscardAction {
  readonly type: 'discard'
  readonly checkpointId: number
  /** URI of the folder, if it was a savepoint. */
  readonly savepoint?: string
}

/** A checkpoint that counts no more, but whose folder has files of later ones. */
export interface RetireAction {
  readonly type: 'retire'
  readonly checkpointId: number
}

/** How many are remembered; the oldest is forgotten beyond that: nobody writes into a folder for so long. */
const MAX_REMEMBERED = 1000

/**
 * Folders of checkpoints and savepoints that were given up: late acknowledgements may still bring files into them, and
 * metadata may be on its way. Owner: the coordinator.
 */
export class AbortedFolders {
  /** By id, with the folder of savepoints. */
  readonly #aborted = new Map<number, string | undefined>()
  /** Their metadata was being written: discarded when the outcome is known. */
  readonly #abandoned = new Set<number>()

  /** @param beingWritten its metadata may come into being later */
  add(checkpointId: number, savepoint: string | undefined, beingWritten: boolean): readonly DiscardAction[] {
    this.#aborted.set(checkpointId, savepoint)
    if (this.#aborted.size > MAX_REMEMBERED) this.#forgetOldest()
    if (!beingWritten) return this.#discard(checkpointId)
    this.#abandoned.add(checkpointId)
    return []
  }

  /** The metadata of one that was given up is written, or will not be. */
  writingEnded(checkpointId: number): readonly DiscardAction[] {
    return this.#abandoned.delete(checkpointId) ? this.#discard(checkpointId) : []
  }

  /** An acknowledgement came after its end: with files. */
  late(checkpointId: number): readonly DiscardAction[] {
    return this.#aborted.has(checkpointId) && !this.#abandoned.has(checkpointId)
      ? this.#discard(checkpointId)
      : []
  }

  /** Nobody writes any more: what late tasks left behind. */
  all(): readonly DiscardAction[] {
    return [...this.#aborted.keys()].flatMap(id => (this.#abandoned.has(id) ? [] : this.#discard(id)))
  }

  #forgetOldest(): void {
    const oldest = [...this.#aborted.keys()].find(id => !this.#abandoned.has(id))
    if (oldest !== undefined) this.#aborted.delete(oldest)
  }

  #discard(checkpointId: number): readonly DiscardAction[] {
    const savepoint = this.#aborted.get(checkpointId)
    return [{ type: 'discard', checkpointId, ...(savepoint !== undefined && { savepoint }) }]
  }
}
