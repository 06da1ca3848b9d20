import {
  CHECKPOINTS_DIRECTORY,
  type Configuration,
  InvalidOptionValue,
  newId,
  SystemRandom,
} from '@flink-ts/common'
import { type CheckpointSettings, type JobGraph, restartStrategyOf } from '@flink-ts/jobgraph'
import { jobStateSettingsOf } from '@flink-ts/state'
import type { JobSettings } from '../graph/translate.ts'
import * as options from '../streaming-options.ts'
import { directoryUri } from './directory-uri.ts'

/**
 * Everything of a job that comes from its configuration, the environment's own settings included.
 * @throws common.invalid-option-value
 */
export function jobSettingsOf(
  name: string,
  configuration: Configuration,
  globalJobParameters: Readonly<Record<string, string>>,
  jobType: JobGraph['jobType'],
): JobSettings {
  const checkpointing = checkpointSettingsOf(configuration)
  const isBatch = jobType === 'BATCH'
  return {
    jobId: newId(new SystemRandom()),
    name,
    ...(isBatch && { jobType }),
    checkpointing: isBatch ? { ...checkpointing, intervalMs: undefined } : checkpointing,
    state: jobStateSettingsOf(configuration),
    restoreFrom: restoreFrom(configuration, isBatch),
    restartStrategy: restartStrategyOf(configuration),
    autoWatermarkIntervalMs: configuration.get(options.AUTO_WATERMARK_INTERVAL),
    bufferTimeoutMs: configuration.get(options.BUFFER_TIMEOUT),
    globalJobParameters,
  }
}

function checkpointSettingsOf(configuration: Configuration): CheckpointSettings {
  const directory = configuration.get(CHECKPOINTS_DIRECTORY)
  const maxConcurrent = configuration.get(options.MAX_CONCURRENT_CHECKPOINTS)
  // As in Flink, at-least-once has no use for it: nothing is aligned there.
  const isUnaligned =
    configuration.get(options.UNALIGNED_CHECKPOINTS) &&
    configuration.get(options.CHECKPOINTING_MODE) === 'exactly-once'
  if (isUnaligned && maxConcurrent > 1) {
    throw InvalidOptionValue({
      key: options.MAX_CONCURRENT_CHECKPOINTS.key,
      value: String(maxConcurrent),
      expected: `1 with unaligned checkpoints (${options.UNALIGNED_CHECKPOINTS.key})`,
    })
  }
  return {
    intervalMs: configuration.get(options.CHECKPOINTING_INTERVAL),
    mode: configuration.get(options.CHECKPOINTING_MODE),
    minPauseMs: configuration.get(options.CHECKPOINTING_MIN_PAUSE),
    timeoutMs: configuration.get(options.CHECKPOINTING_TIMEOUT),
    unaligned: isUnaligned
      ? { alignedTimeoutMs: configuration.get(options.ALIGNED_CHECKPOINT_TIMEOUT) }
      : undefined,
    maxConcurrent,
    tolerableFailures: configuration.get(options.TOLERABLE_FAILED_CHECKPOINTS),
    directory: directory === '' ? undefined : directoryUri(directory),
    retained: configuration.get(options.RETAINED_CHECKPOINTS),
    externalizedRetention: configuration.get(options.CHECKPOINT_RETENTION),
  }
}

function restoreFrom(configuration: Configuration, isBatch: boolean): JobGraph['restoreFrom'] {
  const path = configuration.get(options.RESTORE_PATH)
  if (path === undefined) return undefined
  if (isBatch) {
    const expected = 'nothing in BATCH mode, which has no state to go on from'
    throw InvalidOptionValue({ key: options.RESTORE_PATH.key, value: path, expected })
  }
  const claimMode = ({ NO_CLAIM: 'no-claim', CLAIM: 'claim', LEGACY: 'legacy' } as const)[
    configuration.get(options.CLAIM_MODE)
  ]
  return {
    path: path === 'latest' ? path : directoryUri(path),
    allowNonRestoredState: configuration.get(options.IGNORE_UNCLAIMED_STATE),
    claimMode,
  }
}
