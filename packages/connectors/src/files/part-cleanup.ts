import { fileSystemFor } from '@flink-ts/filesystem'
import { type PartWriterState, parseInProgressName, type WriterAttempt } from './part-file.ts'

/**
 * Removes what dead attempts of this job left in `folder`, never what a completed checkpoint may cover:
 *
 * - Attempts born from the same checkpoint as this one died before they completed another: nothing of theirs is
 *   covered. Each subtask removes those of its own number (and, after scaling down, of the numbers that are gone).
 * - Of the attempts in `restored`, files numbered below `nextNumber` are covered: they may wait for their commit, maybe
 *   in another subtask. The others were begun after the checkpoint.
 *
 * Anything else belongs to other jobs, other histories of this one, or attempts that are handled elsewhere. A writer
 * that still lives somewhere only loses files whose checkpoint can no longer complete.
 * @returns the restored states that still cover unfinished files: they must stay in the state
 */
export async function removeLeftovers(
  folder: string,
  self: WriterAttempt,
  parallelism: number,
  restored: readonly PartWriterState[],
): Promise<readonly PartWriterState[]> {
  const fileSystem = fileSystemFor(folder)
  const writer = fileSystem.recoverableWriter()
  const covering = new Set<PartWriterState>()
  for (const { uri } of await fileSystem.list(folder)) {
    const part = parseInProgressName(uri)
    if (part === undefined) continue
    const state = restored.find(({ attempt }) => sameAttempt(attempt, part.attempt))
    if (state !== undefined && part.number < state.nextNumber) {
      covering.add(state)
      continue
    }
    // A snapshot may have been taken from another job, which may still run.
    if (part.attempt.jobId !== self.jobId || sameAttempt(part.attempt, self)) continue
    const { sink, bornFrom, subtask } = part.attempt
    const sameBirth =
      sink === self.sink && bornFrom === self.bornFrom && subtask % parallelism === self.subtask
    if (state !== undefined || sameBirth) await writer.discard(uri)
  }
  return [...covering]
}

function sameAttempt(a: WriterAttempt, b: WriterAttempt): boolean {
  return a.token === b.token && a.subtask === b.subtask && a.jobId === b.jobId
}
