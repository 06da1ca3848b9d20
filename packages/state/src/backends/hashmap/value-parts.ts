import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type { ValuePart } from './copy-on-write.ts'
import { HeapMap } from './heap-map.ts'

const FEW_ENTRIES = 16

/** Whether values of a kind of state consist of parts that are saved and stored one by one. */
export function hasParts(kind: StateDescriptor<unknown>['kind']): boolean {
  return kind === 'list' || kind === 'map'
}

/** Whether all parts of a value can be written without a pause: of maps so many entries, of lists one piece. */
export function hasFewParts(value: unknown): boolean {
  return value instanceof HeapMap ? value.size <= FEW_ENTRIES : (value as ValuePart[]).length === 1
}

/** The parts of a value as of now, each at least once; what is added while one goes through them may be among them. */
export function* partsOf(value: unknown): Iterable<ValuePart> {
  if (!(value instanceof HeapMap)) {
    yield* value as ValuePart[]
    return
  }
  for (const entries of value.arrays()) for (const entry of entries) if (entry !== undefined) yield entry
}

/** Whether a snapshot needs anything of a value that is given up. */
export function hasUnsavedParts(value: unknown, snapshot: number): boolean {
  if (value instanceof HeapMap) return value.born < snapshot
  return (value as ValuePart[]).some(part => part.saved < snapshot)
}
