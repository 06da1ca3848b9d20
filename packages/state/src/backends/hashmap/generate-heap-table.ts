import { inspect } from 'node:util'
import { generate, hashKey } from '@flink-ts/serialization'
import { DuplicateInsert } from '../../errors.ts'
import { detachKey, detachString } from '../detach.ts'
import { generateHeapEntry } from './heap-entry.ts'
import { heapKey } from './heap-key.ts'
import { GOLDEN_RATIO, HeapTable, MOST_RECENT, type TableDependencies } from './heap-table.ts'
import { SEGMENT_LIMIT, SegmentedMap } from './segmented-map.ts'

/** Constructor of the tables of one state. */
export type HeapTableClass<V> = new (
  ...parameters: ConstructorParameters<typeof HeapTable<V>>
) => HeapTable<V>

/** Source text of `placeOf` the `key`. */
const placeIn = (recent: string): string =>
  `Math.imul(key, ${GOLDEN_RATIO}) >>> Math.clz32(${recent}.length - 1)`

/**
 * Source text of a lookup with its copy-on-write check: sets `entry` to that of `key` in `table`. Needs the values of
 * {@link lookupValues} and the function of {@link LOOKUP_FUNCTIONS}. Numbers found lately need no more than this: short, so
 * that V8 inlines it into what calls it, and that into the user's function.
 * @param check statement for all others, before they are looked up
 */
export const lookupCode = (
  check = '',
): string => `entry = typeof key === 'number' ? table.recent[${placeIn('table.recent')}] : undefined
if (entry === undefined || entry.key !== key || entry.saved < copyOnWrite.open) {
  ${check}
  entry = lookup(table, key)
}`

/**
 * Source text of what {@link lookupCode} calls. A Map compares numbers as keys are compared.
 */
export const LOOKUP_FUNCTIONS = `const lookup = (table, key) => {
  const integer = typeof key === 'number' && (key | 0) === key
  const entry = integer ? lookupInteger(table, key | 0) : lookupOther(table, key)
  if (entry !== undefined && entry.saved < copyOnWrite.open) copyOnWrite.save(table, entry)
  return entry
}
const lookupInteger = (table, key) => {
  // With its first touch after a snapshot it is where it was, only not without a look at it.
  const place = ${placeIn('table.recent')}
  let entry = table.recent[place]
  if (entry === undefined || entry.key !== key) {
    entry = table.segments === undefined ? table.map.get(key) : table.segments.get(key, hashKey(key))
    if (entry !== undefined) table.recent[place] = entry
  }
  return entry
}
const canonicalOf = key => (key === cursor.key ? cursor.canonical : heapKey(key))
const lookupOther = (table, key) => {
  if (table.segments !== undefined) {
    const hash = hashKey(key)
    if (typeof key !== 'string') return table.segments.get(canonicalOf(key), hash)
    // The hash is needed anyway: it finds most entries without the Map, which would hash a decoded string once more.
    const recent = table.recent
    const place = hash & (recent.length - 1)
    let entry = recent[place]
    if (entry === undefined || entry.key !== key) {
      entry = table.segments.get(heapKey(key), hash)
      if (entry !== undefined) recent[place] = entry
    }
    return entry
  }
  if (typeof key === 'string' && key.charCodeAt(0) !== 0) return table.map.get(key)
  return table.map.get(canonicalOf(key))
}`

/** What {@link lookupCode} refers to besides its table and key, by name. */
export function lookupValues({ copyOnWrite, cursor }: TableDependencies): Record<string, unknown> {
  return { heapKey, hashKey, copyOnWrite, cursor }
}

/**
 * The class of the tables of one state, with `find` and `insert` of its own: shared ones cost twice as much as soon as
 * other states run through them (DESIGN 4). Its tables throw `state.duplicate-insert`.
 *
 * @param ownValue what inserted values go through; undefined: they are kept as they are
 */
export function generateHeapTable<V>(
  dependencies: TableDependencies,
  ownValue?: (value: unknown) => unknown,
): HeapTableClass<V> {
  const values: Record<string, unknown> = {
    ...lookupValues(dependencies),
    HeapTable,
    Entry: generateHeapEntry<V>(),
    SegmentedMap,
    cursor: dependencies.cursor,
    detachKey,
    detachString,
    ownValue,
    duplicate,
  }
  return generate<HeapTableClass<V>>(
    Object.keys(values),
    `${LOOKUP_FUNCTIONS}
return class extends HeapTable {
  find(key) {
    let entry
    const table = this
    ${lookupCode()}
    return entry
  }

  findMany(keys, count, entries) {
    const table = this
    const recent = table.recent
    const mask = table.segments === undefined ? -1 : recent.length - 1
    // Nothing in a pass needs what another key of it loads: the processor has many loads under way at a time.
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      if (typeof key === 'number') entries[i] = recent[${placeIn('recent')}]
      else if (typeof key === 'string' && mask >= 0) entries[i] = recent[hashKey(key) & mask]
      else entries[i] = undefined
    }
    const open = copyOnWrite.open
    for (let i = 0; i < count; i++) {
      const entry = entries[i]
      if (entry === undefined || entry.key !== keys[i] || entry.saved < open) entries[i] = lookup(table, keys[i])
    }
  }

  insert(key, value) {
    let own = key
    let canonical = key
    if (typeof key === 'string') {
      own = detachString(key)
      canonical = key.charCodeAt(0) === 0 ? heapKey(own) : own
    } else if (typeof key !== 'number') {
      own = detachKey(key)
      canonical = canonicalOf(key)
    }
    const entry = new Entry(own, ${ownValue === undefined ? 'value' : `typeof value === 'string' || typeof value === 'object' ? ownValue(value) : value`}, copyOnWrite.latest)
    if (copyOnWrite.touches !== undefined && this.namespace === undefined) copyOnWrite.touches.add(this, entry)
    if (this.segments === undefined) {
      const map = this.map
      // Set first, look at the size afterwards: one lookup, and a duplicate ends the task anyway.
      map.set(canonical, entry)
      if (map.size === this.size) throw duplicate(this, key)
      if (map.size >= ${SEGMENT_LIMIT}) {
        this.segments = new SegmentedMap(map)
        // Strings have places from now on.
        if (typeof key === 'string' && this.recent.length < ${SEGMENT_LIMIT}) this.recent = new Array(${SEGMENT_LIMIT}).fill(undefined)
      }
    } else if (!this.segments.add(canonical, entry)) throw duplicate(this, key)
    this.size++
    const integer = typeof key === 'number' && (key | 0) === key
    if (integer || this.segments !== undefined) {
      if (this.size * 2 > this.recent.length && this.recent.length < ${MOST_RECENT}) this.recent = new Array(this.recent.length * 2).fill(undefined)
      if (integer) this.recent[${placeIn('this.recent')}] = entry
    }
    cursor.advance()
    return entry
  }
}`,
    Object.values(values),
  )
}

function duplicate(table: HeapTable<unknown>, key: unknown): Error {
  return DuplicateInsert({
    name: table.state.name,
    key: inspect(key, { depth: 1, maxStringLength: 80 }),
  })
}
