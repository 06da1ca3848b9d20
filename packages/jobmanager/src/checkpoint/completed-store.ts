import type { CheckpointMetadata } from '@flink-ts/state'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import type { DiscardAction, RetireAction } from './aborted-folders.ts'
import type { RestoredSnapshot } from './coordinator-state.ts'

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

/** What a store holds, and what was to be removed when it came to that. */
export interface CompletedContent {
  /** Oldest first. */
  readonly checkpoints: readonly CompletedCheckpoint[]
  readonly referred: readonly number[]
  readonly claimed: DiscardAction | undefined
  readonly discarded: readonly DiscardAction[]
}

/**
 * The completed checkpoints that are retained, oldest first. A folder goes when its checkpoint is not retained and no
 * retained one refers to files in it. Owner: the coordinator.
 */
export class CompletedStore {
  readonly #retained: number
  #checkpoints: CompletedCheckpoint[] = []
  /**
   * Subsumed, but their folders are still referred to, or may be: by checkpoints that were under way when a retained one
   * last referred to them, up to the id that is given.
   */
  readonly #referred = new Map<number, number>()

  /** The snapshot that the job started from, as long as it is the job's own and not discarded. */
  #claimed: DiscardAction | undefined

  /** @param retained at least 1 */
  constructor(retained: number, restored?: RestoredSnapshot) {
    this.#retained = Math.max(1, retained)
    if (restored?.claimed !== true) return
    const { checkpointId } = restored.metadata
    this.#claimed = { type: 'discard', checkpointId, savepoint: restored.pointer }
  }

  /** A store as a former JobMaster of the job left it. */
  static of(retained: number, { checkpoints, referred, claimed }: CompletedContent): CompletedStore {
    const store = new CompletedStore(retained)
    store.#checkpoints = [...checkpoints]
    for (const id of referred) store.#referred.set(id, 0)
    store.#claimed = claimed
    return store
  }

  /** What it holds, or would hold with one more. */
  content(added?: CompletedCheckpoint): CompletedContent {
    const copy = CompletedStore.of(this.#retained, this.#content([]))
    const actions = added === undefined ? [] : copy.add(added)
    return copy.#content(actions.filter(action => action.type === 'discard'))
  }

  get latest(): CompletedCheckpoint | undefined {
    return this.#checkpoints.at(-1)
  }

  /** Nothing of them is kept. */
  discardAll(): readonly DiscardAction[] {
    const all = this.own()
    this.#claimed = undefined
    return all
  }

  /** All that is the job's to remove. */
  own(): readonly DiscardAction[] {
    const own = this.#checkpoints.filter(checkpoint => !checkpoint.external)
    const claimed = this.#claimed === undefined ? [] : [this.#claimed]
    return [...claimed, ...[...this.#referred.keys(), ...own.map(({ id }) => id)].map(discardOf)]
  }

  /** Whether the folder of a checkpoint is kept. */
  holds(id: number): boolean {
    return this.#referred.has(id) || this.#checkpoints.some(checkpoint => checkpoint.id === id)
  }

  /**
   * Adds the newest.
   * @param underWay ids of checkpoints that have begun: their tasks may build upon what was complete until now
   * @returns what is to be discarded now, and what is kept for its files only from now on
   */
  add(
    checkpoint: CompletedCheckpoint,
    underWay: readonly number[] = [],
  ): readonly (DiscardAction | RetireAction)[] {
    const usable = new Set(this.#checkpoints.flatMap(older => [older.id, ...foldersOf(older)]))
    this.#checkpoints.push(checkpoint)
    const subsumed: number[] = []
    while (this.#checkpoints.length > this.#retained) {
      const { id, external } = this.#checkpoints.shift()!
      if (external) continue
      this.#referred.set(id, 0)
      subsumed.push(id)
    }
    const newest = Math.max(0, ...underWay)
    for (const id of this.#referred.keys()) if (usable.has(id)) this.#referred.set(id, newest)
    const inUse = new Set(this.#checkpoints.flatMap(foldersOf))
    const isAwaited = (upTo: number): boolean => underWay.some(id => id <= upTo)
    const unused = [...this.#referred].filter(([id, upTo]) => !inUse.has(id) && !isAwaited(upTo))
    const discarded = unused.map(([id]) => id)
    for (const id of discarded) this.#referred.delete(id)
    const claimed = this.#checkpoints.length === this.#retained ? this.#takeClaimed() : []
    const retired = subsumed.filter(id => this.#referred.has(id))
    return [
      ...claimed,
      ...discarded.map(discardOf),
      ...retired.map(checkpointId => ({ type: 'retire', checkpointId }) as const),
    ]
  }

  #content(discarded: readonly DiscardAction[]): CompletedContent {
    return {
      checkpoints: this.#checkpoints,
      referred: [...this.#referred.keys()],
      claimed: this.#claimed,
      discarded,
    }
  }

  #takeClaimed(): readonly DiscardAction[] {
    const claimed = this.#claimed
    this.#claimed = undefined
    return claimed === undefined ? [] : [claimed]
  }
}

function discardOf(checkpointId: number): DiscardAction {
  return { type: 'discard', checkpointId }
}

/** Ids of the checkpoints in whose folders its files are. A savepoint has copies of its own. */
function foldersOf({ origins, metadata, external }: CompletedCheckpoint): readonly number[] {
  if (external) return []
  const keyed = metadata.operators.flatMap(({ subtasks }) => subtasks.flatMap(({ state }) => state.keyed))
  return [...origins.values(), ...keyed.flatMap(({ origin }) => origin ?? [])]
}
