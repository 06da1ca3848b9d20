import { storedBlobKeys } from '@flink-ts/common'
import type { JobResult } from '@flink-ts/gateways'
import type { JobLeftovers } from '@flink-ts/highavailability'
import type { DiscardAction } from '../checkpoint/aborted-folders.ts'
import { recordedFolder } from './recorded-progress.ts'

/** What is recorded of a job that is over. */
export interface RecordedEnd {
  readonly outcome: unknown
  /** Milliseconds since the epoch. */
  readonly endedAt: number
  readonly leftovers: JobLeftovers | undefined
  readonly blobKeys: readonly string[]
}

/**
 * @param facts directory: of the checkpoints of all jobs; folders: what is to be removed, undefined: everything stays
 */
export function recordedEnd(facts: {
  readonly result: JobResult
  readonly outcome: unknown
  readonly endedAt: number
  readonly directory: string | undefined
  readonly folders: readonly DiscardAction[] | undefined
}): RecordedEnd {
  const { result, outcome, endedAt, directory, folders } = facts
  return {
    outcome,
    endedAt,
    leftovers: folders && { directory, folders: folders.map(recordedFolder) },
    blobKeys: result.status === 'FINISHED' ? storedBlobKeys(result.result.accumulators) : [],
  }
}
