import { type JobId, nullLogger } from '@flink-ts/common'
import type { JobMasterRunner } from '@flink-ts/dispatcher'
import type { JobSubmission } from '@flink-ts/gateways'
import type { JobRecord, JobStore, StoredJob } from '@flink-ts/highavailability'
import { describe, expect, test } from 'vitest'
import { durableJobs, recoveredJobs, removeLeftovers } from './recovered-jobs.ts'

const ID = (letter: string): JobId => letter.repeat(32) as JobId

function over(letter: string, endedAt: number, record: Partial<JobRecord> = {}): StoredJob {
  const base = { status: 'over', endedAt, outcome: letter, leftovers: undefined } as const
  return {
    jobId: ID(letter),
    record: { ...base, ...record } as JobRecord,
    submission: undefined,
    blobKeys: ['k'],
  }
}

/** Notes what is asked of it. */
function memoryStore(failing: string[] = []) {
  const calls: string[] = []
  const call = async (name: string, jobId: JobId, rest = ''): Promise<void> => {
    calls.push(`${name} ${jobId[0]} ${rest}`.trim())
    if (failing.includes(name)) throw new Error(`no ${name}`)
  }
  const store = {
    add: (jobId: JobId, _submission: unknown, blobKeys: readonly string[]) =>
      call('add', jobId, blobKeys.join()),
    record: (jobId: JobId, record: JobRecord, blobKeys: readonly string[]) =>
      call('record', jobId, `${record.status} ${blobKeys.join()}`),
    remove: (jobId: JobId) => call('remove', jobId),
  } as unknown as JobStore
  return { store, calls }
}

test('running jobs are started with their progress, finished ones come in the order of their end', () => {
  const progress = { idsBelow: 5 }
  const running = {
    jobId: ID('r'),
    record: { status: 'running', progress },
    submission: 's',
    blobKeys: [],
  } as unknown as StoredJob
  const started: unknown[] = []
  const jobs = recoveredJobs([over('b', 2000), running, over('a', 1000)], 5000, (submission, from) => {
    started.push([submission, from])
    return 'runner' as unknown as JobMasterRunner
  })
  expect(jobs.running.map(({ start }) => start())).toEqual(['runner'])
  expect(started).toEqual([['s', progress]])
  expect(jobs.finished).toEqual([
    { jobId: ID('a'), job: 'a', ageMs: 4000 },
    { jobId: ID('b'), job: 'b', ageMs: 3000 },
  ])
})

describe('what a lost leader has left of jobs that were over', () => {
  const leftovers = {
    directory: 'file:///cp',
    folders: [{ checkpointId: 3 }, { checkpointId: 4, savepoint: 'file:///sp' }],
  }

  test('is removed, then recorded as removed; nothing of others is touched', async () => {
    const { store, calls } = memoryStore()
    const removed: string[] = []
    await removeLeftovers(
      { store, found: [over('a', 1), over('b', 1, { leftovers })], leaderSessionId: 'x' as never },
      {
        storageFactory: (directory, jobId) =>
          ({
            discard: async (id: number) => void removed.push(`${directory} ${jobId[0]} ${id}`),
            discardJob: async () => void removed.push(`job ${jobId[0]} ${calls.length}`),
          }) as never,
        savepoints: { discard: async (pointer: string) => void removed.push(pointer) } as never,
        logger: nullLogger,
      },
    )
    expect(removed).toEqual(['file:///cp b 3', 'file:///sp', 'job b 0'])
    expect(calls).toEqual(['record b over k'])
  })

  test('stays recorded if it cannot be removed', async () => {
    const { store, calls } = memoryStore()
    const found = [over('a', 1, { leftovers }), over('b', 1, { leftovers: { ...leftovers, folders: [] } })]
    await removeLeftovers(
      { store, found, leaderSessionId: 'x' as never },
      {
        storageFactory: () =>
          ({ discard: () => Promise.reject(new Error('away')), discardJob: async () => {} }) as never,
        savepoints: {} as never,
        logger: nullLogger,
      },
    )
    expect(calls).toEqual(['record b over k'])
  })
})

test('a job that could not be kept is taken out again; to forget one never fails', async () => {
  const submission = {
    graph: { jobId: ID('a') },
    program: { code: { type: 'bundle', blobKey: 'key' } },
  } as JobSubmission
  const good = memoryStore()
  await durableJobs(good.store, nullLogger).add(submission)
  expect(good.calls).toEqual(['add a key'])
  const bad = memoryStore(['add', 'remove'])
  await expect(durableJobs(bad.store, nullLogger).add(submission)).rejects.toThrow('no add')
  expect(bad.calls).toEqual(['add a key', 'remove a'])
})
