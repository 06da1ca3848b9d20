import type { TaskIoMetrics } from '@flink-ts/gateways'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import type { TaskParts } from './assemble-task.ts'
import type { EventTimeWatch } from './event-time-watch.ts'
import type { TaskWork } from './task-work.ts'

/** Entries of one keyed state of one operator. */
export interface StateSize {
  readonly operator: string
  readonly name: string
  readonly entries: number
}

/** What is known of a task so far, for the web page and REST. */
export function taskMetrics(facts: {
  /** Undefined: it is not built yet. */
  readonly parts: TaskParts | undefined
  /** Undefined: it does not run yet. */
  readonly work: TaskWork | undefined
  /** Undefined: nothing there waits for event time. */
  readonly eventTimeWatch: EventTimeWatch | undefined
}): TaskIoMetrics {
  const { parts, work, eventTimeWatch } = facts
  if (parts === undefined) return { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }
  const { inputs, outputs, checkpointing } = parts
  const checkpoint = checkpointing.waitsFor
  return {
    recordsIn: inputs.recordsIn,
    recordsOut: outputs.recordsOut,
    bytesIn: inputs.bytesIn,
    bytesOut: outputs.bytesOut,
    ...work?.load(),
    ...(eventTimeWatch !== undefined && { eventTime: eventTimeWatch.look(inputs.eventTime) }),
    ...(checkpoint !== undefined && { checkpoint }),
  }
}

/** Entries of the keyed states of the operators of a task. */
export function stateSizes(
  parts: TaskParts | undefined,
  backends: readonly OperatorBackends[],
): readonly StateSize[] {
  return (parts?.chain.links ?? []).flatMap(({ index, node }) => {
    const sizes = backends[index]?.keyed?.stateSizes?.() ?? []
    return sizes.map(({ name, entries }) => ({ operator: node.name, name, entries }))
  })
}
