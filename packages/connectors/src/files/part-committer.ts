import { FileNotFound, fileSystemFor } from '@flink-ts/filesystem'
import type { Committer } from '@flink-ts/operators'
import { PartFileLost } from '../errors.ts'
import type { PartCommittable } from './part-file.ts'

/**
 * Gives complete files their final names. Idempotent, also when two do it at the same time: a file that has its final
 * name already is done. Throws `connectors.part-file-lost` if it is under neither name, or not whole.
 */
export class PartCommitter implements Committer<PartCommittable> {
  async commit(committables: readonly PartCommittable[]): Promise<void> {
    for (const committable of committables) await commitPart(committable)
  }
}

async function commitPart({ inProgressUri, finalUri, sizeBytes }: PartCommittable): Promise<void> {
  const fileSystem = fileSystemFor(inProgressUri)
  const lost = (reason: string): Error => PartFileLost({ inProgress: inProgressUri, final: finalUri, reason })
  const unfinished = await fileSystem.status(inProgressUri)
  if (unfinished !== undefined) {
    if (unfinished.sizeBytes !== sizeBytes) {
      throw lost(`it has ${unfinished.sizeBytes} bytes instead of ${sizeBytes}`)
    }
    try {
      await fileSystem.rename(inProgressUri, finalUri)
      return
    } catch (error) {
      // Somebody else committed it meanwhile.
      if (!FileNotFound.is(error)) throw error
    }
  }
  const finished = await fileSystem.status(finalUri)
  if (finished === undefined) throw lost('there is no such file')
  if (finished.sizeBytes !== sizeBytes)
    throw lost(`it has ${finished.sizeBytes} bytes instead of ${sizeBytes}`)
}
