import type { AccumulatorValues } from '@flink-ts/common'
import type { TaskIoMetrics } from '@flink-ts/gateways'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import type { TaskParts } from './assemble-task.ts'

/** Entries of one keyed state of one operator. */
export interface StateSize {
  readonly operator: string
  readonly name: string
  readonly entries: number
}

/**
 * What is known of a task so far, for the web page and REST.
 * @param parts undefined: it is not built yet
 * @param accumulators those that are small
 */
export function taskMetrics(
  parts: TaskParts | undefined,
  isStarting: boolean,
  accumulators: AccumulatorValues,
): TaskIoMetrics {
  if (parts === undefined) return { recordsIn: 0, recordsOut: 0, bytesIn: 0, bytesOut: 0 }
  const { inputs, outputs, checkpointing, work, eventTimeWatch } = parts
  const checkpoint = checkpointing.waitsFor
  return {
    recordsIn: inputs.recordsIn,
    recordsOut: outputs.recordsOut,
    bytesIn: inputs.bytesIn,
    bytesOut: outputs.bytesOut,
    ...(!isStarting && work.load()),
    ...(Object.keys(accumulators).length > 0 && { accumulators }),
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
