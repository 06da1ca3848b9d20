import type { AllocationId, ResourceId, SlotId } from '@flink-ts/common'
import type { SlotOffer } from '@flink-ts/gateways'
import { type SlotDemand, slotDemandKey } from './slot-sharing.ts'

/** A slot that a TaskManager gave to the job. */
export interface PooledSlot {
  readonly allocationId: AllocationId
  readonly slotId: SlotId
  readonly taskManager: ResourceId
}

/**
 * The slots of a job and which demand each one serves. A demand keeps its slot as long as the slot exists; when that is
 * gone it goes to the same slot again, else to the same TaskManager, if there is one free: what is kept there of its
 * state serves a restart. Owner: the job's scheduler.
 */
export class SlotPool {
  readonly #demands: readonly SlotDemand[]
  readonly #slots = new Map<AllocationId, PooledSlot>()
  readonly #assigned = new Map<string, PooledSlot>()
  /** By demand: the slot that it had last. */
  readonly #last = new Map<string, PooledSlot>()

  constructor(demands: readonly SlotDemand[]) {
    this.#demands = demands
  }

  /** Number of slots that the job needs. */
  get needed(): number {
    return this.#demands.length
  }

  /** Number of slots that the job has. */
  get available(): number {
    return this.#slots.size
  }

  /**
   * Takes slots, more than needed too: the ResourceManager may have noticed a loss before us and sends a replacement.
   * The answer names what the job has from this offer, now or from an earlier one.
   */
  offer(taskManager: ResourceId, offers: readonly SlotOffer[]): readonly AllocationId[] {
    const accepted: AllocationId[] = []
    for (const { allocationId, slotId } of offers) {
      const known = this.#slots.get(allocationId)
      if (known !== undefined && known.taskManager !== taskManager) continue
      if (known === undefined) this.#slots.set(allocationId, { allocationId, slotId, taskManager })
      accepted.push(allocationId)
    }
    return accepted
  }

  /** Gives each demand that has no slot a free one: where it was last, else in order of TaskManager and slot id. */
  assign(): void {
    const used = new Set([...this.#assigned.values()].map(slot => slot.allocationId))
    const free = [...this.#slots.values()]
      .filter(slot => !used.has(slot.allocationId))
      .sort((a, b) => compareText(a.slotId, b.slotId))
    const choices: readonly ((slot: PooledSlot, last: PooledSlot | undefined) => boolean)[] = [
      (slot, last) => slot.slotId === last?.slotId,
      (slot, last) => slot.taskManager === last?.taskManager,
      () => true,
    ]
    const keys = this.#demands.map(({ group, index }) => slotDemandKey(group, index))
    for (const fits of choices) {
      for (const key of keys) {
        if (this.#assigned.has(key)) continue
        const at = free.findIndex(slot => fits(slot, this.#last.get(key)))
        const [slot] = at < 0 ? [] : free.splice(at, 1)
        if (slot === undefined) continue
        this.#assigned.set(key, slot)
        this.#last.set(key, slot)
      }
    }
  }

  /** The slot of a demand; undefined: none yet. */
  slotOf(group: string, index: number): PooledSlot | undefined {
    return this.#assigned.get(slotDemandKey(group, index))
  }

  /** Slots beyond what the job needs, none of them in use. */
  surplus(): readonly PooledSlot[] {
    this.assign()
    const used = new Set([...this.#assigned.values()].map(slot => slot.allocationId))
    return this.slots().filter(slot => !used.has(slot.allocationId))
  }

  slots(): readonly PooledSlot[] {
    return [...this.#slots.values()]
  }

  /** Forgets a slot that is gone. Says whether it was there. */
  remove(allocationId: AllocationId): boolean {
    for (const [key, slot] of this.#assigned)
      if (slot.allocationId === allocationId) this.#assigned.delete(key)
    return this.#slots.delete(allocationId)
  }

  /** Forgets all slots of a TaskManager that is gone. */
  removeTaskManager(taskManager: ResourceId): void {
    for (const slot of this.slots()) if (slot.taskManager === taskManager) this.remove(slot.allocationId)
  }
}

/** By code units, but numbers inside by value: slot 10 comes after slot 9. */
function compareText(a: string, b: string): number {
  const [headA, numberA] = splitNumber(a)
  const [headB, numberB] = splitNumber(b)
  if (headA !== headB) return headA < headB ? -1 : 1
  return numberA - numberB
}

function splitNumber(slotId: string): [string, number] {
  const at = slotId.lastIndexOf('_')
  return [slotId.slice(0, at), Number(slotId.slice(at + 1))]
}
