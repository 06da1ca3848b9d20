import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { parseEvent } from '../input/event-lines.ts'
import { defaultSideInput } from '../input/side-input.ts'
import { QUERIES } from '../queries/all.ts'
import { finalRows, resultText } from '../result-lines.ts'
import { LOOPS } from './all.ts'
import { runLoop } from './run-loop.ts'

const golden = (name: string): string => join(import.meta.dirname, '../../golden', name)
const read = (path: string): string => gunzipSync(readFileSync(path)).toString()

// What the benchmarks compare with, and what queries without a golden file are compared with, must be right itself.
describe.each(['A', 'D'])('loops on %s', dataset => {
  const path = golden(`${dataset}/events.jsonl.gz`)
  const events = read(path)
    .trimEnd()
    .split('\n')
    .map((line, i) => parseEvent(line, path, i + 1))
  const checked = QUERIES.map(query => ({ query, file: golden(`${dataset}/${query.name}.jsonl.gz`) })).filter(
    ({ file }) => existsSync(file),
  )

  test.each(checked)('$query.name gives what Flink gives', async ({ query, file }) => {
    const factory = LOOPS[query.name]
    if (factory === undefined) throw new Error(`${query.name} has no loop`)
    const rows = await finalRows(query, runLoop(factory, events, defaultSideInput()))
    // A string of megabytes would take a while to be shown.
    expect(resultText(rows) === read(file)).toBe(true)
  })

  test('all golden files were compared', () => {
    expect(checked.length).toBe(dataset === 'A' ? 19 : 11)
  })
})

test('every query has a loop', () => {
  expect(Object.keys(LOOPS).sort()).toEqual(QUERIES.map(query => query.name).sort())
})
