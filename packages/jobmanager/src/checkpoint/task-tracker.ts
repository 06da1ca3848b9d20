import type { ExecutionAttemptId } from '@flink-ts/common'
import type { JobGraph } from '@flink-ts/jobgraph'
import type { SubtaskKey } from '../failover/pipelined-regions.ts'
import { type CheckpointPlan, CheckpointPlanner, type TaskFacts } from './checkpoint-plan.ts'

/** What the coordinator knows of the tasks of its job: the current attempt of each subtask. Owner: the coordinator. */
export class TaskTracker {
  readonly #planner: CheckpointPlanner
  readonly #tasks = new Map<SubtaskKey, TaskFacts>()
  readonly #keyOf = new Map<ExecutionAttemptId, SubtaskKey>()
  /** Asked for with every event, and costs time for every task: kept until a task changes. */
  #plan: { readonly plan: CheckpointPlan | undefined } | undefined
  /** Tasks that have more to emit. */
  #open = 0

  constructor(graph: JobGraph) {
    this.#planner = new CheckpointPlanner(graph)
  }

  /** New attempts, which replace those before them. */
  deployed(tasks: readonly { readonly key: SubtaskKey; readonly attemptId: ExecutionAttemptId }[]): void {
    for (const { key, attemptId } of tasks) {
      const old = this.#tasks.get(key)
      if (old !== undefined) this.#keyOf.delete(old.attemptId)
      this.#set(key, { attemptId, state: 'starting', endOfData: false })
      this.#keyOf.set(attemptId, key)
    }
  }

  /** Ignored for attempts that are not the current one, or are over. */
  update(attemptId: ExecutionAttemptId, change: Partial<Pick<TaskFacts, 'state' | 'endOfData'>>): void {
    const key = this.#keyOf.get(attemptId)
    const task = key === undefined ? undefined : this.#tasks.get(key)
    if (key === undefined || task === undefined || task.state === 'stopped' || task.state === 'finished')
      return
    this.#set(key, { ...task, ...change })
  }

  /** Who would take part in a checkpoint now; undefined: none is possible. */
  plan(): CheckpointPlan | undefined {
    this.#plan ??= { plan: this.#planner.plan(this.#tasks) }
    return this.#plan.plan
  }

  /** All tasks have emitted everything. */
  get allEndOfData(): boolean {
    return this.#open === 0
  }

  /** Attempts that have emitted everything. */
  endedAttempts(): ReadonlySet<ExecutionAttemptId> {
    return new Set([...this.#tasks.values()].filter(task => task.endOfData).map(task => task.attemptId))
  }

  /** Those of the plan that are still there to be told something. */
  living(plan: CheckpointPlan): readonly ExecutionAttemptId[] {
    return [...plan.acknowledge].flatMap(([attemptId, key]) => {
      const task = this.#tasks.get(key)
      return task?.attemptId === attemptId && (task.state === 'running' || task.state === 'finishing')
        ? [attemptId]
        : []
    })
  }

  #set(key: SubtaskKey, task: TaskFacts): void {
    const old = this.#tasks.get(key)
    this.#open += Number(isOpen(task)) - Number(old !== undefined && isOpen(old))
    this.#tasks.set(key, task)
    this.#plan = undefined
  }
}

function isOpen(task: TaskFacts): boolean {
  return task.state !== 'finished' && !task.endOfData
}
