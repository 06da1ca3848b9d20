import type { Key } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import type { ListState, MapState } from '../../api/user-states.ts'
import { InvalidElement, UnsupportedStateKind } from '../../errors.ts'
import { ownValue } from '../detach.ts'
import { CHUNK_ELEMENTS } from '../hashmap/list-chunk.ts'
import { makePlainUserState } from '../plain/plain-user-state.ts'
import type { Cell } from './cell-cache.ts'
import type { PartGroup } from './part-group.ts'
import type { RocksDbState } from './rocksdb-state.ts'
import type { Namespace } from './store-keys.ts'

/** What a user-facing state is bound to. */
export interface BoundPlace {
  /** The current key; throws `state.no-current-key`. */
  key(): Key
  namespace(): Namespace
}

/** The user-facing state of a descriptor. @throws state.unsupported-kind */
export function makeRocksDbUserState(
  state: RocksDbState,
  descriptor: StateDescriptor<unknown>,
  place: BoundPlace,
): unknown {
  const parts = (): PartGroup => state.parts(place.namespace(), place.key())
  switch (descriptor.kind) {
    case 'list':
      return listState(state.name, parts)
    case 'map':
      return mapState(parts)
    case 'internal': {
      const known = ['value', 'list', 'map', 'reducing', 'aggregating']
      throw UnsupportedStateKind({ name: descriptor.name, kind: descriptor.kind, known })
    }
    case 'value':
    case 'reducing':
    case 'aggregating':
      return makePlainUserState(withOwnDefault(descriptor), {
        table: () => state.peek(place.namespace()),
        key: place.key,
      })
  }
}

/** Each key gets a default of its own: one that is changed in place must not show up at other keys. */
function withOwnDefault(descriptor: StateDescriptor<unknown>): StateDescriptor<unknown> {
  const { kind, name, defaultValue, reduction, aggregation } = descriptor
  return {
    ...{ kind, name, reduction, aggregation },
    get defaultValue() {
      return typeof defaultValue === 'object' && defaultValue !== null
        ? structuredClone(defaultValue)
        : defaultValue
    },
  }
}

function mapState(parts: () => PartGroup): MapState<unknown, unknown> {
  const remove = (key: unknown): void => {
    const cell = parts().place(key)
    cell.present = false
    cell.value = undefined
  }
  const put = (key: unknown, value: unknown): void => {
    if (value === undefined) {
      remove(key)
      return
    }
    const cell = parts().place(key)
    cell.present = true
    cell.value = ownValue(value)
  }
  function* walk<T>(group: PartGroup, of: (cell: Cell) => T): Generator<T> {
    for (const cell of group.walk()) yield of(cell)
  }
  return {
    get: key => {
      const cell = parts().find(key)
      return cell.present ? cell.value : undefined
    },
    put,
    putAll: entries => {
      for (const [key, value] of Array.isArray(entries) ? entries : [...entries]) put(key, value)
    },
    remove,
    contains: key => parts().find(key).present,
    entries: () => walk(parts(), ({ key, value }): [unknown, unknown] => [key, value]),
    keys: () => walk(parts(), ({ key }) => key),
    values: () => walk(parts(), ({ value }) => value),
    isEmpty: () => parts().isEmpty(),
    clear: () => parts().clear(),
  }
}

const NONE: readonly never[] = Object.freeze([])

function listState(name: string, parts: () => PartGroup): ListState<unknown> {
  const checked = (value: unknown): unknown => {
    if (value === undefined || value === null) throw InvalidElement({ name, value: String(value) })
    return ownValue(value)
  }
  const clear = (): void => parts().clear()
  const append = (group: PartGroup, element: unknown): void => {
    const pieces = piecesOf(group)
    const last = pieces === 0 ? undefined : group.find(pieces - 1)
    if (last !== undefined && elementsOf(last).length < CHUNK_ELEMENTS) {
      elementsOf(last).push(element)
      return
    }
    setPiece(group, pieces, [element])
  }
  const addAll = (values: Iterable<unknown>): void => {
    // Copied and checked first: it may be this list, and is added as a whole or not at all.
    const elements = Array.from(values, checked)
    const group = parts()
    for (const element of elements) append(group, element)
  }
  return {
    get: () => {
      const group = parts()
      const pieces = piecesOf(group)
      if (pieces === 0) return NONE
      if (pieces === 1) return elementsOf(group.find(0))
      return elementsIn(group, pieces)
    },
    add: value => {
      const element = checked(value)
      append(parts(), element)
    },
    addAll,
    update: values => {
      const elements = Array.from(values, checked)
      clear()
      const group = parts()
      for (let at = 0; at < elements.length; at += CHUNK_ELEMENTS) {
        setPiece(group, at / CHUNK_ELEMENTS, elements.slice(at, at + CHUNK_ELEMENTS))
      }
    },
    clear,
  }
}

function* elementsIn(group: PartGroup, pieces: number): Generator<unknown> {
  for (let i = 0; i < pieces; i++) yield* elementsOf(group.current().find(i))
}

function elementsOf(cell: Cell): unknown[] {
  return cell.value as unknown[]
}

function setPiece(group: PartGroup, index: number, elements: unknown[]): void {
  const cell = group.place(index)
  cell.present = true
  cell.value = elements
  group.pieces = index + 1
}

/** Known as long as a piece is in memory, else the store knows. */
function piecesOf(group: PartGroup): number {
  if (group.pieces === undefined) {
    const last = group.readLast()
    group.pieces = last === undefined ? undefined : (last.key as number) + 1
    return group.pieces ?? 0
  }
  return group.pieces
}
