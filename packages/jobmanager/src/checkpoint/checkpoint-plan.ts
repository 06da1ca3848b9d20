import type { ExecutionAttemptId } from '@flink-ts/common'
import type { JobGraph } from '@flink-ts/jobgraph'
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
  /** Get the trigger: running tasks without running producers. */
  readonly trigger: readonly ExecutionAttemptId[]
  /** Have to acknowledge: all running tasks. */
  readonly acknowledge: ReadonlyMap<ExecutionAttemptId, SubtaskKey>
  /** Finished after a checkpoint: their state in it goes on to hold. */
  readonly finished: readonly SubtaskKey[]
}

/** The plan for now; undefined: some task neither runs nor is finished, or none runs. */
export function planCheckpoint(
  graph: JobGraph,
  tasks: ReadonlyMap<SubtaskKey, TaskFacts>,
): CheckpointPlan | undefined {
  const acknowledge = new Map<ExecutionAttemptId, SubtaskKey>()
  const finished: SubtaskKey[] = []
  for (const vertex of graph.vertices) {
    for (let index = 0; index < vertex.parallelism; index++) {
      const key = subtaskKey(vertex.id, index)
      const task = tasks.get(key)
      if (task?.state === 'running') acknowledge.set(task.attemptId, key)
      else if (task?.state === 'finished') finished.push(key)
      else return undefined
    }
  }
  if (acknowledge.size === 0) return undefined
  return { trigger: headsOf(graph, tasks), acknowledge, finished }
}

function headsOf(graph: JobGraph, tasks: ReadonlyMap<SubtaskKey, TaskFacts>): readonly ExecutionAttemptId[] {
  const vertices = new Map(graph.vertices.map(vertex => [vertex.id, vertex]))
  return graph.vertices.flatMap(vertex => {
    const inputs = graph.edges.filter(edge => edge.target === vertex.id)
    return Array.from({ length: vertex.parallelism }, (_, index) => index).flatMap(index => {
      const task = tasks.get(subtaskKey(vertex.id, index))!
      if (task.state !== 'running') return []
      const fed = inputs.some(edge => {
        const producers = vertices.get(edge.source)!.parallelism
        return producersOf(edge.partitioning, index, producers, vertex.parallelism).some(
          producer => tasks.get(subtaskKey(edge.source, producer))?.state !== 'finished',
        )
      })
      return fed ? [] : [task.attemptId]
    })
  })
}
