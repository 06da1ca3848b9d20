import type { JobGraph } from '@flink-ts/jobgraph'
import { isTerminalExecution } from '../execution-graph/execution-state.ts'
import { pipelinedRegions, type SubtaskKey } from '../failover/pipelined-regions.ts'
import type { JobState } from './job-state.ts'

/** Stops parts of a job and starts them again. Owner: the scheduler. */
export class RegionFailover {
  readonly #state: JobState
  readonly #checkpointsOn: boolean
  readonly #regionOf = new Map<SubtaskKey, readonly SubtaskKey[]>()
  /** Subtasks of the restart under way: to be started again when all of them have ended and the delay is over. */
  readonly #restarting = new Set<SubtaskKey>()
  #delayOver = false
  #restarts = 0

  constructor(graph: JobGraph, state: JobState) {
    this.#state = state
    this.#checkpointsOn = graph.checkpointing.intervalMs !== undefined
    for (const region of pipelinedRegions(graph)) {
      for (const key of region) this.#regionOf.set(key, region)
    }
  }

  /** How often a part of the job was started again. */
  get restarts(): number {
    return this.#restarts
  }

  /** All subtasks of the job. */
  get all(): readonly SubtaskKey[] {
    return [...this.#regionOf.keys()]
  }

  /** Stops the regions of these subtasks; they are started again after `delayMs`. */
  begin(failed: readonly SubtaskKey[], delayMs: number): void {
    for (const key of this.#regionsOf(failed)) this.#restarting.add(key)
    this.#stop([...this.#restarting])
    this.#delayOver = false
    this.#state.act({ type: 'set-timer', timer: 'restart', delayMs })
  }

  /** Makes the restart under way one of all tasks. */
  widen(): void {
    this.#include(this.all)
  }

  /** Makes the regions of these subtasks part of the restart under way. */
  join(keys: readonly SubtaskKey[]): void {
    this.#include(this.#regionsOf(keys))
  }

  #include(keys: readonly SubtaskKey[]): void {
    const others = keys.filter(key => !this.#restarting.has(key))
    if (others.length === 0) return
    for (const key of others) this.#restarting.add(key)
    this.#stop(others)
  }

  delayIsOver(): void {
    this.#delayOver = true
  }

  /** Makes the next attempts, once that is due. True: they wait for slots now. */
  restart(): boolean {
    const state = this.#state
    if (state.status !== 'RESTARTING' || !this.#delayOver) return false
    const keys = [...this.#restarting]
    if (!keys.every(key => isTerminalExecution(state.executionGraph.get(key).state))) return false
    this.#restarting.clear()
    this.#delayOver = false
    this.#restarts++
    state.changeStatus('RUNNING')
    for (const key of keys)
      state.transition(state.executionGraph.startNextAttempt(key, state.now), 'SCHEDULED')
    return true
  }

  /** Stops everything for good. */
  cancelAll(): void {
    this.#restarting.clear()
    this.#stop(this.all)
  }

  /**
   * The regions of the given subtasks. With checkpoints on and finished tasks among the others: everything, since all
   * have to go back to the same checkpoint to reach a common last one.
   */
  #regionsOf(keys: readonly SubtaskKey[]): readonly SubtaskKey[] {
    const executions = [...this.#state.executionGraph.executions()]
    if (this.#checkpointsOn && executions.some(execution => execution.state === 'FINISHED')) {
      return executions.map(execution => execution.key)
    }
    const regions = new Set(keys.map(key => this.#regionOf.get(key)).filter(region => region !== undefined))
    return [...regions].flat()
  }

  #stop(keys: readonly SubtaskKey[]): void {
    const { executionGraph } = this.#state
    const attemptIds = keys.map(key => executionGraph.get(key).attemptId)
    this.#state.act({ type: 'tasks-stopped', attemptIds })
    for (const key of keys) {
      const execution = executionGraph.get(key)
      const { attemptId, location, state } = execution
      // Asked already: it is over when its TaskManager says so, and only then its slot can take the next attempt.
      if (state === 'CANCELING') continue
      if (this.#state.transition(execution, 'CANCELING')) {
        this.#state.act({ type: 'cancel-task', taskManager: location!.taskManager, attemptId })
      } else {
        this.#state.transition(execution, 'CANCELED')
      }
    }
  }
}
