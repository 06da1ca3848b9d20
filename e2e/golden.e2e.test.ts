import { cpSync, mkdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { REPOSITORY, TestCluster } from './harness/test-cluster.ts'

interface Event {
  readonly type: string
  readonly ids?: readonly string[]
  readonly watermark?: number | 'MAX'
}

const JOB = join(REPOSITORY, 'e2e/jobs/golden.ts')
const OPERATORS = join(REPOSITORY, 'packages/operators/src')
// What Apache Flink 1.20.5 answers to the same scripts.
const FILES = [
  'windowing/testdata/windows.json',
  'windowing/testdata/triggers.json',
  'timers/testdata/timers.json',
  'two-input/testdata/joins.json',
]

let cluster: TestCluster
let folder: string
/** By parallelism: what the jobs of all files give, run as one, both at the same time. */
const runs = new Map<number, ReturnType<typeof results>>()

async function results(parallelism: number): Promise<ReadonlyMap<string, readonly Event[]>> {
  const { code, stdout, stderr } = await cluster.flink('run', '-p', String(parallelism), JOB, folder).finished
  const line = stdout.split('\n').find(text => text.startsWith('results ')) ?? ''
  expect(code, stderr).toBe(0)
  const events = JSON.parse(line.slice('results '.length)) as readonly (Event & { readonly job: string })[]
  const byJob = new Map<string, Event[]>()
  for (const { job, ...event } of events) byJob.set(job, [...(byJob.get(job) ?? []), event])
  return byJob
}

const resultsAt = (parallelism: number): ReturnType<typeof results> =>
  runs.get(parallelism) as ReturnType<typeof results>

beforeAll(async () => {
  cluster = await TestCluster.start({ taskManagers: 2, slots: 3 })
  folder = join(cluster.folder, 'golden')
  mkdirSync(folder)
  for (const path of FILES) cpSync(join(OPERATORS, path), join(folder, basename(path)))
  for (const parallelism of [1, 4]) {
    const run = results(parallelism)
    // The tests below await it.
    run.catch(() => undefined)
    runs.set(parallelism, run)
  }
})
afterAll(async () => {
  // Also those that no test has waited for.
  await Promise.allSettled(runs.values())
  expect(await cluster.stop()).toEqual([])
})

/** Nobody promises the order of elements in a merged session, nor that of two streams that become one. */
const comparable = (name: string, events: readonly Event[]): string[] =>
  events
    .map(event =>
      /^(session|union)/.test(name) && event.ids !== undefined
        ? { ...event, ids: [...event.ids].sort() }
        : event,
    )
    .map(event => JSON.stringify(event, Object.keys(event).sort()))
    .sort()

describe.each([1, 4])('at parallelism %i, through two failures and restores', parallelism => {
  test.each(FILES)('%s gives what Flink gives', { timeout: 400_000 }, async path => {
    const all = await resultsAt(parallelism)
    const { jobs } = JSON.parse(readFileSync(join(OPERATORS, path), 'utf8')) as {
      jobs: { name: string; output: Event[] }[]
    }
    expect(jobs.length).toBeGreaterThan(0)
    for (const { name, output } of jobs) {
      const events = (all.get(name) ?? []).filter(
        // Flink fires it for ever at the end of the input.
        event => name !== 'global_continuous_event_time_5s' || event.watermark !== 'MAX',
      )
      expect(comparable(name, events), name).toEqual(comparable(name, output))
    }
  })

  test('all jobs were restored in the middle', { timeout: 400_000 }, async () => {
    const all = await resultsAt(parallelism)
    expect(all.get('restored')).toEqual([{ at: 7 }, { at: 14 }])
  })
})
