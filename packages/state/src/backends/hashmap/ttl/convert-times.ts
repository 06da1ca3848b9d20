import type { StateDescriptor } from '../../../api/state-descriptor.ts'
import type { TtlTime } from '../../../api/state-ttl-config.ts'
import type { CopyOnWrite } from '../copy-on-write.ts'
import { HeapMap } from '../heap-map.ts'
import type { HeapState } from '../heap-state.ts'
import type { Timed } from './ttl-clock.ts'

/** Whether values have times, and by which clock. */
export type TtlMode = TtlTime | undefined

/** Gives a value a time, takes it away, or replaces that of another clock by `stamp`. */
export function convertTime(value: unknown, from: TtlMode, to: TtlMode, stamp: number): unknown {
  if (from === to) return value
  const plain = from === undefined ? value : (value as Timed<unknown>)[1]
  return to === undefined ? plain : [stamp, plain]
}

/** The same for what is stored of one entry: see `keyed-format.ts`. */
export function convertStored(
  kind: StateDescriptor<unknown>['kind'],
  stored: unknown,
  from: TtlMode,
  to: TtlMode,
  stamp: number,
): unknown {
  if (from === to) return stored
  if (kind === 'map') {
    const [key, value] = stored as [unknown, unknown]
    return [key, convertTime(value, from, to, stamp)]
  }
  if (kind === 'list') {
    const [index, elements] = stored as [number, unknown[]]
    return [index, elements.map(element => convertTime(element, from, to, stamp))]
  }
  return convertTime(stored, from, to, stamp)
}

/** Replaces all values of a state, elements of lists and maps one by one. The state may be in an open snapshot. */
export function convertState(
  state: HeapState<unknown>,
  convert: (value: unknown, key: unknown) => unknown,
  copyOnWrite: CopyOnWrite,
): void {
  for (const table of state.tables()) {
    for (const entry of table.entries()) {
      if (entry.value instanceof HeapMap) {
        for (const part of entry.value.values()) {
          if (part.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, part)
          part.value = convert(part.value, entry.key)
        }
      } else if (state.kind === 'list') {
        for (const chunk of entry.value as { key: unknown; value: unknown[]; saved: number }[]) {
          if (chunk.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, chunk)
          chunk.value.forEach((element, i, elements) => {
            elements[i] = convert(element, entry.key)
          })
        }
      } else entry.value = convert(entry.value, entry.key)
    }
  }
}
