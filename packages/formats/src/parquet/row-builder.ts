import type { ColumnValues } from './open-parquet.ts'

/** Makes the record of row `index` from columns. */
export type RowBuilder<T> = (columns: readonly ColumnValues[], index: number) => T

let builders = 0

/**
 * Generates the function that makes records with these field names: one shape for all of them, one allocation each.
 * Each builder has source text of its own, so that builders of different files do not slow each other.
 */
export function createRowBuilder<T>(fields: readonly string[]): RowBuilder<T> {
  // Computed keys: a field may be named __proto__.
  const members = fields.map((field, i) => {
    const key = field === '__proto__' ? '["__proto__"]' : JSON.stringify(field)
    return `${key}: columns[${i}][index]`
  })
  const body = `// row builder ${++builders}\nreturn { ${members.join(', ')} }`
  return new Function('columns', 'index', body) as RowBuilder<T>
}
