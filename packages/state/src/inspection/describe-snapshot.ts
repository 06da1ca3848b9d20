import type { StateType } from '../api/state-type.ts'
import { readHeader } from '../snapshot/read-key-groups.ts'
import {
  type CheckpointMetadata,
  locationSizeBytes,
  type OperatorState,
  type OperatorStateMode,
} from '../snapshot/state-handle.ts'
import { describeType } from '../types/infer-type.ts'
import { mergeTypes } from '../types/merge-types.ts'
import type { InspectedStorage } from './read-entries.ts'

/** One state of one operator of a snapshot. */
export interface DescribedState {
  readonly operatorId: string
  /** Of the operator; its id if the snapshot does not say. */
  readonly operatorName: string
  readonly parallelism: number
  readonly maxParallelism: number
  readonly name: string
  /** Of keyed state `value`, `list` and so on, `timers`; of operator state how it is redistributed. */
  readonly kind: string
  readonly keyed: boolean
  /** Of values, in words; undefined: the snapshot does not say. */
  readonly type: string | undefined
  /** Whether values have times to live, and by which clock. */
  readonly ttl: string | undefined
  /** Of operator state; of keyed state only `flink state export` counts. */
  readonly elements: number | undefined
}

/** Size of the state of an operator in a snapshot, in bytes. */
export function operatorSizeBytes(operator: OperatorState): number {
  let bytes = 0
  for (const { state } of operator.subtasks) {
    for (const { location } of [...state.keyed, ...state.operator]) bytes += locationSizeBytes(location)
  }
  return bytes
}

/** All states of a snapshot, from its metadata and the heads of its files: no values are read. */
export async function describeSnapshot(
  metadata: CheckpointMetadata,
  storage: InspectedStorage,
): Promise<readonly DescribedState[]> {
  const described: DescribedState[] = []
  for (const operator of metadata.operators) {
    described.push(...(await keyedStates(operator, storage)), ...operatorStates(operator))
  }
  return described
}

const factsOf = (operator: OperatorState) => ({
  operatorId: operator.operatorId,
  operatorName: operator.name ?? operator.operatorId,
  parallelism: operator.parallelism,
  maxParallelism: operator.maxParallelism,
})

async function keyedStates(operator: OperatorState, storage: InspectedStorage): Promise<DescribedState[]> {
  const states = new Map<string, { kind: string; ttl: string | undefined; type: StateType }>()
  for (const { state } of operator.subtasks) {
    for (const handle of state.keyed) {
      if (handle.storeFile !== undefined) continue
      const header = await readHeader(handle, storage)
      for (const { name, kind, ttl } of header.states) {
        const type = mergeTypes(states.get(name)?.type ?? [], handle.types?.[name] ?? [])
        states.set(name, { kind, ttl, type })
      }
    }
  }
  return [...states].map(([name, { kind, ttl, type }]) => ({
    ...{ ...factsOf(operator), name, kind, keyed: true, ttl, elements: undefined },
    type: Array.isArray(type) && type.length === 0 ? undefined : describeType(type),
  }))
}

function operatorStates(operator: OperatorState): DescribedState[] {
  const lists = new Map<string, { mode: OperatorStateMode; elements: number; type: StateType }>()
  for (const { state } of operator.subtasks) {
    for (const { name, mode, offsets, type } of state.operator.flatMap(handle => handle.states)) {
      const known = lists.get(name)
      lists.set(name, {
        mode,
        elements: (known?.elements ?? 0) + offsets.length,
        type: mergeTypes(known?.type ?? [], type ?? []),
      })
    }
  }
  return [...lists].map(([name, { mode, elements, type }]) => ({
    ...{ ...factsOf(operator), name, kind: mode, keyed: false, ttl: undefined, elements },
    type: Array.isArray(type) && type.length === 0 ? undefined : describeType(type),
  }))
}
