import { type JobId, ManualClock } from '@flink-ts/common'
import type { JobDetails } from '@flink-ts/gateways'
import { expect, it } from 'vitest'
import { RecentDetails } from './recent-details.ts'

it('asks again when details are no longer recent, and after a failure', async () => {
  const clock = new ManualClock(0)
  let asked = 0
  let fails = false
  const recent = new RecentDetails({
    clock,
    dispatcher: {
      requestJobDetails: async jobId => {
        asked++
        if (fails) throw new Error('gone')
        return { jobId, restarts: asked } as JobDetails
      },
    },
  })
  const ask = async (job: string) => (await recent.of(job as JobId)).restarts
  expect([await ask('a'), await ask('a'), await ask('b')]).toEqual([1, 1, 2])
  clock.advance(199)
  expect(await ask('a')).toBe(1)
  clock.advance(1)
  expect(await ask('a')).toBe(3)
  fails = true
  await expect(ask('c')).rejects.toThrow('gone')
  fails = false
  expect(await ask('c')).toBe(5)
})
