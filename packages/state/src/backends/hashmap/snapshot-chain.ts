import { type KeyedStateHandle, locationSizeBytes } from '../../snapshot/state-handle.ts'

/** After so many files of changes everything is written again. */
const MAX_CHANGES = 16

interface Taken {
  readonly checkpointId: number
  /** Of copy-on-write. */
  readonly number: number
  readonly handles: readonly KeyedStateHandle[]
}

/**
 * Decides what a snapshot may leave to the files of earlier ones, and keeps the handles of those. Only what the
 * coordinator has called complete is built upon: it keeps the files of its latest completed checkpoint, and everything
 * that follows refers to the same files until all is written again. So a snapshot that wrote everything, of which it is
 * not known whether it became complete, ends the chain: its completion may have removed the older files.
 * Owner: the backend.
 */
export class SnapshotChain {
  #base: Taken | undefined
  /** Snapshots after the base, complete or not. */
  #later: Taken[] = []

  /** The snapshot to build upon; undefined: everything is to be written. */
  base(): Taken | undefined {
    if (this.#base === undefined || this.#base.handles.length === 0) return undefined
    let fullBytes = 0
    let changedBytes = 0
    let changes = 0
    for (const { delta, location } of this.#base.handles) {
      if (delta === undefined) fullBytes += location.type === 'file' ? location.sizeBytes : 0
      else changedBytes += locationSizeBytes(location)
      if (delta === 'changes') changes++
    }
    return changes < MAX_CHANGES && changedBytes * 2 < fullBytes ? this.#base : undefined
  }

  /** A snapshot was written: a full one has no `delta` in its handles. */
  taken(checkpointId: number, number: number, handles: readonly KeyedStateHandle[], isFull: boolean): void {
    if (isFull) {
      this.#base = undefined
      this.#later = []
    }
    this.#later.push({ checkpointId, number, handles })
  }

  /** Whatever was stored so far is not built upon: its files belong to somebody else. */
  break(): void {
    this.#base = undefined
    this.#later = []
  }

  /** The coordinator has completed a checkpoint. Returns the number of the oldest snapshot that is still of use. */
  completed(checkpointId: number): void {
    const at = this.#later.findIndex(taken => taken.checkpointId === checkpointId)
    if (at < 0) return
    this.#base = this.#later[at]
    this.#later = this.#later.slice(at + 1)
  }

  /** Number of the oldest snapshot that may still be built upon; Infinity: none. */
  oldestNumber(): number {
    return this.#base?.number ?? this.#later[0]?.number ?? Number.POSITIVE_INFINITY
  }
}
