import {
  type AccumulatorValue,
  type Clock,
  isFlinkError,
  type Logger,
  type Random,
  serializeError,
} from '@flink-ts/common'
import type { TaskExecutionStateUpdate } from '@flink-ts/gateways'
import type { BlobAccess } from '@flink-ts/rpc'
import { ResultNotStored } from '../errors.ts'
import { retryWithBackoff } from './backoff.ts'

const BACKOFF = { initialMs: 50, maxMs: 500 }
const TIMEOUT_MS = 30_000

interface StoreResultsDependencies {
  readonly blobs: Pick<BlobAccess, 'put'>
  readonly clock: Clock
  readonly random: Random
  readonly logger: Logger
}

/**
 * Puts the large lists of a finished task into the blob store of the JobManager at `address`, one part after the other,
 * and answers the last state of the task with where they are. Never rejects: a task whose result cannot be stored has
 * failed.
 */
export async function storeResults(
  update: TaskExecutionStateUpdate,
  large: Readonly<Record<string, readonly Uint8Array[]>>,
  address: string,
  dependencies: StoreResultsDependencies,
): Promise<TaskExecutionStateUpdate> {
  const { blobs, clock } = dependencies
  const deadlineMs = clock.monotonicMs() + TIMEOUT_MS
  const stored: Record<string, AccumulatorValue> = {}
  try {
    for (const [name, contents] of Object.entries(large)) {
      const parts: { readonly blobKey: string }[] = []
      for (const content of contents) {
        const put = async (): Promise<void> => {
          parts.push({ blobKey: await blobs.put(address, content) })
        }
        await retryWithBackoff(
          ...([BACKOFF, dependencies, 'result to the JobManager', put] as const),
          error => isFlinkError(error) && error.retry === 'backoff' && clock.monotonicMs() < deadlineMs,
        )
      }
      stored[name] = { kind: 'stored', parts }
    }
  } catch (error) {
    const failure = ResultNotStored({ task: update.attemptId, names: Object.keys(large) }, error)
    return { ...update, status: 'FAILED', error: serializeError(failure), accumulators: undefined }
  }
  return { ...update, accumulators: { ...update.accumulators, ...stored } }
}
