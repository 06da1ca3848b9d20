import { isFlinkError } from '@flink-ts/common'
import { CheckpointStorageFailed } from '../errors.ts'

/**
 * Does storage work of a running job. What the file system reports (a full disk, a folder that is gone or has become a
 * file, missing rights) is rejected as `state.checkpoint-storage-failed`, which may be tried again: the folder was
 * usable when the job started. Other errors pass.
 */
export async function inStorage<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw isFlinkError(error) && error.code.startsWith('filesystem.')
      ? CheckpointStorageFailed({ reason: error.message }, error)
      : error
  }
}
