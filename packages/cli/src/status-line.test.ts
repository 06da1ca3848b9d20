import type { JobDetails } from '@flink-ts/gateways'
import { expect, test } from 'vitest'
import { JobStatusLine } from './status-line.ts'

function details(read: number, busyMs: number, change: Partial<JobDetails> = {}): JobDetails {
  const load = { perSecond: { busyMs, idleMs: 1000 - busyMs, backPressuredMs: 0 } }
  const subtask = (recordsIn: number, recordsOut: number, more = {}) => ({
    status: 'RUNNING',
    metrics: { recordsIn, recordsOut, bytesIn: 0, bytesOut: 0, ...more },
  })
  return {
    status: 'RUNNING',
    restarts: 0,
    checkpoints: { completed: 0 },
    graph: { edges: [{ source: 'a', target: 'b' }] },
    vertices: [
      { id: 'a', name: 'flights', subtasks: [subtask(0, read), subtask(0, 0)] },
      { id: 'b', name: 'Window', subtasks: [subtask(read, 0, { load }), subtask(5, 0)] },
    ],
    ...change,
  } as unknown as JobDetails
}

test('the line says what sources gave, what came to the end, the rate and who is busiest', () => {
  const line = new JobStatusLine('delays')
  expect(line.line(details(1000, 0), 1000)).toBe('delays: RUNNING, 1,000 records read, 1,005 at the end')
  expect(line.line(details(3500, 873), 1500)).toBe(
    'delays: RUNNING, 3,500 records read, 3,505 at the end, 5,000/s, busiest: Window 87 %',
  )
})

test('after a restart, whose counters begin again, there is no rate, and no negative one', () => {
  const line = new JobStatusLine('delays')
  line.line(details(1000, 0), 1000)
  expect(line.line(details(10, 0, { restarts: 1 }), 1500)).toBe(
    'delays: RUNNING, 10 records read, 15 at the end, 1 restarts',
  )
})
