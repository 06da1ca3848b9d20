import type { Random } from '../time/random.ts'

declare const brand: unique symbol
type Branded<B extends string> = string & { readonly [brand]: B }

/** 32 lower-case hex characters. */
export type JobId = Branded<'JobId'>
/** 32 lower-case hex characters, derived from the state ids of the chained operators. */
export type JobVertexId = Branded<'JobVertexId'>
/** State id of an operator: 32 hex characters, derived from its uid, name or path (DESIGN 3.6). */
export type OperatorId = Branded<'OperatorId'>
/** `<execution graph id>_<vertex id>_<subtask>_<attempt>`: one attempt to run one subtask. */
export type ExecutionAttemptId = Branded<'ExecutionAttemptId'>
/** One allocation of one slot to one job. */
export type AllocationId = Branded<'AllocationId'>
/** A process: stable over its registrations. */
export type ResourceId = Branded<'ResourceId'>
/** One registration of a TaskManager: a new one after each loss of the connection. */
export type InstanceId = Branded<'InstanceId'>
/** `<resource id>_<slot number>`. */
export type SlotId = Branded<'SlotId'>
/** Fencing token: identifies one term of one leader. */
export type LeaderSessionId = Branded<'LeaderSessionId'>

/** A new random id of 32 hex characters. */
export function newId<T extends string>(random: Random): T {
  return random.bytes(16).toString('hex') as T
}

/** The id of slot `number` (from 0) of a TaskManager. */
export function slotIdOf(taskManager: ResourceId, number: number): SlotId {
  return `${taskManager}_${number}` as SlotId
}
