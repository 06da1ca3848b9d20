import type { FailureEntry, JobDetails, ResourceOverview } from '@flink-ts/gateways'
import { expect, test } from 'vitest'
import { JobNotes } from './job-notes.ts'

const SCHEDULED_AT = Date.UTC(2026, 0, 2, 3, 4, 5)

function failure(timestamp: number, message: string): FailureEntry {
  const error = { name: 'RangeError', message: `${message}\nmore` }
  return { timestamp, error, task: 'Map (1/2)', location: 'host:7', taskManagerId: 'tm', concurrent: [] }
}

function details(change: Partial<JobDetails>, task = 'RUNNING'): JobDetails {
  return {
    jobId: 'a1',
    status: 'RUNNING',
    restarts: 0,
    failures: [],
    graph: { vertices: [{ slotSharingGroup: 'default', parallelism: 8 }], edges: [] },
    vertices: [{ subtasks: [{ status: task, timestamps: { SCHEDULED: SCHEDULED_AT } }] }],
    ...change,
  } as unknown as JobDetails
}

const resources = {
  taskManagers: [{ allocatedSlots: ['a1', 'a1', 'b2'] }],
  totalSlots: 4,
  freeSlots: 1,
} as unknown as ResourceOverview

test('each restart is told with its cause in one line; the same cause again and again is counted', () => {
  const notes = new JobNotes('Job a1')
  const first = failure(1, 'bad record')
  expect(notes.observe(details({ status: 'RESTARTING', failures: [first] }), undefined, 0)).toEqual([
    'Job a1 restarts, number 1: RangeError: bad record (Map (1/2) at host:7)',
  ])
  expect(notes.observe(details({ restarts: 1, failures: [first] }), undefined, 500)).toEqual([])
  const second = failure(2, 'bad record')
  const third = failure(3, 'bad record')
  expect(notes.observe(details({ restarts: 2, failures: [first, second] }), undefined, 1000)).toEqual([])
  expect(notes.observe(details({ restarts: 3, failures: [second, third] }), undefined, 31_000)).toEqual([
    'Job a1 restarts, number 3 (2 failures since the last such line): RangeError: bad record (Map (1/2) at host:7)',
  ])
  const other = failure(4, 'no disk')
  expect(notes.observe(details({ restarts: 4, failures: [third, other] }), undefined, 31_100)).toEqual([
    'Job a1 restarts, number 4: RangeError: no disk (Map (1/2) at host:7)',
  ])
})

test('what ended a job is left to its result', () => {
  const notes = new JobNotes('Job a1')
  const failures = [failure(1, 'bad record')]
  expect(notes.observe(details({ status: 'FAILED', failures }), undefined, 0)).toEqual([])
})

test('waiting for slots is told with the numbers when it lasts, again from time to time, and its end', () => {
  const notes = new JobNotes('Job a1')
  const waiting = details({}, 'SCHEDULED')
  expect(notes.observe(waiting, resources, 0)).toEqual([])
  const [line, ...others] = notes.observe(waiting, resources, 2100)
  expect(others).toEqual([])
  expect(line).toMatch(/^Job a1 waits for slots since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d: it needs 8 and has 2; /)
  expect(line).toContain('the cluster has 4 on 1 TaskManager, 1 of them free. Start TaskManagers')
  expect(notes.observe(waiting, resources, 3000)).toEqual([])
  expect(notes.observe(waiting, resources, 33_000)).toEqual([line])
  expect(notes.observe(details({}), undefined, 40_000)).toEqual(['Job a1 has its slots after 40.0 s.'])
  expect(notes.observe(details({}), undefined, 41_000)).toEqual([])
})

test('slots that come soon are nothing to talk about', () => {
  const notes = new JobNotes('Job a1')
  notes.observe(details({}, 'SCHEDULED'), resources, 0)
  expect(notes.observe(details({}), undefined, 1000)).toEqual([])
})
