import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { REPOSITORY } from './harness/test-cluster.ts'

interface Event {
  readonly type: string
  readonly key?: string
  readonly ids?: readonly string[]
  readonly watermark?: number | 'MAX'
}

const JOB = join(REPOSITORY, 'e2e/jobs/golden-windows.ts')

/** Order of elements in a merged session is not promised. */
const comparable = (name: string, events: readonly Event[]): string[] =>
  events
    .map(event =>
      name.startsWith('session') && event.ids !== undefined
        ? { ...event, ids: [...event.ids].sort() }
        : event,
    )
    .map(event => JSON.stringify(event, Object.keys(event).sort()))
    .sort()

describe.each([
  'windowing/testdata/windows.json',
  'windowing/testdata/triggers.json',
  'timers/testdata/timers.json',
])('%s as in Flink, through a failure and a restore', file => {
  const path = join(REPOSITORY, 'packages/operators/src', file)
  const { jobs } = JSON.parse(readFileSync(path, 'utf8')) as { jobs: { name: string; output: Event[] }[] }

  test.each([1, 4])('at parallelism %i', async parallelism => {
    const { stdout } = await promisify(execFile)(process.execPath, [JOB, String(parallelism), path], {
      maxBuffer: 64 * 1024 * 1024,
    })
    const results = JSON.parse(stdout) as Record<string, Event[]>
    for (const { name, output } of jobs) {
      const events = (results[name] ?? []).filter(
        // Flink fires it for ever at the end of the input.
        event => name !== 'global_continuous_event_time_5s' || event.watermark !== 'MAX',
      )
      expect(comparable(name, events), name).toEqual(comparable(name, output))
    }
  })
})
