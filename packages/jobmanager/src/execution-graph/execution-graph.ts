import type {
  AccumulatorValues,
  AllocationId,
  ExecutionAttemptId,
  JobVertexId,
  ResourceId,
} from '@flink-ts/common'
import type { ExecutionState, TaskIoMetrics } from '@flink-ts/gateways'
import type { JobGraph, JobVertex } from '@flink-ts/jobgraph'
import { type SubtaskKey, subtaskKey } from '../failover/pipelined-regions.ts'
import { canTransition } from './execution-state.ts'

const NO_METRICS: TaskIoMetrics = { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }

/** As many earlier attempts of a subtask are remembered for those who look for what went wrong. */
const MAX_PRIOR_ATTEMPTS = 16

/** Where an execution was deployed to. */
export interface ExecutionLocation {
  readonly allocationId: AllocationId
  readonly taskManager: ResourceId
  readonly dataAddress: string
}

/** One attempt to run one subtask. Changed by the {@link ExecutionGraph} only. */
export interface Execution {
  readonly key: SubtaskKey
  readonly attemptId: ExecutionAttemptId
  /** From 0. */
  readonly attemptNumber: number
  readonly vertex: JobVertex
  readonly subtaskIndex: number
  readonly state: ExecutionState
  /** When each state was entered, milliseconds since the epoch. */
  readonly timestamps: Readonly<Partial<Record<ExecutionState, number>>>
  /** Undefined: not deployed yet. */
  readonly location: ExecutionLocation | undefined
  readonly metrics: TaskIoMetrics
  /** Reported when it finished. */
  readonly accumulators: AccumulatorValues | undefined
}

type MutableExecution = { -readonly [K in keyof Execution]: Execution[K] }

/**
 * The parallel version of a job graph: for each subtask its current attempt. Knows which changes of state are
 * possible, not when to make them. Owner: the job's scheduler.
 */
export class ExecutionGraph {
  readonly graph: JobGraph
  /** Random: tells this run of the job from those of other JobMasters. */
  readonly graphId: string
  readonly #executions = new Map<SubtaskKey, MutableExecution>()
  readonly #byAttempt = new Map<ExecutionAttemptId, MutableExecution>()
  /** Earlier attempts of a subtask, the newest first. */
  readonly #prior = new Map<SubtaskKey, readonly Execution[]>()

  /** @param graphId random, tells the attempts of this run of the job from those of any other */
  constructor(graph: JobGraph, graphId: string, nowMs: number) {
    this.graph = graph
    this.graphId = graphId
    for (const vertex of graph.vertices) {
      for (let index = 0; index < vertex.parallelism; index++) this.#create(vertex, index, 0, nowMs)
    }
  }

  /** Current attempts, by vertex in order of the graph, then by index. */
  executions(): Iterable<Execution> {
    return this.#executions.values()
  }

  get(key: SubtaskKey): Execution {
    const execution = this.#executions.get(key)
    if (execution === undefined) throw new Error(`No subtask ${key} in the graph`)
    return execution
  }

  subtasksOf(vertex: JobVertex): readonly Execution[] {
    return Array.from({ length: vertex.parallelism }, (_, index) => this.get(subtaskKey(vertex.id, index)))
  }

  /** The latest earlier attempts of a subtask, the newest first. */
  priorAttempts(key: SubtaskKey): readonly Execution[] {
    return this.#prior.get(key) ?? []
  }

  /** The current attempt of that id; undefined: an earlier one, or not of this job. */
  byAttempt(attemptId: ExecutionAttemptId): Execution | undefined {
    return this.#byAttempt.get(attemptId)
  }

  /** Makes the change if it is possible; says whether it was. */
  transition(key: SubtaskKey, to: ExecutionState, nowMs: number): boolean {
    const execution = this.#mutable(key)
    if (!canTransition(execution.state, to)) return false
    execution.state = to
    execution.timestamps = { ...execution.timestamps, [to]: nowMs }
    return true
  }

  locate(key: SubtaskKey, location: ExecutionLocation): void {
    this.#mutable(key).location = location
  }

  setMetrics(key: SubtaskKey, metrics: TaskIoMetrics): void {
    this.#mutable(key).metrics = metrics
  }

  setAccumulators(key: SubtaskKey, accumulators: Execution['accumulators']): void {
    this.#mutable(key).accumulators = accumulators
  }

  /** Replaces the attempt of a subtask by the next one, in state CREATED. */
  startNextAttempt(key: SubtaskKey, nowMs: number): Execution {
    const old = this.#mutable(key)
    this.#byAttempt.delete(old.attemptId)
    this.#prior.set(key, [old, ...this.priorAttempts(key)].slice(0, MAX_PRIOR_ATTEMPTS))
    return this.#create(old.vertex, old.subtaskIndex, old.attemptNumber + 1, nowMs)
  }

  #mutable(key: SubtaskKey): MutableExecution {
    return this.get(key) as MutableExecution
  }

  #create(vertex: JobVertex, subtaskIndex: number, attemptNumber: number, nowMs: number): Execution {
    const execution: MutableExecution = {
      key: subtaskKey(vertex.id, subtaskIndex),
      attemptId: attemptIdOf(this.graphId, vertex.id, subtaskIndex, attemptNumber),
      attemptNumber,
      vertex,
      subtaskIndex,
      state: 'CREATED',
      timestamps: { CREATED: nowMs },
      location: undefined,
      metrics: NO_METRICS,
      accumulators: undefined,
    }
    this.#executions.set(execution.key, execution)
    this.#byAttempt.set(execution.attemptId, execution)
    return execution
  }
}

function attemptIdOf(
  graphId: string,
  vertexId: JobVertexId,
  index: number,
  attempt: number,
): ExecutionAttemptId {
  return `${graphId}_${vertexId}_${index}_${attempt}` as ExecutionAttemptId
}

/** `Map -> Sink (2/4)`: how people read the name of a subtask. */
export function taskName(execution: Pick<Execution, 'vertex' | 'subtaskIndex'>): string {
  return `${execution.vertex.name} (${execution.subtaskIndex + 1}/${execution.vertex.parallelism})`
}
