import { type AllocationId, type JobId, type ResourceId, type SlotId, slotIdOf } from '@flink-ts/common'
import type { SlotStatus } from '@flink-ts/gateways'
import { SlotOccupied, UnknownSlot } from '../errors.ts'

type Slot =
  | { readonly state: 'free' }
  /** `releasing`: given back, but its thread has not ended yet. */
  | { readonly state: 'allocated' | 'releasing'; readonly allocationId: AllocationId; readonly jobId: JobId }

/** Which slot of a TaskManager belongs to which allocation. Owner: TaskExecutor main thread. */
export class TaskSlotTable {
  readonly #slots = new Map<SlotId, Slot>()
  readonly #byAllocation = new Map<AllocationId, SlotId>()

  constructor(options: { readonly resourceId: ResourceId; readonly slots: number }) {
    for (let i = 0; i < options.slots; i++)
      this.#slots.set(slotIdOf(options.resourceId, i), { state: 'free' })
  }

  get size(): number {
    return this.#slots.size
  }

  /**
   * Gives a free slot to an allocation. False: it has it already. Throws `taskmanager.slot-occupied` and
   * `taskmanager.unknown-slot`.
   */
  allocate(slotId: SlotId, allocationId: AllocationId, jobId: JobId): boolean {
    const slot = this.#slots.get(slotId)
    if (slot === undefined) throw UnknownSlot({ slot: slotId, slots: this.#slots.size })
    if (slot.state === 'free') {
      this.#slots.set(slotId, { state: 'allocated', allocationId, jobId })
      this.#byAllocation.set(allocationId, slotId)
      return true
    }
    if (slot.state === 'allocated' && slot.allocationId === allocationId) return false
    throw SlotOccupied({ slot: slotId, requested: allocationId, occupiedBy: slot.allocationId })
  }

  /** The slot of an allocation that is not being released. */
  slotOf(allocationId: AllocationId): SlotId | undefined {
    const slotId = this.#byAllocation.get(allocationId)
    return slotId !== undefined && this.#slots.get(slotId)?.state === 'allocated' ? slotId : undefined
  }

  /** Begins to take the slot back; undefined if the allocation has none or this was done before. */
  release(allocationId: AllocationId): SlotId | undefined {
    const slotId = this.slotOf(allocationId)
    const slot = slotId === undefined ? undefined : this.#slots.get(slotId)
    if (slotId === undefined || slot === undefined || slot.state === 'free') return undefined
    this.#slots.set(slotId, { ...slot, state: 'releasing' })
    return slotId
  }

  /** The slot's thread has ended: anybody may have it. */
  free(allocationId: AllocationId): void {
    const slotId = this.#byAllocation.get(allocationId)
    if (slotId === undefined) return
    this.#byAllocation.delete(allocationId)
    this.#slots.set(slotId, { state: 'free' })
  }

  /** For the ResourceManager. A slot that is being released still counts as taken. */
  report(): readonly SlotStatus[] {
    return [...this.#slots].map(([slotId, slot]) => ({
      slotId,
      allocation: slot.state === 'free' ? undefined : { allocationId: slot.allocationId, jobId: slot.jobId },
    }))
  }
}
