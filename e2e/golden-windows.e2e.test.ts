import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { REPOSITORY } from './harness/test-cluster.ts'

interface Event {
  readonly type: string
  readonly event?: string
  readonly key?: string
  readonly ids?: readonly string[]
  readonly watermark?: number | 'MAX' | undefined
}

const JOB = join(REPOSITORY, 'e2e/jobs/golden-windows.ts')

/**
 * A timer that was registered for a time that is over waits until event time advances: after a restore it does so when it
 * comes back to where it was.
 */
const withoutWatermark = (event: Event): Event =>
  event.event === 'timer' ? { ...event, watermark: undefined } : event

/** Order of elements in a merged session is not promised. */
const comparable = (name: string, events: readonly Event[]): string[] =>
  events
    .map(withoutWatermark)
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

  // A dozen jobs, each started twice.
  test.each([1, 4])('at parallelism %i', { timeout: 400_000 }, async parallelism => {
    const { stdout } = await promisify(execFile)(process.execPath, [JOB, String(parallelism), path], {
      maxBuffer: 64 * 1024 * 1024,
    })
    const results = JSON.parse(stdout) as Record<string, Event[]>
    let restored = 0
    for (const { name, output } of jobs) {
      const all = results[name] ?? []
      if (all.some(event => event.type === 'restored')) restored++
      const events = all.filter(
        event =>
          event.type !== 'restored' &&
          // Flink fires it for ever at the end of the input.
          (name !== 'global_continuous_event_time_5s' || event.watermark !== 'MAX'),
      )
      expect(comparable(name, events), name).toEqual(comparable(name, output))
    }
    // A job may be over before its first checkpoint is complete.
    expect(restored).toBeGreaterThanOrEqual(jobs.length / 2)
  })
})
