import type { JobId } from '@flink-ts/common'
import type { JobRestart, JobSubmission } from '@flink-ts/gateways'
import type { JobGraph } from '@flink-ts/jobgraph'
import { RestartImpossible } from '../errors.ts'
import type { JobMasterRunner } from './job-master-runner.ts'

/** What a restart needs of the Dispatcher. */
export interface RestartDependencies {
  /** Undefined: the job is over. */
  readonly runner: JobMasterRunner | undefined
  readonly hasBlob: (blobKey: string) => Promise<boolean>
  /** Rejects if there is no snapshot at that path or URI, saying why. */
  readonly checkSnapshot: (path: string) => Promise<void>
  readonly submit: (submission: JobSubmission) => Promise<void>
}

/** What jobs were submitted as, so that they can be started again. Owner: Dispatcher main thread. */
export class RestartableJobs {
  readonly #submissions = new Map<JobId, JobSubmission>()

  remember(submission: JobSubmission): void {
    this.#submissions.set(submission.graph.jobId, submission)
  }

  forget(jobId: JobId): void {
    this.#submissions.delete(jobId)
  }

  /**
   * Ends the job, if it runs, and submits it again under its new id, which is answered. Whatever would keep it from
   * starting is looked for before it is ended.
   */
  async restart(jobId: JobId, restart: JobRestart, dependencies: RestartDependencies): Promise<string> {
    const { from, newJobId } = restart
    const { runner, hasBlob, checkSnapshot, submit } = dependencies
    const submission = await this.#restartable(jobId, hasBlob)
    if (from === 'savepoint') {
      if (runner === undefined)
        throw impossible(jobId, 'it is over', 'choose a snapshot that it has left, or start it without state')
    } else if (from !== undefined) {
      if (runner !== undefined && isOwn(jobId, from.path))
        throw impossible(
          jobId,
          `${from.path} is a checkpoint of its own, which it replaces while it runs`,
          'take a savepoint to start from, or cancel it first',
        )
      if (from.path !== 'latest') await checkSnapshot(from.path)
    }
    let restoreFrom: JobGraph['restoreFrom'] = from === 'savepoint' ? undefined : from
    if (runner !== undefined && from === 'savepoint') {
      const path = await runner.triggerSavepoint({ directory: undefined, stop: 'suspend' })
      restoreFrom = { path, allowNonRestoredState: false, claimMode: 'no-claim' }
    } else if (runner !== undefined) {
      await runner.cancel()
      await runner.result()
    }
    const { graph, program } = submission
    await submit({ graph: { ...graph, jobId: newJobId, restoreFrom }, program })
    return newJobId
  }

  async #restartable(jobId: JobId, hasBlob: RestartDependencies['hasBlob']): Promise<JobSubmission> {
    const submission = this.#submissions.get(jobId)
    if (submission === undefined)
      throw impossible(
        jobId,
        'it was over before this JobManager began to lead, which does not have its program',
        'run the program again',
      )
    const { code } = submission.program
    if (code.type === 'module')
      throw impossible(jobId, 'it belongs to a program that runs in this process', 'run the program again')
    if (await hasBlob(code.blobKey)) return submission
    throw impossible(jobId, 'its program is not in the cluster any more', 'run the program again')
  }
}

/** Checkpoints lie in a folder with the id of their job. */
function isOwn(jobId: JobId, path: string): boolean {
  return path === 'latest' || path.includes(`/${jobId}/`)
}

function impossible(jobId: string, reason: string, remedy: string): Error {
  return RestartImpossible({ jobId, reason, remedy })
}
