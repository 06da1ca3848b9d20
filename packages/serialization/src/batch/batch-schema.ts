/** Type of a column: int32, float64, string, boolean, Date. */
export type ColumnType = 'i' | 'f' | 's' | 'b' | 'd'

/** Columns of a batch. `names` is undefined if the records are bare values: one column without a name. */
export interface BatchSchema {
  readonly names: readonly string[] | undefined
  readonly types: readonly ColumnType[]
  /** JSON, well-formed; identifies the schema and is embedded in each batch. */
  readonly text: string
}

const MAX_FIELDS = 100
/** Longer strings travel beside the columns, so that lengths fit in 16 bits. */
export const MAX_COLUMN_STRING = 65_535

function batchSchema(names: readonly string[] | undefined, types: readonly ColumnType[]): BatchSchema {
  return { names, types, text: JSON.stringify([types.join(''), names ?? null]) }
}

/** The inverse of {@link BatchSchema.text}. */
export function parseBatchSchema(text: string): BatchSchema {
  const [types, names] = JSON.parse(text) as [string, string[] | null]
  return { names: names ?? undefined, types: [...types] as ColumnType[], text }
}

/** The schema that fits `record` most narrowly; undefined if no columns can hold it. */
export function inferBatchSchema(record: unknown): BatchSchema | undefined {
  if (typeof record !== 'object' || record instanceof Date) {
    const type = columnType(record)
    return type === undefined ? undefined : batchSchema(undefined, [type])
  }
  if (record === null || Object.getPrototypeOf(record) !== Object.prototype) return undefined
  const names = Object.keys(record)
  if (names.length === 0 || names.length > MAX_FIELDS || names.includes('__proto__')) return undefined
  const types: ColumnType[] = []
  for (const name of names) {
    const type = columnType((record as Record<string, unknown>)[name])
    if (type === undefined) return undefined
    types.push(type)
  }
  return batchSchema(names, types)
}

/** `schema` with the int columns widened that must be so that records of `other` fit; undefined if they cannot. */
export function widenBatchSchema(schema: BatchSchema, other: BatchSchema): BatchSchema | undefined {
  const [names, otherNames] = [schema.names, other.names]
  if ((names === undefined) !== (otherNames === undefined)) return undefined
  if (schema.types.length !== other.types.length) return undefined
  if (names?.some((name, i) => name !== otherNames?.[i])) return undefined
  const types: ColumnType[] = []
  for (const [i, type] of schema.types.entries()) {
    const otherType = other.types[i]
    if (type === otherType || (type === 'f' && otherType === 'i')) types.push(type)
    else if (type === 'i' && otherType === 'f') types.push('f')
    else return undefined
  }
  return batchSchema(names, types)
}

function columnType(value: unknown): ColumnType | undefined {
  switch (typeof value) {
    case 'number':
      return (value | 0) === value && !Object.is(value, -0) ? 'i' : 'f'
    case 'string':
      return value.length <= MAX_COLUMN_STRING ? 's' : undefined
    case 'boolean':
      return 'b'
    default:
      return value instanceof Date && Object.getPrototypeOf(value) === Date.prototype ? 'd' : undefined
  }
}
