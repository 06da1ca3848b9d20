import type { JobClient } from '@flink-ts/jobgraph'
import { expect, test } from 'vitest'
import { OpenJobs } from './open-jobs.ts'

function fakeJob() {
  const result = Promise.withResolvers<never>()
  const client = { jobId: 'a', result: () => result.promise, cancel: async () => {} } as unknown as JobClient
  return { client, result }
}

test('a job counts from the call on, not only when it is accepted, until it has ended or is cancelled', async () => {
  const jobs = new OpenJobs()
  expect(jobs.unfinished()).toBeUndefined()
  const [first, second] = [fakeJob(), fakeJob()]
  const firstClient = jobs.watch('first', 'end', async () => first.client)
  const secondClient = jobs.watch('second', 'end', async () => second.client)
  expect(jobs.unfinished()).toEqual({ missing: 'end', jobs: ['first', 'second'] })
  await (await secondClient).cancel()
  expect(jobs.unfinished()).toEqual({ missing: 'end', jobs: ['first'] })
  first.result.reject(new Error('failed'))
  await expect((await firstClient).result()).rejects.toThrow('failed')
  expect(jobs.unfinished()).toBeUndefined()
})

test('a job for a cluster elsewhere counts until that has it, or has refused it', async () => {
  const jobs = new OpenJobs()
  const refused = jobs.watch('refused', 'submission', () => Promise.reject(new Error('no')))
  const accepted = jobs.watch('accepted', 'submission', async () => fakeJob().client)
  expect(jobs.unfinished()).toEqual({ missing: 'submission', jobs: ['refused', 'accepted'] })
  await expect(refused).rejects.toThrow('no')
  await accepted
  expect(jobs.unfinished()).toBeUndefined()
})
