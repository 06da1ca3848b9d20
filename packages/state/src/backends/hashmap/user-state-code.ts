import type { NamespaceBoundState } from '../../api/keyed-state-backend.ts'
import { NoCurrentKey } from '../../errors.ts'
import { LOOKUP_FUNCTIONS, lookupCode, lookupValues } from './generate-heap-table.ts'
import type { HeapState } from './heap-state.ts'
import type { TableDependencies } from './heap-table.ts'

/** What generated code of a user-facing state refers to, beside what is its own. */
export function userStateValues<V>(
  tables: HeapState<V>,
  dependencies: TableDependencies,
): Record<string, unknown> {
  return {
    ...lookupValues(dependencies),
    tables,
    cursor: dependencies.cursor,
    own: tables.own,
    noKey: () => NoCurrentKey({ name: tables.name }),
  }
}

/**
 * Source text that every user-facing state begins with: `find()` sets `entry` to that of the current key, and
 * remembers it until the cursor's generation changes; `insert(value)`, `remove()`, `setNamespace(namespace)`.
 * @param bound whether the namespace changes; its tables come and go then
 */
export function userStateCode(bound: boolean): string {
  return `${LOOKUP_FUNCTIONS}
let namespace
let table = ${bound ? 'undefined' : 'tables.table(undefined)'}
let entry
let generation = -1
const find = () => {
  if (!cursor.hasKey) throw noKey()
  const key = cursor.key
  ${bound ? 'table = tables.existing(namespace)\n  entry = undefined\n  if (table !== undefined) {' : '{'}
    ${lookupCode()}
  }
  generation = cursor.generation
}
const insert = value => {
  ${bound ? 'if (table === undefined) table = tables.table(namespace)' : ''}
  entry = table.insert(cursor.key, value)
  generation = cursor.generation
}
const remove = () => {
  table.remove(cursor.key)
  ${bound ? 'if (table.size === 0) tables.drop(namespace)' : ''}
  generation = -1
}
const setNamespace = next => {
  namespace = next
  generation = -1
}
cursor.onRestart(() => {
  entry = undefined
  generation = -1
})
`
}

/** What generated code gives: a state, of the only namespace or of one that is set. */
export type GeneratedUserState<S> = NamespaceBoundState<S>
