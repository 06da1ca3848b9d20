import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** How the rows of a job differ from what they must be. */
export interface Difference {
  readonly missing: number
  readonly added: number
  /** Some of each, with `-` and `+`. */
  readonly samples: readonly string[]
}

/** Rows of the finished part files. */
export function finishedRows(folder: string): string[] {
  return readdirSync(folder)
    .filter(name => name.startsWith('part-'))
    .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
}

/** Compares as bags: a row that is there twice is added once. Undefined: they are equal. */
export function compareRows(actual: readonly string[], expected: readonly string[]): Difference | undefined {
  const counts = new Map<string, number>()
  for (const row of expected) counts.set(row, (counts.get(row) ?? 0) - 1)
  for (const row of actual) counts.set(row, (counts.get(row) ?? 0) + 1)
  let missing = 0
  let added = 0
  const samples: string[] = []
  for (const [row, count] of counts) {
    if (count === 0) continue
    if (count < 0) missing -= count
    else added += count
    if (samples.length < 10) samples.push(`${count < 0 ? '-' : '+'}${Math.abs(count)} ${row}`)
  }
  return missing + added === 0 ? undefined : { missing, added, samples }
}
