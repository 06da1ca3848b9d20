import { type FlinkError, isFlinkError } from '@flink-ts/common'
import { fileSystemFor, PendingFileLost } from '@flink-ts/filesystem'
import type { Committer } from '@flink-ts/operators'
import { PartFileLost } from '../errors.ts'
import type { PartCommittable } from './part-file.ts'

/**
 * Gives complete files their final names. Idempotent, also when two do it at the same time: a file that has its final
 * name already is done. Throws `connectors.part-file-lost` if it is under neither name, or not whole.
 */
export class PartCommitter implements Committer<PartCommittable> {
  async commit(committables: readonly PartCommittable[]): Promise<void> {
    for (const committable of committables) {
      try {
        await fileSystemFor(committable.inProgressUri).recoverableWriter().commit(committable)
      } catch (error) {
        throw isFlinkError(error) && PendingFileLost.is(error) ? lost(committable, error) : error
      }
    }
  }
}

function lost({ inProgressUri, finalUri }: PartCommittable, error: FlinkError): FlinkError {
  return PartFileLost(
    { inProgress: inProgressUri, final: finalUri, reason: String(error.data['reason']) },
    error,
  )
}
