import { createValueSerializer, generate } from '@flink-ts/serialization'
import type { ValueState } from '../../api/user-states.ts'
import { NoCurrentKey } from '../../errors.ts'
import { LOOKUP_FUNCTIONS, lookupCode, lookupValues } from './generate-heap-table.ts'
import type { HeapTable, TableDependencies } from './heap-table.ts'

/** Makes {@link ValueState}s of one table, with the default value of a descriptor. */
export type ValueStateMaker<T> = (defaultValue: T | undefined) => ValueState<T>

interface GeneratedValueState<T> {
  /** @param makeDefault undefined: `defaultValue` is given out as it is */
  bind(defaultValue: T | undefined, makeDefault: (() => T) | undefined): ValueState<T>
  forget(): void
}

/**
 * Code of its own for the value states of one table. The lookup of the current key, a miss included, is remembered
 * until the cursor's generation changes: `value` and `update` of one record look it up once. All value states are
 * objects of one shape, so that user code that runs for several states does not become megamorphic.
 */
export function generateValueState<T>(
  table: HeapTable<T>,
  dependencies: TableDependencies,
  ownValue: (value: unknown, old?: unknown) => unknown,
): ValueStateMaker<T> {
  const { cursor } = dependencies
  const values: Record<string, unknown> = {
    ...lookupValues(dependencies),
    table,
    cursor,
    valueState,
    ownValue,
    noKey: () => NoCurrentKey({ name: table.state.name }),
  }
  const generated = generate<GeneratedValueState<T>>(
    Object.keys(values),
    `${LOOKUP_FUNCTIONS}
let entry
let generation = -1
const find = () => {
  const key = cursor.key
  ${lookupCode('if (!cursor.hasKey) throw noKey()')}
  generation = cursor.generation
}
const clear = () => {
  if (!cursor.hasKey) throw noKey()
  table.remove(cursor.key)
}
const update = value => {
  if (value === undefined) {
    clear()
    return
  }
  if (generation !== cursor.generation) find()
  if (entry !== undefined) entry.value = typeof value === 'string' || typeof value === 'object' ? ownValue(value, entry.value) : value
  else {
    entry = table.insert(cursor.key, value)
    generation = cursor.generation
  }
}
return {
  bind: (defaultValue, makeDefault) => valueState(
    () => {
      if (generation !== cursor.generation) find()
      if (entry !== undefined) return entry.value
      return makeDefault === undefined ? defaultValue : makeDefault()
    },
    update,
    clear,
  ),
  forget() {
    entry = undefined
    generation = -1
  },
}`,
    Object.values(values),
  )
  cursor.onRestart(generated.forget)
  return defaultValue => generated.bind(defaultValue, defaultMaker(defaultValue))
}

function valueState<T>(
  value: ValueState<T>['value'],
  update: ValueState<T>['update'],
  clear: ValueState<T>['clear'],
): ValueState<T> {
  return { value, update, clear }
}

/** Each key gets a default of its own: one that is changed in place must not show up at other keys. */
function defaultMaker<T>(value: T | undefined): (() => T) | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const serializer = createValueSerializer()
  const bytes = serializer.encode(value)
  return () => serializer.decode(bytes) as T
}
