import { expect, it } from 'vitest'
import type { Job } from '../api/shapes.ts'
import { latestRates, withJob } from './job-history.ts'

const job = (jid: string, now: number, records: number): Job =>
  ({
    ...{ jid, now },
    vertices: [
      {
        id: 'v',
        'start-time': -1000,
        metrics: {
          ...{ 'read-records': records, 'write-records': 0, 'read-bytes': 0, 'write-bytes': 0 },
          ...{ 'accumulated-busy-time': 0, 'accumulated-idle-time': 0, 'accumulated-backpressured-time': 0 },
        },
      },
    ],
  }) as unknown as Job

const started = job('a', 1000, 30).vertices.map(vertex => ({ ...vertex, 'start-time': 0 }))

it('keeps rates of one job, and the latest only', () => {
  let history = withJob(undefined, job('a', 0, 0))
  expect(history.samples).toEqual([])
  expect(
    latestRates(withJob(undefined, { ...job('a', 1000, 30), vertices: started })).get('v'),
  ).toMatchObject({
    recordsInPerSecond: 30,
  })
  for (let second = 1; second <= 210; second++)
    history = withJob(history, job('a', second * 1000, second * 10))
  expect(history.samples).toHaveLength(200)
  expect(history.samples.at(-1)).toMatchObject({ at: 210_000 })
  expect(history.samples.at(-1)?.rates.get('v')?.recordsInPerSecond).toBe(10)
  expect(withJob(history, job('b', 0, 0)).samples).toEqual([])
})

it('a second look at the same moment changes nothing; a restart leaves a gap', () => {
  const first = withJob(undefined, job('a', 0, 50))
  expect(withJob(first, job('a', 100, 60))).toBe(first)
  expect(withJob(first, job('a', 1000, 5)).samples[0]?.rates.size).toBe(0)
})
