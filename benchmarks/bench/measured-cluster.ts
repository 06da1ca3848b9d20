import { existsSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { TestCluster } from '../../e2e/harness/test-cluster.ts'
import type { Stretch } from '../smoke/stretch.ts'

const JOB = join(import.meta.dirname, 'checkpoint-job.ts')
const TIMEOUT_MS = 120_000

interface Overview {
  readonly jobs: readonly {
    readonly jid: string
    readonly state: string
    readonly tasks: Readonly<Record<string, number>>
  }[]
}

interface CheckpointsAnswer {
  readonly counts: { readonly completed: number }
  readonly history: readonly { readonly id: number; readonly status: string; readonly state_size: number }[]
}

interface DetailsAnswer {
  readonly tasks?: Readonly<
    Record<
      string,
      { readonly summary: { readonly checkpoint_duration: { readonly sync: { readonly max: number } } } }
    >
  >
}

/** A cluster that runs the job of the checkpoint benchmarks, and what is to be known of it. */
export class MeasuredCluster {
  readonly cluster: TestCluster

  private constructor(cluster: TestCluster) {
    this.cluster = cluster
  }

  /** TaskManagers have one slot each. */
  static async start(
    taskManagers: number,
    configuration: Readonly<Record<string, string>>,
  ): Promise<MeasuredCluster> {
    return new MeasuredCluster(
      await TestCluster.start({ taskManagers, slots: 1, retainedCheckpoints: true, configuration }),
    )
  }

  get report(): string {
    return join(this.cluster.folder, 'stretch.json')
  }

  /** Starts the job; its id when all tasks run. @param args of `flink run`, and of the job behind the file */
  async run(flink: readonly string[], ...args: readonly string[]): Promise<string> {
    rmSync(this.report, { force: true })
    const client = this.cluster.flink('run', '-d', ...flink, JOB, '--report', this.report, ...args)
    const jobId = await this.cluster.submitted(client)
    await this.untilRunning(jobId)
    return jobId
  }

  async untilRunning(jobId: string): Promise<void> {
    await this.cluster.until('all tasks to run', TIMEOUT_MS, async () => {
      const jobs = (await this.cluster.rest<Overview>('/jobs/overview'))?.jobs ?? []
      const job = jobs.find(({ jid }) => jid === jobId)
      return job?.state === 'RUNNING' && job.tasks['running'] === job.tasks['total']
    })
  }

  /** The job's measurement, when it has been at its rate for long enough. */
  async stretch(): Promise<Stretch> {
    await this.cluster.until('the end of the measurement', TIMEOUT_MS, async () => existsSync(this.report))
    return JSON.parse(readFileSync(this.report, 'utf8')) as Stretch
  }

  /** Waits for a checkpoint with all keys: the second that begins after the source has emitted them. */
  async allKeysStored(jobId: string, keys: number): Promise<void> {
    const completed = async (): Promise<number> => (await this.#checkpoints(jobId))?.counts.completed ?? 0
    await this.cluster.until(
      'all keys',
      TIMEOUT_MS,
      async () => (await this.cluster.recordsRead(jobId)) > keys,
    )
    const before = await completed()
    await this.cluster.until(
      'a checkpoint of all keys',
      TIMEOUT_MS,
      async () => (await completed()) > before + 1,
    )
  }

  /** Synchronous parts of the tasks that took longest, of each checkpoint that the server remembers. */
  async syncMs(jobId: string): Promise<readonly number[]> {
    const found: number[] = []
    for (const { id, status, state_size } of (await this.#checkpoints(jobId))?.history ?? []) {
      if (status !== 'COMPLETED' || state_size < 1_000_000) continue
      const details = await this.cluster.rest<DetailsAnswer>(`/jobs/${jobId}/checkpoints/details/${id}`)
      for (const vertex of Object.keys(details?.tasks ?? {})) {
        const path = `/jobs/${jobId}/checkpoints/details/${id}/subtasks/${vertex}`
        const answer = await this.cluster.rest<{
          readonly summary: { readonly checkpoint_duration: { readonly sync: { readonly max: number } } }
        }>(path)
        if (answer !== undefined) found.push(answer.summary.checkpoint_duration.sync.max)
      }
    }
    return found
  }

  async cancel(jobId: string): Promise<void> {
    await this.cluster.flink('cancel', jobId).finished
    await this.cluster.untilJob(jobId, 'CANCELED')
  }

  #checkpoints(jobId: string): Promise<CheckpointsAnswer | undefined> {
    return this.cluster.rest<CheckpointsAnswer>(`/jobs/${jobId}/checkpoints`)
  }
}
