import { type AllocationId, type ResourceId, type SerializedError, serializeError } from '@flink-ts/common'
import type { JobGraph } from '@flink-ts/jobgraph'
import { NoResourceAvailable } from '../errors.ts'
import type { Execution } from '../execution-graph/execution-graph.ts'
import { isDeployed } from '../execution-graph/execution-state.ts'
import { SlotPool } from '../slotpool/slot-pool.ts'
import { slotDemands } from '../slotpool/slot-sharing.ts'
import type { JobState } from './job-state.ts'
import type { SchedulerEvent } from './scheduler-protocol.ts'

/** Gets the slots of a job and deploys its tasks when all of them have one. Owner: the scheduler. */
export class SlotAllocation {
  readonly #options: { readonly slotRequestTimeoutMs: number; readonly slotIdleTimeoutMs: number }
  readonly #state: JobState
  readonly #pool: SlotPool
  readonly #dataAddresses = new Map<ResourceId, string>()
  /** TaskManagers that will end: their slots are given back as soon as nothing runs in them. */
  readonly #leaving = new Set<ResourceId>()
  #epoch = 0
  #timerRuns = false

  constructor(
    options: {
      readonly graph: JobGraph
      readonly slotRequestTimeoutMs: number
      readonly slotIdleTimeoutMs: number
    },
    state: JobState,
  ) {
    this.#options = options
    this.#state = state
    this.#pool = new SlotPool(slotDemands(options.graph))
  }

  /** Slots that the job needs and has. */
  get slots(): { readonly needed: number; readonly available: number } {
    return { needed: this.#pool.needed, available: this.#pool.available }
  }

  registered(taskManager: ResourceId, dataAddress: string): void {
    this.#dataAddresses.set(taskManager, dataAddress)
  }

  /** Forgets a TaskManager and its slots; its data address, undefined if it was not known. */
  lost(taskManager: ResourceId): string | undefined {
    const dataAddress = this.#dataAddresses.get(taskManager)
    if (dataAddress === undefined) return undefined
    this.#dataAddresses.delete(taskManager)
    this.#leaving.delete(taskManager)
    this.#pool.removeTaskManager(taskManager)
    return dataAddress
  }

  /** The slots of a TaskManager are not to be used for what starts from now on. */
  leave(taskManager: ResourceId): void {
    this.#leaving.add(taskManager)
  }

  /** Gives back the slots of TaskManagers that will end, in which nothing runs any more. */
  freeLeft(): void {
    if (this.#leaving.size === 0) return
    const used = new Set(
      [...this.#state.executionGraph.executions()]
        .filter(({ state }) => isDeployed(state))
        .map(({ location }) => location?.allocationId),
    )
    for (const { taskManager, allocationId } of this.#pool.slots()) {
      if (!this.#leaving.has(taskManager) || used.has(allocationId)) continue
      this.#pool.remove(allocationId)
      const reason = 'its TaskManager drains'
      this.#state.act({ type: 'free-slot', taskManager, allocationId, reason })
    }
  }

  /** Forgets a slot; false if the job does not have it from that TaskManager. */
  slotLost(taskManager: ResourceId, allocationId: AllocationId): boolean {
    const slot = this.#pool.slots().find(candidate => candidate.allocationId === allocationId)
    if (slot === undefined || slot.taskManager !== taskManager) return false
    this.#pool.remove(allocationId)
    return true
  }

  offered({ taskManager, offers }: Extract<SchedulerEvent, { type: 'slots-offered' }>): void {
    const { status } = this.#state
    const wanted = status === 'CREATED' || status === 'RUNNING' || status === 'RESTARTING'
    const known = this.#dataAddresses.has(taskManager) && !this.#leaving.has(taskManager)
    const allocationIds = wanted && known ? this.#pool.offer(taskManager, offers) : []
    this.#state.act({ type: 'accept-slots', allocationIds })
    if (allocationIds.length === 0) return
    this.#state.act({ type: 'set-timer', timer: 'deploy', delayMs: 0 })
    if (this.#pool.available > this.#pool.needed) {
      const delayMs = this.#options.slotIdleTimeoutMs
      this.#state.act({ type: 'set-timer', timer: 'slot-idle', delayMs })
    }
  }

  /** Deploys what waits for slots, if there is one for everything; else sets the time limit for that. */
  deployIfReady(): void {
    const waiting = this.#waiting()
    if (waiting.length === 0 || this.#state.status !== 'RUNNING') return
    this.#pool.assign()
    const placed = waiting.map(execution => ({
      execution,
      slot: this.#pool.slotOf(execution.vertex.slotSharingGroup, execution.subtaskIndex),
    }))
    if (placed.some(({ slot }) => slot === undefined)) {
      if (this.#timerRuns) return
      this.#timerRuns = true
      const delayMs = this.#options.slotRequestTimeoutMs
      this.#state.act({ type: 'set-timer', timer: 'slot-request', delayMs })
      return
    }
    this.cancelTimer()
    for (const { execution, slot } of placed) {
      const { allocationId, taskManager } = slot!
      const dataAddress = this.#dataAddresses.get(taskManager)!
      this.#state.executionGraph.locate(execution.key, { allocationId, taskManager, dataAddress })
      this.#state.transition(execution, 'DEPLOYING')
    }
    this.#state.act({ type: 'deploy', epoch: this.#epoch++, executions: waiting })
  }

  /** The time limit is over: what that means for whom; undefined if nothing waits any more. */
  timedOut(): { error: SerializedError; waiting: readonly Execution[]; neverRan: boolean } | undefined {
    this.#timerRuns = false
    const waiting = this.#waiting()
    if (waiting.length === 0) return undefined
    const timeoutMs = this.#options.slotRequestTimeoutMs
    const error = serializeError(NoResourceAvailable({ ...this.slots, timeoutMs }))
    return { error, waiting, neverRan: this.#epoch === 0 }
  }

  /** Gives back what the job does not need. */
  freeSurplus(): void {
    for (const { taskManager, allocationId } of this.#pool.surplus()) {
      this.#pool.remove(allocationId)
      const reason = 'the job does not need it'
      this.#state.act({ type: 'free-slot', taskManager, allocationId, reason })
    }
  }

  /** Gives back everything. */
  freeAll(reason: string): void {
    this.#state.act({ type: 'declare-slots', slots: 0 })
    for (const { taskManager, allocationId } of this.#pool.slots()) {
      this.#state.act({ type: 'free-slot', taskManager, allocationId, reason })
    }
  }

  /** Ends the time limit, if it runs. */
  cancelTimer(): void {
    if (!this.#timerRuns) return
    this.#timerRuns = false
    this.#state.act({ type: 'cancel-timer', timer: 'slot-request' })
  }

  #waiting(): readonly Execution[] {
    return [...this.#state.executionGraph.executions()].filter(execution => execution.state === 'SCHEDULED')
  }
}
