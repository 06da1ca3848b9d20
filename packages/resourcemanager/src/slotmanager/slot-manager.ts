import type { AllocationId, InstanceId, JobId, SlotId } from '@flink-ts/common'
import type { SlotManagerAction, SlotManagerEvent, SlotState } from './slot-manager-protocol.ts'

interface Job {
  /** Where the JobMaster is; undefined: not registered (any more), its requirement does not count. */
  target: { readonly address: string; readonly endpoint: string } | undefined
  required: number
  /** Numbers of the last `notify-not-enough`, to repeat it only when they change. */
  reported: string | undefined
}

/**
 * Matches declared requirements with slots: a pure state machine, facts in, actions out. Requirements are served in
 * the order in which they were first declared; TaskManagers are filled one after the other in order of registration.
 * A job gets as many slots as it declared, those included that a TaskManager reported as already its own.
 */
export class SlotManager {
  readonly #newAllocationId: () => AllocationId
  // Both maps keep insertion order: that is the order of service.
  readonly #taskManagers = new Map<InstanceId, Map<SlotId, SlotState>>()
  readonly #jobs = new Map<JobId, Job>()
  /** TaskManagers that take no more work; they have no free slots. */
  readonly #draining = new Set<InstanceId>()

  constructor(newAllocationId: () => AllocationId) {
    this.#newAllocationId = newAllocationId
  }

  handle(event: SlotManagerEvent): SlotManagerAction[] {
    const actions: SlotManagerAction[] = []
    switch (event.type) {
      case 'task-manager-registered':
        this.#taskManagers.set(
          event.instanceId,
          new Map(
            event.slots.map(slot => [
              slot.slotId,
              slot.allocation === undefined ? { type: 'free' } : { type: 'allocated', ...slot.allocation },
            ]),
          ),
        )
        break
      case 'task-manager-lost':
        this.#taskManagers.delete(event.instanceId)
        this.#draining.delete(event.instanceId)
        break
      case 'task-manager-draining':
        if (this.#taskManagers.has(event.instanceId)) this.#draining.add(event.instanceId)
        break
      case 'job-registered': {
        const job = this.#jobs.get(event.jobId)
        const target = { address: event.jobMasterAddress, endpoint: event.jobMasterEndpoint }
        if (job === undefined) this.#jobs.set(event.jobId, { target, required: 0, reported: undefined })
        else Object.assign(job, { target, reported: undefined })
        break
      }
      case 'job-lost':
        this.#jobs.delete(event.jobId)
        break
      case 'requirement-declared':
        this.#declare(event.jobId, event.slots)
        break
      case 'slot-request-accepted':
        this.#answer(event, state => ({ ...state, type: 'allocated' }))
        break
      case 'slot-request-refused':
        if (this.#answer(event, () => ({ type: 'refused' }))) {
          actions.push({ type: 'retry-slot-later', instanceId: event.instanceId, slotId: event.slotId })
        }
        break
      case 'slot-retry-due': {
        const slots = this.#taskManagers.get(event.instanceId)
        if (slots?.get(event.slotId)?.type === 'refused') slots.set(event.slotId, { type: 'free' })
        break
      }
      case 'slot-available': {
        const slots = this.#taskManagers.get(event.instanceId)
        const state = slots?.get(event.slotId)
        // Another allocation: the message is about an earlier owner and came late.
        const matches =
          state !== undefined && 'allocationId' in state && state.allocationId === event.allocationId
        if (matches) slots?.set(event.slotId, { type: 'free' })
        break
      }
    }
    this.#withdrawFreeSlots()
    this.#assign(actions)
    return actions
  }

  /** State of each slot of a TaskManager, in order of its report; undefined: not registered. */
  slotsOf(instanceId: InstanceId): ReadonlyMap<SlotId, SlotState> | undefined {
    return this.#taskManagers.get(instanceId)
  }

  #declare(jobId: JobId, slots: number): void {
    const job = this.#jobs.get(jobId)
    if (job === undefined) return
    // A job that needed nothing queues up anew: order of service is order of declaration.
    if (job.required === 0 && slots > 0) {
      this.#jobs.delete(jobId)
      this.#jobs.set(jobId, job)
    }
    job.required = slots
    job.reported = undefined
  }

  #answer(
    answer: { instanceId: InstanceId; slotId: SlotId; allocationId: AllocationId },
    next: (state: Extract<SlotState, { allocationId: AllocationId }>) => SlotState,
  ): boolean {
    const slots = this.#taskManagers.get(answer.instanceId)
    const state = slots?.get(answer.slotId)
    // The slot may have been given back, or the TaskManager have registered anew, before the answer arrived.
    if (state?.type !== 'pending' || state.allocationId !== answer.allocationId) return false
    slots?.set(answer.slotId, next(state))
    return true
  }

  #withdrawFreeSlots(): void {
    for (const instanceId of this.#draining) {
      const slots = this.#taskManagers.get(instanceId)
      for (const [slotId, state] of slots ?? []) if (!('allocationId' in state)) slots?.delete(slotId)
    }
  }

  #assign(actions: SlotManagerAction[]): void {
    const owned = new Map<JobId, number>()
    const free: { instanceId: InstanceId; slotId: SlotId }[] = []
    for (const [instanceId, slots] of this.#taskManagers) {
      for (const [slotId, state] of slots) {
        if (state.type === 'free') free.push({ instanceId, slotId })
        else if (state.type !== 'refused') owned.set(state.jobId, (owned.get(state.jobId) ?? 0) + 1)
      }
    }
    let next = 0
    for (const [jobId, job] of this.#jobs) {
      if (job.target === undefined) continue
      let available = owned.get(jobId) ?? 0
      while (available < job.required && next < free.length) {
        const { instanceId, slotId } = free[next++]!
        const allocationId = this.#newAllocationId()
        this.#taskManagers.get(instanceId)!.set(slotId, { type: 'pending', allocationId, jobId })
        const { address, endpoint } = job.target
        const request = {
          slotId,
          jobId,
          allocationId,
          jobMasterAddress: address,
          jobMasterEndpoint: endpoint,
        }
        actions.push({ type: 'request-slot', instanceId, request })
        available++
      }
      const shortage = available < job.required ? `${available}/${job.required}` : undefined
      if (shortage !== undefined && shortage !== job.reported) {
        actions.push({ type: 'notify-not-enough', jobId, required: job.required, available })
      }
      job.reported = shortage
    }
  }
}
