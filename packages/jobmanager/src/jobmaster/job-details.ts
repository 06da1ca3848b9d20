import {
  type CheckpointCounts,
  EXECUTION_STATES,
  type ExecutionState,
  type JobDetails,
  type JobOverview,
  type SubtaskAttempt,
  type SubtaskDetails,
  type VertexAttempts,
  type VertexDetails,
} from '@flink-ts/gateways'
import { isGloballyTerminal, type JobVertex } from '@flink-ts/jobgraph'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { aggregateExecutionState } from '../execution-graph/execution-state.ts'
import type { JobScheduler } from '../scheduler/job-scheduler.ts'

/** The line of the job list. */
export function describeOverview(scheduler: JobScheduler): JobOverview {
  const { graph } = scheduler.executionGraph
  const tasks = Object.fromEntries(EXECUTION_STATES.map(state => [state, 0])) as Record<
    ExecutionState,
    number
  >
  for (const execution of scheduler.executionGraph.executions()) tasks[execution.state]++
  const { status, timestamps } = scheduler
  return {
    jobId: graph.jobId,
    name: graph.name,
    status,
    startTime: timestamps.INITIALIZING ?? -1,
    endTime: isGloballyTerminal(status) ? (timestamps[status] ?? -1) : -1,
    lastModification: scheduler.lastModification,
    tasks,
  }
}

/** The job in full. */
export function describeJob(scheduler: JobScheduler, checkpoints: CheckpointCounts): JobDetails {
  const { graph } = scheduler.executionGraph
  return {
    ...describeOverview(scheduler),
    timestamps: { ...scheduler.timestamps },
    maxParallelism: graph.vertices.reduce((most, vertex) => Math.max(most, vertex.maxParallelism), 0),
    vertices: graph.vertices.map(vertex =>
      describeVertex(vertex, scheduler.executionGraph.subtasksOf(vertex)),
    ),
    graph,
    checkpoints,
    failures: [...scheduler.failures],
    restarts: scheduler.restarts,
  }
}

/** All that is remembered of the attempts to run each subtask. */
export function describeAttempts({ executionGraph }: JobScheduler): readonly VertexAttempts[] {
  return executionGraph.graph.vertices.map(vertex => ({
    vertexId: vertex.id,
    subtasks: executionGraph.subtasksOf(vertex).map(execution =>
      [execution, ...executionGraph.priorAttempts(execution.key)].map(
        (attempt): SubtaskAttempt => ({
          ...describeSubtask(attempt),
          accumulators: attempt.accumulators ?? attempt.metrics.accumulators ?? {},
        }),
      ),
    ),
  }))
}

function describeVertex(vertex: JobVertex, executions: readonly Execution[]): VertexDetails {
  const subtasks = executions.map(describeSubtask)
  const started = subtasks.map(subtask => subtask.startTime).filter(time => time >= 0)
  const over = subtasks.every(subtask => subtask.endTime >= 0)
  return {
    id: vertex.id,
    name: vertex.name,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    status: aggregateExecutionState(subtasks.map(subtask => subtask.status)),
    startTime: started.length === 0 ? -1 : Math.min(...started),
    endTime: over ? Math.max(...subtasks.map(subtask => subtask.endTime)) : -1,
    subtasks,
  }
}

function describeSubtask(execution: Execution): SubtaskDetails {
  const { timestamps, location } = execution
  return {
    index: execution.subtaskIndex,
    attempt: execution.attemptNumber,
    status: execution.state,
    timestamps,
    location: location?.dataAddress,
    taskManagerId: location?.taskManager,
    startTime: timestamps.DEPLOYING ?? -1,
    endTime: timestamps.FINISHED ?? timestamps.CANCELED ?? timestamps.FAILED ?? -1,
    metrics: execution.metrics,
  }
}
