import type { JobId } from '@flink-ts/common'
import type { JobRestart, JobSubmission } from '@flink-ts/gateways'
import { expect, it } from 'vitest'
import type { JobMasterRunner } from './job-master-runner.ts'
import { RestartableJobs } from './restartable-jobs.ts'

const OLD = 'a'.repeat(32) as JobId
const NEW = 'b'.repeat(32) as JobId
const from = (path: string) => ({ path, allowNonRestoredState: false, claimMode: 'no-claim' as const })

/** A job and what is done with it, in order. */
function setUp(options: { runs: boolean; blobKey?: string }) {
  const { runs, blobKey = 'known' } = options
  const done: string[] = []
  const graph = { jobId: OLD, name: 'job', restoreFrom: from('/first') }
  const submission = { graph, program: { code: { type: 'bundle', blobKey } } } as unknown as JobSubmission
  const runner = {
    triggerSavepoint: async ({ stop }) => {
      done.push(`savepoint ${stop}`)
      return 'file:///s/new'
    },
    cancel: async () => {
      done.push('cancel')
    },
    result: async () => {
      done.push('over')
      return { status: 'CANCELED' as const, jobId: OLD, error: undefined }
    },
  } as Partial<JobMasterRunner> as JobMasterRunner
  const jobs = new RestartableJobs()
  jobs.remember(submission)
  const restart = (snapshot: JobRestart['from']) =>
    jobs.restart(
      OLD,
      { triggerId: '1', newJobId: NEW, from: snapshot },
      {
        runner: runs ? runner : undefined,
        hasBlob: async key => key === 'known',
        checkSnapshot: async path => {
          done.push(`look at ${path}`)
          if (path === '/nowhere') throw new Error('There is no snapshot.')
        },
        submit: async ({ graph: { jobId, restoreFrom } }) => {
          done.push(`submit ${jobId === NEW ? 'new' : jobId} from ${restoreFrom?.path}`)
        },
      },
    )
  return { jobs, done, restart, submission }
}

it.each([
  ['savepoint', ['savepoint suspend', 'submit new from file:///s/new']],
  [from('/s/1'), ['look at /s/1', 'cancel', 'over', 'submit new from /s/1']],
  [undefined, ['cancel', 'over', 'submit new from undefined']],
] as const)('ends a job that runs before it starts it again from %j', async (snapshot, expected) => {
  const { restart, done } = setUp({ runs: true })
  expect(await restart(snapshot)).toBe(NEW)
  expect(done).toEqual(expected)
})

it.each([
  [
    from(`file:///c/${OLD}/chk-4`),
    [`look at file:///c/${OLD}/chk-4`, `submit new from file:///c/${OLD}/chk-4`],
  ],
  [from('latest'), ['submit new from latest']],
  [undefined, ['submit new from undefined']],
] as const)('starts a job that is over again from %j', async (snapshot, expected) => {
  const { restart, done } = setUp({ runs: false })
  expect(await restart(snapshot)).toBe(NEW)
  expect(done).toEqual(expected)
})

it.each([
  [from('/nowhere'), /no snapshot/],
  [from('latest'), /which it replaces while it runs/],
  [from(`/c/${OLD}/chk-4`), /take a savepoint/],
] as const)('lets a job go on that can not be started from %j', async (snapshot, message) => {
  const { restart, done } = setUp({ runs: true })
  await expect(restart(snapshot)).rejects.toThrow(message)
  expect(done.filter(step => !step.startsWith('look at'))).toEqual([])
})

it('lets a job go on whose program is not there, or belongs to this process', async () => {
  const { restart, done } = setUp({ runs: true, blobKey: 'gone' })
  await expect(restart('savepoint')).rejects.toThrow(/run the program again/)
  const other = setUp({ runs: true })
  const { graph, program } = other.submission
  other.jobs.remember({ graph, program: { ...program, code: { type: 'module', url: 'file:///job.ts' } } })
  await expect(other.restart('savepoint')).rejects.toMatchObject({ code: 'dispatcher.restart-impossible' })
  other.jobs.forget(OLD)
  await expect(other.restart(undefined)).rejects.toThrow(/before this JobManager began to lead/)
  expect([...done, ...other.done]).toEqual([])
})

it('takes no savepoint of a job that is over', async () => {
  const { restart, done } = setUp({ runs: false })
  await expect(restart('savepoint')).rejects.toThrow(/choose a snapshot/)
  expect(done).toEqual([])
})
