import type { NamespaceBoundState } from '../../api/keyed-state-backend.ts'
import type { StateDescriptor } from '../../api/state-descriptor.ts'
import { UnsupportedStateKind } from '../../errors.ts'
import { BoundValueState } from './bound-value-state.ts'
import { generateFoldingState } from './generate-folding-state.ts'
import { generateListState } from './generate-list-state.ts'
import { generateMapState } from './generate-map-state.ts'
import type { HeapMap } from './heap-map.ts'
import type { HeapState } from './heap-state.ts'
import type { TableDependencies } from './heap-table.ts'
import type { ListChunk } from './list-chunk.ts'

const KINDS = ['value', 'list', 'map', 'reducing', 'aggregating']

/**
 * The user-facing state of a descriptor on the tables of its name.
 * @param bound whether it is used in namespaces that change
 * @throws state.unsupported-kind
 */
export function makeUserState(
  state: HeapState<unknown>,
  descriptor: StateDescriptor<unknown>,
  dependencies: TableDependencies,
  bound: boolean,
): NamespaceBoundState<unknown> {
  switch (descriptor.kind) {
    case 'value': {
      const value = new BoundValueState(state, descriptor.defaultValue, dependencies.cursor)
      return { state: value, setNamespace: namespace => value.setNamespace(namespace) }
    }
    case 'list':
      return generateListState(state as HeapState<ListChunk<unknown>[]>, dependencies, bound)
    case 'map':
      return generateMapState(state as unknown as HeapState<HeapMap<unknown>>, dependencies, bound)
    case 'reducing':
      return generateFoldingState(state, dependencies, descriptor.reduction, bound)
    case 'aggregating':
      return generateFoldingState(state, dependencies, descriptor.aggregation, bound)
    case 'internal':
      throw UnsupportedStateKind({ name: descriptor.name, kind: descriptor.kind, known: KINDS })
  }
}
