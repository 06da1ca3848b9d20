import { generate } from '@flink-ts/serialization'
import type { AppendingState } from '../../api/user-states.ts'
import type { HeapState } from './heap-state.ts'
import type { TableDependencies } from './heap-table.ts'
import { type GeneratedUserState, userStateCode, userStateValues } from './user-state-code.ts'

/** Source text of how a folding state makes its first value, adds to it, and gives it out. */
interface FoldingCode {
  readonly first: string
  readonly add: string
  readonly result: string
}

const REDUCE_FUNCTION: FoldingCode = { first: 'value', add: 'f(entry.value, value)', result: 'entry.value' }
const REDUCE_OBJECT: FoldingCode = { ...REDUCE_FUNCTION, add: 'f.reduce(entry.value, value)' }
const AGGREGATE: FoldingCode = {
  first: 'f.add(value, f.createAccumulator())',
  add: 'f.add(value, entry.value)',
  result: 'f.getResult(entry.value)',
}

/**
 * Reducing and aggregating states, with code of its own.
 * @param f the descriptor's reduction or aggregation
 */
export function generateFoldingState<V, S extends AppendingState<never, unknown>>(
  tables: HeapState<V>,
  dependencies: TableDependencies,
  f: unknown,
  bound: boolean,
): GeneratedUserState<S> {
  const reduction = typeof f === 'function' ? REDUCE_FUNCTION : REDUCE_OBJECT
  const code = tables.kind === 'aggregating' ? AGGREGATE : reduction
  const values: Record<string, unknown> = { ...userStateValues(tables, dependencies), f }
  return generate<GeneratedUserState<S>>(
    Object.keys(values),
    `${userStateCode(bound)}
const state = {
  get() {
    if (generation !== cursor.generation) find()
    return entry === undefined ? undefined : ${code.result}
  },
  add(value) {
    if (generation !== cursor.generation) find()
    if (entry === undefined) insert(${code.first})
    else entry.value = own(${code.add}, entry.value)
  },
  clear() {
    if (generation !== cursor.generation) find()
    if (entry !== undefined) remove()
  },
}
return { state, setNamespace }`,
    Object.values(values),
  )
}
