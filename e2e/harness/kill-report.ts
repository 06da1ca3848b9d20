import { expect } from 'vitest'
import type { Checkpoints, TestCluster } from './test-cluster.ts'

/** What disturbances did to jobs, so that a test can prove that it disturbed them at all. */
export class KillReport {
  readonly #cluster: TestCluster
  readonly #name: string
  #runs = 0
  #restarted = 0
  #restored = 0

  constructor(cluster: TestCluster, name: string) {
    this.#cluster = cluster
    this.#name = name
  }

  /** Jobs that failed at least once. */
  get restarted(): number {
    return this.#restarted
  }

  /** Jobs that were restored from a checkpoint at least once. */
  get restored(): number {
    return this.#restored
  }

  /** Reads what REST says of a job that has finished. */
  async add(jobId: string): Promise<void> {
    const overview = await this.#cluster.rest<{ jobs: readonly { jid: string; state: string }[] }>(
      '/jobs/overview',
    )
    expect(overview?.jobs.find(job => job.jid === jobId)?.state).toBe('FINISHED')
    const exceptions = await this.#cluster.rest<{ exceptionHistory: { entries: readonly unknown[] } }>(
      `/jobs/${jobId}/exceptions`,
    )
    const checkpoints = await this.#cluster.rest<Checkpoints>(`/jobs/${jobId}/checkpoints`)
    this.#runs++
    if ((exceptions?.exceptionHistory.entries.length ?? 0) > 0) this.#restarted++
    if ((checkpoints?.counts.restored ?? 0) > 0) this.#restored++
  }

  print(): void {
    console.log(`${this.#name}: ${this.#runs} jobs, ${this.#restarted} restarted, ${this.#restored} restored`)
  }
}
