import type { CheckpointMetadata } from '@flink-ts/state'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'

/** A checkpoint that is durable. */
export interface CompletedCheckpoint {
  readonly id: number
  /** Path of its folder. */
  readonly pointer: string
  readonly metadata: CheckpointMetadata
  /** For each subtask in the folder of which checkpoint its files are: an older one for tasks that have finished. */
  readonly origins: ReadonlyMap<SubtaskKey, number>
  readonly stateBytes: number
  readonly durationMs: number
  /** A savepoint: its folder is the user's. */
  readonly external: boolean
}

/**
 * The completed checkpoints that are retained, oldest first. A folder goes when its checkpoint is not retained and no
 * retained one refers to files in it. Owner: the coordinator.
 */
export class CompletedStore {
  readonly #retained: number
  #checkpoints: CompletedCheckpoint[] = []
  /** Subsumed, but their folders are still referred to. */
  readonly #referred = new Set<number>()

  /** @param retained at least 1 */
  constructor(retained: number) {
    this.#retained = Math.max(1, retained)
  }

  get latest(): CompletedCheckpoint | undefined {
    return this.#checkpoints.at(-1)
  }

  /** Ids of all checkpoints that have a folder. */
  folders(): readonly number[] {
    const own = this.#checkpoints.filter(checkpoint => !checkpoint.external)
    return [...this.#referred, ...own.map(checkpoint => checkpoint.id)]
  }

  /** Adds the newest; answers the ids of those to discard now. */
  add(checkpoint: CompletedCheckpoint): readonly number[] {
    this.#checkpoints.push(checkpoint)
    while (this.#checkpoints.length > this.#retained) {
      const { id, external } = this.#checkpoints.shift()!
      if (!external) this.#referred.add(id)
    }
    const inUse = new Set(this.#checkpoints.flatMap(foldersOf))
    const discarded = [...this.#referred].filter(id => !inUse.has(id))
    for (const id of discarded) this.#referred.delete(id)
    return discarded
  }
}

/** Ids of the checkpoints in whose folders its files are. A savepoint has copies of its own. */
function foldersOf({ origins, metadata, external }: CompletedCheckpoint): readonly number[] {
  if (external) return []
  const keyed = metadata.operators.flatMap(({ subtasks }) => subtasks.flatMap(({ state }) => state.keyed))
  return [...origins.values(), ...keyed.flatMap(({ origin }) => origin ?? [])]
}
