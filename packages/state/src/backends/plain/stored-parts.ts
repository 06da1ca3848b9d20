import { canonicalKey } from '@flink-ts/serialization'
import type { StateDescriptor } from '../../api/state-descriptor.ts'

/** Values of {@link makePlainUserState} as they are stored: maps by entry, lists as one piece. */
export function storedParts(kind: StateDescriptor<unknown>['kind'], value: unknown): readonly unknown[] {
  if (kind === 'map') return [...(value as Map<unknown, [unknown, unknown]>).values()]
  return kind === 'list' ? [[0, value]] : [value]
}

/** The inverse: adds a stored part to what there is of the value. Pieces of a list may come in any order. */
export function fromParts(
  kind: StateDescriptor<unknown>['kind'],
  existing: unknown,
  stored: unknown,
): unknown {
  if (kind === 'map') {
    const [key, value] = stored as [unknown, unknown]
    const map = (existing ?? new Map()) as Map<unknown, [unknown, unknown]>
    return map.set(canonicalKey(key), [key, value])
  }
  if (kind !== 'list') return stored
  const [index, elements] = stored as [number, unknown[]]
  const pieces = (existing ?? []) as unknown[][]
  pieces[index] = elements
  return pieces
}
