import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect } from 'vitest'
import type { TestCluster } from './test-cluster.ts'

/** A folder of a job's own for its output; it goes with the folder of the cluster. */
export function outputFolder(cluster: TestCluster, name: string): string {
  const folder = join(cluster.folder, `output-${name}`)
  mkdirSync(folder, { recursive: true })
  return folder
}

/** The rows of all part files, sorted. Hidden files (not finished ones) are an error. */
export function rowsIn(folder: string): readonly string[] {
  const names = readdirSync(folder)
  expect(names.filter(name => name.startsWith('.'))).toEqual([])
  return visibleRowsIn(folder)
}

/** The rows of the finished part files, sorted, while a job may still write. */
export function visibleRowsIn(folder: string): readonly string[] {
  return readdirSync(folder)
    .filter(name => name.startsWith('part-'))
    .flatMap(name => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1))
    .sort()
}

/** What jobs/counts.ts must write: for each key one row with each count from 1 to its number of records. */
export function countRows(records: number, keys: number): readonly string[] {
  return Array.from({ length: records }, (_, i) => `key-${i % keys} ${Math.floor(i / keys) + 1}`).sort()
}

/** Compares row by row; a difference is shown at its place. */
export function expectRows(actual: readonly string[], expected: readonly string[]): void {
  const at = actual.findIndex((row, i) => row !== expected[i])
  expect(at < 0 ? '' : `row ${at} is '${actual[at]}' instead of '${expected[at]}'`).toBe('')
  expect(actual.length).toBe(expected.length)
}
