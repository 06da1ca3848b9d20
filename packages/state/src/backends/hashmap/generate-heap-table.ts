import { inspect } from 'node:util'
import { generate } from '@flink-ts/serialization'
import { DuplicateInsert } from '../../errors.ts'
import { detachKey, detachString } from '../detach.ts'
import { FIND_CODE } from './entry-index.ts'
import { generateHeapEntry } from './heap-entry.ts'
import { HeapTable, MOST_RECENT, type TableDependencies } from './heap-table.ts'
import { GOLDEN_RATIO, INTEGER_TAG_CODE, sameKey, tagOf } from './key-tag.ts'

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

/** Source text of what {@link lookupCode} calls. */
export const LOOKUP_FUNCTIONS = `${FIND_CODE}
const lookup = (table, key) => {
  const integer = typeof key === 'number' && (key | 0) === key
  const entry = integer ? lookupInteger(table, key | 0) : findIn(table.index, key, tagOfAny(key))
  if (entry !== undefined && entry.saved < copyOnWrite.open) copyOnWrite.save(table, entry)
  return entry
}
const lookupInteger = (table, key) => {
  // With its first touch after a snapshot it is where it was, only not without a look at it.
  const place = ${placeIn('table.recent')}
  let entry = table.recent[place]
  if (entry === undefined || entry.key !== key) {
    entry = findIn(table.index, key, ${INTEGER_TAG_CODE})
    if (entry !== undefined) table.recent[place] = entry
  }
  return entry
}
const tagOfAny = key => (key === cursor.key ? cursor.tag : tagOf(key))`

/** What {@link lookupCode} refers to besides its table and key, by name. */
export function lookupValues({ copyOnWrite, cursor }: TableDependencies): Record<string, unknown> {
  return { sameKey, tagOf, copyOnWrite, cursor }
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
    const index = table.index
    // Nothing in a pass needs what another key of it loads: the processor has many loads under way at a time.
    for (let i = 0; i < count; i++) {
      const key = keys[i]
      if (typeof key === 'number') entries[i] = recent[${placeIn('recent')}]
      else {
        const tag = tagOf(key)
        const segment = index.parts === undefined ? index : index.parts[tag >>> index.shift]
        const tags = segment.tags
        if (tags === undefined) entries[i] = undefined
        else {
          const at = (tag ^ (tag >>> 15)) & (tags.length - 1)
          entries[i] = tags[at] === tag ? segment.entries[segment.numbers[at]] : undefined
        }
      }
    }
    const open = copyOnWrite.open
    for (let i = 0; i < count; i++) {
      const entry = entries[i]
      if (entry === undefined || entry.key !== keys[i] || entry.saved < open) entries[i] = lookup(table, keys[i])
    }
  }

  insert(key, value) {
    const index = this.index
    const integer = typeof key === 'number' && (key | 0) === key
    const tag = integer ? ${INTEGER_TAG_CODE} : tagOfAny(key)
    if (findIn(index, key, tag) !== undefined) throw duplicate(this, key)
    const own = typeof key === 'number' ? key : typeof key === 'string' ? detachString(key) : detachKey(key)
    const entry = new Entry(own, ${ownValue === undefined ? 'value' : `typeof value === 'string' || typeof value === 'object' ? ownValue(value) : value`}, copyOnWrite.latest)
    if (copyOnWrite.touches !== undefined && this.namespace === undefined) copyOnWrite.touches.add(this, entry)
    index.add(entry, tag)
    if (integer) {
      if (index.size * 2 > this.recent.length && this.recent.length < ${MOST_RECENT}) this.recent = new Array(this.recent.length * 2).fill(undefined)
      this.recent[${placeIn('this.recent')}] = entry
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
