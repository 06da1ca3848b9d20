import type { SimulatedStorage } from './simulated-storage.ts'
import type { SimulatedTask } from './simulated-task.ts'
import type { Verdict } from './violation.ts'

/** Follows the attempts of all subtasks: what they start from, and what they were told. */
export class Attempts {
  readonly #verdict: Verdict
  readonly #storage: SimulatedStorage
  /** By job id: the newest checkpoint that tasks were told is complete. */
  readonly #announced = new Map<string, number>()
  /** By job id and subtask. */
  readonly #latest = new Map<string, number>()

  constructor(verdict: Verdict, storage: SimulatedStorage) {
    this.#verdict = verdict
    this.#storage = storage
  }

  /** A task of this job heard that a checkpoint is complete. */
  announced(jobId: string, checkpointId: number): void {
    const problem = this.#storage.problemOf(jobId, checkpointId)
    if (problem !== undefined)
      this.#verdict.violated(
        'checkpoint-invalid',
        `checkpoint ${checkpointId} of ${jobId} is complete: ${problem}`,
      )
    this.#announced.set(jobId, Math.max(checkpointId, this.#announced.get(jobId) ?? 0))
  }

  started({ deployment }: SimulatedTask): void {
    const { job, vertexId, subtaskIndex, attemptId, attemptNumber, restore } = deployment
    const announced = this.#announced.get(job.jobId) ?? 0
    const from = restore?.checkpointId ?? 0
    if (from < announced) {
      const what = `subtask ${vertexId}/${subtaskIndex} starts from checkpoint ${from}, but ${announced} is complete`
      this.#verdict.violated('checkpoint-lost', what)
    }
    // Each JobMaster of the job counts anew.
    const [jobMaster] = attemptId.split('_')
    const name = `${jobMaster}/${vertexId}/${subtaskIndex}`
    const latest = this.#latest.get(name) ?? -1
    if (attemptNumber <= latest) {
      this.#verdict.violated(
        'not-fenced',
        `attempt ${attemptNumber} of ${name} starts after attempt ${latest}`,
      )
    }
    this.#latest.set(name, Math.max(latest, attemptNumber))
  }
}
