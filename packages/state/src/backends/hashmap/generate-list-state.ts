import { generate } from '@flink-ts/serialization'
import type { ListState } from '../../api/user-states.ts'
import { InvalidElement } from '../../errors.ts'
import type { HeapState } from './heap-state.ts'
import type { TableDependencies } from './heap-table.ts'
import { CHUNK_ELEMENTS, type ListChunk, toChunks } from './list-chunk.ts'
import { type GeneratedUserState, userStateCode, userStateValues } from './user-state-code.ts'

/** {@link ListState}s on tables of {@link ListChunk}s, with code of its own. A key without elements has no list. */
export function generateListState<T>(
  tables: HeapState<ListChunk<T>[]>,
  dependencies: TableDependencies,
  bound: boolean,
): GeneratedUserState<ListState<T>> {
  const values: Record<string, unknown> = {
    ...userStateValues(tables, dependencies),
    toChunks,
    invalid: (value: unknown) => InvalidElement({ name: tables.name, value: String(value) }),
  }
  return generate<GeneratedUserState<ListState<T>>>(
    Object.keys(values),
    `${userStateCode(bound)}
const checked = value => {
  if (value === undefined || value === null) throw invalid(value)
  return own(value)
}
const clear = () => {
  if (generation !== cursor.generation) find()
  if (entry === undefined) return
  copyOnWrite.orphan(table, entry, entry.value)
  remove()
}
const add = value => {
  const element = checked(value)
  if (generation !== cursor.generation) find()
  if (entry === undefined) {
    insert([{ key: 0, value: [element], saved: copyOnWrite.latest }])
    return
  }
  const chunks = entry.value
  const last = chunks[chunks.length - 1]
  if (last.value.length >= ${CHUNK_ELEMENTS}) {
    chunks.push({ key: chunks.length, value: [element], saved: copyOnWrite.latest })
    return
  }
  if (last.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, last)
  last.value.push(element)
}
const update = values => {
  const elements = Array.from(values, checked)
  if (elements.length === 0) {
    clear()
    return
  }
  if (generation !== cursor.generation) find()
  const chunks = toChunks(elements, copyOnWrite.latest)
  if (entry === undefined) insert(chunks)
  else {
    copyOnWrite.orphan(table, entry, entry.value)
    copyOnWrite.removed(table, entry)
    entry.value = chunks
  }
}
function* elements(table, entry) {
  for (const chunk of entry.value) {
    if (chunk.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, chunk)
    yield* chunk.value
  }
}
const NONE = Object.freeze([])
const state = {
  get() {
    if (generation !== cursor.generation) find()
    if (entry === undefined) return NONE
    if (entry.value.length > 1) return elements(table, entry)
    const chunk = entry.value[0]
    if (chunk.saved < copyOnWrite.open) copyOnWrite.savePart(table, entry, chunk)
    return chunk.value
  },
  add,
  addAll(values) {
    // Copied and checked first: it may be this list, and is added as a whole or not at all.
    for (const element of Array.from(values, checked)) add(element)
  },
  update,
  clear,
}
return { state, setNamespace }`,
    Object.values(values),
  )
}
