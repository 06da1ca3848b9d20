import type { ExecutionAttemptId } from '@flink-ts/common'
import type { JobGraph, JobVertex, Partitioning } from '@flink-ts/jobgraph'
import { producersOf } from '../execution-graph/channel-layout.ts'
import { type SubtaskKey, subtaskKey } from '../failover/pipelined-regions.ts'

/** What the coordinator knows of the current attempt of a subtask. */
export interface TaskFacts {
  readonly attemptId: ExecutionAttemptId
  /** `finishing`: it was told of the checkpoint that covers its end of data, and ends by itself. */
  readonly state: 'starting' | 'running' | 'finishing' | 'finished' | 'stopped'
  /** It has emitted everything and waits for a checkpoint that covers that. */
  readonly endOfData: boolean
}

/** Who takes part in a checkpoint. */
export interface CheckpointPlan {
  /**
   * Get the trigger: running tasks without running producers. With unaligned checkpoints all running tasks, which need
   * not wait for barriers then.
   */
  readonly trigger: readonly ExecutionAttemptId[]
  /** Have to acknowledge: all running tasks. */
  readonly acknowledge: ReadonlyMap<ExecutionAttemptId, SubtaskKey>
  /** Finished after a checkpoint: their state in it goes on to hold. */
  readonly finished: readonly SubtaskKey[]
}

interface PlannedVertex {
  readonly vertex: JobVertex
  readonly inputs: readonly { readonly source: JobVertex; readonly partitioning: Partitioning }[]
}

/** Makes the plans of the checkpoints of one job. */
export class CheckpointPlanner {
  readonly #vertices: readonly PlannedVertex[]
  readonly #isUnaligned: boolean

  constructor(graph: JobGraph) {
    this.#isUnaligned = graph.checkpointing.unaligned !== undefined
    const vertices = new Map(graph.vertices.map(vertex => [vertex.id, vertex]))
    const edges = Map.groupBy(graph.edges, edge => edge.target)
    this.#vertices = graph.vertices.map(vertex => ({
      vertex,
      inputs: (edges.get(vertex.id) ?? []).map(({ source, partitioning }) => ({
        source: vertices.get(source)!,
        partitioning,
      })),
    }))
  }

  /** The plan for now; undefined: some task neither runs nor is finished, or none runs. */
  plan(tasks: ReadonlyMap<SubtaskKey, TaskFacts>): CheckpointPlan | undefined {
    const acknowledge = new Map<ExecutionAttemptId, SubtaskKey>()
    const finished: SubtaskKey[] = []
    for (const { vertex } of this.#vertices) {
      for (let index = 0; index < vertex.parallelism; index++) {
        const key = subtaskKey(vertex.id, index)
        const task = tasks.get(key)
        if (task?.state === 'running') acknowledge.set(task.attemptId, key)
        else if (task?.state === 'finished') finished.push(key)
        else return undefined
      }
    }
    if (acknowledge.size === 0) return undefined
    const trigger = this.#isUnaligned ? [...acknowledge.keys()] : this.#heads(tasks)
    return { trigger, acknowledge, finished }
  }

  #heads(tasks: ReadonlyMap<SubtaskKey, TaskFacts>): readonly ExecutionAttemptId[] {
    const heads: ExecutionAttemptId[] = []
    for (const { vertex, inputs } of this.#vertices) {
      for (let index = 0; index < vertex.parallelism; index++) {
        const task = tasks.get(subtaskKey(vertex.id, index))!
        if (task.state !== 'running') continue
        const fed = inputs.some(({ source, partitioning }) =>
          producersOf(partitioning, index, source.parallelism, vertex.parallelism).some(
            producer => tasks.get(subtaskKey(source.id, producer))?.state !== 'finished',
          ),
        )
        if (!fed) heads.push(task.attemptId)
      }
    }
    return heads
  }
}
