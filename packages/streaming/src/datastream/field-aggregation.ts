import type { ReduceFunction } from '@flink-ts/operators'
import { FieldNotAggregable, InvalidArgument } from '../errors.ts'
import { userPlace } from './user-place.ts'

/** Fields of T whose values are of one of the types V; of tuples: indexes. */
export type FieldOf<T, V> = T extends readonly unknown[]
  ? number
  : { [F in keyof T]-?: T[F] extends V ? F : never }[keyof T] & (string | number)
/** What can be added up. */
export type Summable = number | bigint
/** What can be compared. */
export type Comparable = number | bigint | string | boolean | Date

/** What `minBy` and `maxBy` compare: a field, or a function of the record. */
export type ComparedBy<T> = FieldOf<T, Comparable> | ((value: T) => Comparable)

type Fields = Record<string | number, unknown>

/** Adds up one field; the other fields are those of the first record. */
export function sumOf<T>(call: string, field: FieldOf<T, Summable>): ReduceFunction<T> {
  requireField(call, field)
  const where = withPlace(call)
  return (left, right) => {
    const [a, b] = [fieldOf(where, left, field), fieldOf(where, right, field)]
    if ((typeof a !== 'number' && typeof a !== 'bigint') || typeof a !== typeof b) {
      throw FieldNotAggregable({ call: where, field: String(field), value: `${typeof a} and ${typeof b}` })
    }
    return withField(left, field, (a as number) + (b as number))
  }
}

/** The least (`sign` 1) or greatest (-1) value of one field; the other fields are those of the first record. */
export function extremeOf<T>(call: string, field: FieldOf<T, Comparable>, sign: 1 | -1): ReduceFunction<T> {
  requireField(call, field)
  const where = withPlace(call)
  return (left, right) => {
    const b = fieldOf(where, right, field)
    return compare(where, field, fieldOf(where, left, field), b) * sign > 0 ? withField(left, field, b) : left
  }
}

/** The whole record with the least (`sign` 1) or greatest (-1) value; of equal ones the first or the last. */
export function extremeBy<T>(
  call: string,
  by: ComparedBy<T>,
  sign: 1 | -1,
  first: boolean,
): ReduceFunction<T> {
  if (typeof by !== 'function') requireField(call, by)
  const where = withPlace(call)
  const select = typeof by === 'function' ? by : (value: T) => fieldOf(where, value, by)
  const name = typeof by === 'function' ? 'the selector' : by
  return (left, right) => {
    const order = compare(where, name, select(left), select(right)) * sign
    return order > 0 || (order === 0 && !first) ? right : left
  }
}

/** The call with the line of the user's code that makes it. */
function withPlace(call: string): string {
  const place = userPlace()
  return place === undefined ? call : `${call} (at ${place})`
}

function requireField(call: string, field: unknown): void {
  if (typeof field === 'string' || (typeof field === 'number' && Number.isSafeInteger(field) && field >= 0))
    return
  throw InvalidArgument({
    call,
    value: String(field),
    expected: 'the name of a field, or the index in a tuple',
  })
}

function fieldOf(call: string, record: unknown, field: string | number): unknown {
  const value = (record as Fields | null | undefined)?.[field]
  if (value === undefined || value === null) {
    throw FieldNotAggregable({ call, field: String(field), value: String(value) })
  }
  return value
}

function compare(call: string, field: string | number, a: unknown, b: unknown): number {
  const comparable =
    typeof a === typeof b && (typeof a !== 'object' || (a instanceof Date && b instanceof Date))
  if (!comparable || typeof a === 'function' || typeof a === 'symbol') {
    throw FieldNotAggregable({ call, field: String(field), value: `${typeof a} and ${typeof b}` })
  }
  if ((a as number) < (b as number)) return -1
  return (a as number) > (b as number) ? 1 : 0
}

function withField<T>(record: T, field: string | number, value: unknown): T {
  const copy: Fields = (Array.isArray(record) ? [...record] : { ...record }) as Fields
  copy[field] = value
  return copy as T
}
