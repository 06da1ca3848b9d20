import { type KeyedStateHandle, locationSizeBytes } from '../../snapshot/state-handle.ts'

/** A folder of which so much is of no use any more is left: what is still of use is written again. */
const LEAST_USED_SHARE = 0.5

interface Taken {
  readonly checkpointId: number
  readonly files: ReadonlyMap<string, KeyedStateHandle>
}

/**
 * Which files of a store are where already. Only those of a checkpoint that the coordinator has called complete are
 * referred to: it keeps the folders that its latest completed checkpoint refers to. A file that was written again, in a
 * snapshot of which it is not known whether it became complete, is referred to nowhere: the completion of that snapshot
 * may have removed the folder with the other copy. Owner: the backend.
 */
export class SharedFiles {
  #known = new Map<string, KeyedStateHandle>()
  /** Snapshots after the latest one that is known to be complete, in order. */
  #later: Taken[] = []
  /** What snapshots have written into the folder of their checkpoint. */
  readonly #writtenBytes = new Map<number, number>()

  /** Where the files of a new snapshot are; those that are in no folder are to be written. */
  find(files: readonly string[]): ReadonlyMap<string, KeyedStateHandle> {
    const found = new Map<string, KeyedStateHandle>()
    const usedBytes = new Map<number, number>()
    for (const name of files) {
      const handle = this.#known.get(name)
      if (handle === undefined) continue
      found.set(name, handle)
      const origin = handle.origin as number
      usedBytes.set(origin, (usedBytes.get(origin) ?? 0) + locationSizeBytes(handle.location))
    }
    for (const [name, handle] of found) {
      const origin = handle.origin as number
      const written = this.#writtenBytes.get(origin) ?? 0
      if ((usedBytes.get(origin) as number) < written * LEAST_USED_SHARE) found.delete(name)
    }
    return found
  }

  /** A snapshot was written. */
  taken(checkpointId: number, files: ReadonlyMap<string, KeyedStateHandle>): void {
    let writtenBytes = 0
    for (const [name, handle] of files) {
      if (handle.origin !== checkpointId) continue
      writtenBytes += locationSizeBytes(handle.location)
      this.#known.delete(name)
    }
    this.#writtenBytes.set(checkpointId, writtenBytes)
    this.#later.push({ checkpointId, files })
  }

  /** The coordinator has completed a checkpoint. */
  completed(checkpointId: number): void {
    const at = this.#later.findIndex(taken => taken.checkpointId === checkpointId)
    if (at < 0) return
    const { files } = this.#later[at] as Taken
    this.#later = this.#later.slice(at + 1)
    this.#known = new Map(files)
    // A later one that is complete too, which nobody has said yet, may have left their folder.
    for (const later of this.#later) {
      for (const [name, { origin }] of later.files) {
        if (origin === later.checkpointId) this.#known.delete(name)
      }
    }
    const origins = new Set(
      [...this.#known.values(), ...this.#later.flatMap(l => [...l.files.values()])].map(h => h.origin),
    )
    for (const origin of this.#writtenBytes.keys())
      if (!origins.has(origin)) this.#writtenBytes.delete(origin)
  }
}
