import type { WindowAggregation } from './window-functions.ts'

/** More would be copied to and fro for a record that changes one of them. */
const MOST_FIELDS = 8

/** Code that keeps the accumulators of integer keys as numbers in columns of their table. */
export interface NumberCode {
  /** Of the accumulators; none: they are numbers themselves. */
  readonly fields: readonly string[]
  /** Statement that makes `acc` of the numbers from `at` on: a new one for each record, as functions may keep it. */
  readonly load: string
  /** Statements that set `fits`: whether `next` can be kept as numbers without a loss. */
  readonly check: string
  /** Statements that store `next` from `at` on. */
  readonly store: string
}

/**
 * Whether accumulators can be numbers in columns, as a first one shows. Each record's is checked again: others stay
 * objects. What a function makes before it is opened may be anything, errors included: then all are objects.
 */
function numberFieldsOf(aggregation: WindowAggregation<never>): readonly string[] | undefined {
  if (aggregation.type !== 'aggregate') return undefined
  let first: unknown
  try {
    first = aggregation.aggregate.createAccumulator()
  } catch {
    // Said again, with its place, by the first record.
    return undefined
  }
  if (typeof first === 'number') return []
  if (typeof first !== 'object' || first === null || Object.getPrototypeOf(first) !== Object.prototype)
    return undefined
  const properties = Object.entries(Object.getOwnPropertyDescriptors(first))
  if (properties.length === 0 || properties.length > MOST_FIELDS) return undefined
  if (Reflect.ownKeys(first).length !== properties.length) return undefined
  // In a literal it would set the prototype.
  if (Object.hasOwn(first, '__proto__')) return undefined
  const isNumber = ([, { value, writable, enumerable }]: (typeof properties)[number]): boolean =>
    typeof value === 'number' && writable === true && enumerable === true
  return properties.every(isNumber) ? properties.map(([name]) => name) : undefined
}

/** Undefined: accumulators are kept as they are. */
export function numberCodeOf<T>(aggregation: WindowAggregation<T>): NumberCode | undefined {
  const fields = numberFieldsOf(aggregation as WindowAggregation<never>)
  return fields === undefined ? undefined : numberCode(fields)
}

function numberCode(fields: readonly string[]): NumberCode {
  if (fields.length === 0) {
    return {
      fields,
      load: 'const acc = data[at]',
      check: `const fits = typeof next === 'number'`,
      store: 'data[at] = next',
    }
  }
  const names = fields.map(name => `[${JSON.stringify(name)}]`)
  const parts = fields.map((name, i) => `${JSON.stringify(name)}: data[at + ${i}]`)
  return {
    fields,
    load: `const acc = { ${parts.join(', ')} }`,
    // Fields may have been added to it, so they are counted: a loop over names that V8 keeps with the shape.
    check: `let fits = typeof next === 'object' && next !== null && Object.getPrototypeOf(next) === Object.prototype
    if (fits) {
      let count = 0
      for (const name in next) count++
      fits = count === ${fields.length} && ${names.map(name => `typeof next${name} === 'number'`).join(' && ')}
    }`,
    store: names.map((name, i) => `data[at + ${i}] = next${name}`).join('\n    '),
  }
}
