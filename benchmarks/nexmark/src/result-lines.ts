import type { Query, Row } from './queries/query.ts'

/** What is left of the rows of a query when all its corrections are applied. */
export async function finalRows(
  query: Query,
  rows: AsyncIterable<Row> | Iterable<Row>,
): Promise<readonly Row[]> {
  const { key } = query
  const latest = new Map<unknown, Row>()
  let count = 0
  for await (const row of rows) latest.set(key === undefined ? count++ : key(row), row)
  return [...latest.values()]
}

/** Rows as JSON lines in the order of their bytes. */
export function resultText(rows: readonly Row[]): string {
  const lines = rows.map(row => Buffer.from(`${JSON.stringify(row)}\n`))
  return Buffer.concat(lines.sort(Buffer.compare)).toString()
}
