interface Assignment<S> {
  readonly subtaskIndex: number
  readonly splits: readonly S[]
  /** The last snapshot before it: a checkpoint later than this one has the splits in the reader's state. */
  readonly after: number
}

/** Snapshot before all others. */
const NONE = 0

/** Which splits were handed out since when, so that those no checkpoint covers can come back. Owner: its coordinator. */
export class SplitAssignments<S> {
  #assignments: Assignment<S>[] = []
  #lastSnapshot: number

  /** @param restoredCheckpointId the checkpoint that the enumerator starts from */
  constructor(restoredCheckpointId: number | undefined) {
    this.#lastSnapshot = restoredCheckpointId ?? NONE
  }

  /** Assignments that may still come back. */
  get size(): number {
    return this.#assignments.length
  }

  assigned(subtaskIndex: number, splits: readonly S[]): void {
    this.#assignments.push({ subtaskIndex, splits, after: this.#lastSnapshot })
  }

  /** What is assigned from now on is not in the readers' states of this checkpoint. */
  snapshotTaken(checkpointId: number): void {
    this.#lastSnapshot = checkpointId
  }

  /** No reader will start from an earlier checkpoint any more. */
  completed(checkpointId: number): void {
    this.#assignments = this.#assignments.filter(({ after }) => after >= checkpointId)
  }

  /** Removes and answers what the reader got after that checkpoint (undefined: ever), in order of assignment. */
  takeBack(subtaskIndex: number, checkpointId: number | undefined): readonly S[] {
    const lost = this.#assignments.filter(
      assignment => assignment.subtaskIndex === subtaskIndex && assignment.after >= (checkpointId ?? NONE),
    )
    this.#assignments = this.#assignments.filter(assignment => !lost.includes(assignment))
    return lost.flatMap(({ splits }) => splits)
  }
}
