import { generate } from '@flink-ts/serialization'
import type { MapState } from '../../api/user-states.ts'
import { HeapMap } from './heap-map.ts'
import type { HeapState } from './heap-state.ts'
import type { TableDependencies } from './heap-table.ts'
import { TAG_CODE } from './key-tag.ts'
import { type GeneratedUserState, userStateCode, userStateValues } from './user-state-code.ts'

/** {@link MapState}s on tables of {@link HeapMap}s, with code of its own. A key without entries has no map. */
export function generateMapState<K, V>(
  tables: HeapState<HeapMap<V>>,
  dependencies: TableDependencies,
  bound: boolean,
): GeneratedUserState<MapState<K, V>> {
  const values: Record<string, unknown> = {
    ...userStateValues(tables, dependencies),
    HeapMap,
    Entry: tables.MapEntry,
  }
  return generate<GeneratedUserState<MapState<K, V>>>(
    Object.keys(values),
    `${userStateCode(bound)}
const touch = part => {
  if (part.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, part)
}
const partOf = key => {
  if (generation !== cursor.generation) find()
  return entry === undefined ? undefined : findIn(entry.value, key, ${TAG_CODE})
}
const clear = () => {
  if (generation !== cursor.generation) find()
  if (entry === undefined) return
  copyOnWrite.orphan(table, entry, entry.value)
  remove()
}
const removeKey = key => {
  const part = partOf(key)
  if (part === undefined) return
  touch(part)
  if (entry.value.size === 1) remove()
  else {
    entry.value.remove(key)
    copyOnWrite.removedPart(table, entry, part)
  }
}
const put = (key, value) => {
  if (value === undefined) {
    removeKey(key)
    return
  }
  const part = partOf(key)
  if (part !== undefined) {
    touch(part)
    part.value = own(value, part.value)
    return
  }
  if (entry === undefined) {
    // A key that can't be one must not leave an empty map.
    const map = new HeapMap(copyOnWrite.latest)
    map.insert(Entry, key, ${TAG_CODE}, own(value), copyOnWrite.latest)
    insert(map)
  } else entry.value.insert(Entry, key, ${TAG_CODE}, own(value), copyOnWrite.latest)
}
function* parts(table, entry, of) {
  for (const part of entry.value.values()) {
    if (part.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, part)
    yield of(part)
  }
}
const NONE = Object.freeze([])
const walk = of => {
  if (generation !== cursor.generation) find()
  return entry === undefined ? NONE : parts(table, entry, of)
}
const pairOf = part => [part.key, part.value]
const keyOf = part => part.key
const valueOf = part => part.value
const state = {
  get(key) {
    const part = partOf(key)
    if (part === undefined) return undefined
    if (part.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, part)
    return part.value
  },
  put,
  putAll(entries) {
    for (const [key, value] of Array.isArray(entries) ? entries : [...entries]) put(key, value)
  },
  remove: removeKey,
  contains: key => partOf(key) !== undefined,
  entries: () => walk(pairOf),
  keys: () => walk(keyOf),
  values: () => walk(valueOf),
  isEmpty() {
    if (generation !== cursor.generation) find()
    return entry === undefined
  },
  clear,
}
return { state, setNamespace }`,
    Object.values(values),
  )
}
