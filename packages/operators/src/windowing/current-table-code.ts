import type { Push } from '../contract/stream-operator.ts'
import type { NumberCode } from './number-accumulators.ts'
import type { AggregationCode } from './window-aggregation.ts'

/** What adds records to the table of their window. */
export interface TableWriter {
  readonly push: Push
  /** Adds what was pushed and is not in its table yet: before anything is read from tables. */
  readonly flush: () => void
}

/** Records that are looked up together. */
const GROUP = 16
/**
 * Entries of a table from which on records are looked up in groups. A random entry of a larger one is in no cache of the
 * processor: a record waits for memory three times, a group hardly longer than one record. Below, keeping records for
 * the group costs more than it saves.
 */
export const GROUP_FROM = 20_000

/** Names of the values that {@link currentTableCode} refers to. */
export const CURRENT_TABLE_NAMES = [
  ...['f', 'keyOf', 'register', 'current', 'tableAt', 'failed', 'failedKey', 'rejectPromise'],
] as const

/** Code that adds a record to an entry, or inserts it. */
export const addCode = (code: AggregationCode): string => `let next
  try { next = ${code.add} } catch (error) { throw failed(error, value) }
  if (first) { rejectPromise(next); first = false }
  if (entry === undefined) table.insert(key, next)
  else entry.value = next`

/**
 * Code that adds a record with an integer key to the numbers of its `table`, and is done then. What it leaves: keys that
 * have an entry, restored or because a value of theirs did not fit.
 * @param done statement that goes on with the next table or record
 */
export const addNumbersCode = ({ load, check, store }: NumberCode, done: 'return' | 'continue'): string => `
  if ((key | 0) === key && key !== ${-(2 ** 31)} && table.numbers !== undefined) {
    const numbers = table.numbers
    let at = numbers.find(key)
    if (at >= 0 || table.size === 0 || table.find(key) === undefined) {
      const isNew = at < 0
      let next
      if (isNew) {
        try { next = f.add(value, f.createAccumulator()) } catch (error) { throw failed(error, value) }
        if (first) { rejectPromise(next); first = false }
      } else {
        const data = numbers.data
        ${load}
        try { next = f.add(value, acc) } catch (error) { throw failed(error, value) }
      }
      ${check}
      if (fits) {
        if (isNew) at = numbers.insert(key)
        const data = numbers.data
        ${store}
      } else {
        if (!isNew) numbers.remove(key)
        table.insert(key, next)
      }
      ${done}
    }
  }`

/**
 * Code of a {@link TableWriter} that adds a record to the one table that its time belongs to: `tableAt` is asked when
 * `current` is left.
 * @param numbers of accumulators that may be in columns
 */
export function currentTableCode(
  code: AggregationCode,
  groupFrom: number,
  numbers: NumberCode | undefined,
): string {
  return `let first = true
let table
let count = 0
const keys = new Array(${GROUP}).fill(undefined)
const values = new Array(${GROUP}).fill(undefined)
const entries = new Array(${GROUP}).fill(undefined)
const flush = () => {
  const grouped = count
  count = 0
  // Only a key that is none throws; found again below, with the record that it belongs to.
  try { table.findMany(keys, grouped, entries) } catch { entries.fill(undefined) }
  for (let i = 0; i < grouped; i++) {
    const key = keys[i]
    const value = values[i]
    let entry = entries[i]
    if (entry === undefined) {
      // An earlier record of the group may have brought it.
      try { entry = table.find(key) } catch (error) { throw failedKey(error, value) }
    }
    ${addCode(code)}
  }
}
const push = value => {
  const time = register[0]
  if (!(time >= current[0] && time < current[1])) {
    if (count > 0) flush()
    const found = tableAt(time, value)
    if (found === undefined) return
    table = found
  }
  let key
  try { key = keyOf(value) } catch (error) { throw failedKey(error, value) }
  ${numbers === undefined ? '' : addNumbersCode(numbers, 'return')}
  if (table.size >= ${groupFrom}) {
    keys[count] = key
    values[count] = value
    if (++count === ${GROUP}) flush()
    return
  }
  let entry
  try { entry = table.find(key) } catch (error) { throw failedKey(error, value) }
  ${addCode(code)}
}
return { push, flush: () => { if (count > 0) flush() } }`
}
