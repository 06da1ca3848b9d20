import { InvalidArgument } from '../errors.ts'

/** Makes an object of some fields of a record, or a tuple of some elements of a tuple, in the order given. */
export function projection<T, F extends keyof T>(fields: readonly F[]): (value: T) => Pick<T, F> {
  if (fields.length === 0) {
    throw InvalidArgument({ call: 'project', value: 'no field', expected: 'the names of one or more fields' })
  }
  return value => {
    if (Array.isArray(value)) return fields.map(field => (value as T)[field]) as unknown as Pick<T, F>
    const picked: Partial<T> = {}
    for (const field of fields) picked[field] = value[field]
    return picked as Pick<T, F>
  }
}
