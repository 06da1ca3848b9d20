import type { Configuration } from '@flink-ts/common'
import { fileSystemFor, joinUri, toUri } from '@flink-ts/filesystem'
import { LeaseTimesInvalid, StorageDirMissing, TypeNotSupported } from './errors.ts'
import { FileHighAvailability } from './filesystem/file-high-availability.ts'
import {
  clusterId,
  highAvailabilityType,
  leaseDuration,
  renewDeadline,
  retryPeriod,
  storageDir,
} from './highavailability-options.ts'
import type { HighAvailability } from './store/high-availability.ts'

/**
 * The driver that a configuration asks for; undefined: none, and everything ends with the JobManager. Touches nothing.
 * Throws `highavailability.type-not-supported`, `highavailability.storage-dir-missing`,
 * `highavailability.lease-times-invalid`, `filesystem.unsupported-scheme`.
 */
export function openHighAvailability(configuration: Configuration): HighAvailability | undefined {
  const type = configuration.get(highAvailabilityType)
  if (type === 'none') return undefined
  if (type !== 'filesystem') throw TypeNotSupported({ type, known: ['NONE', 'filesystem'] })
  const directory = configuration.get(storageDir)
  if (directory === '') throw StorageDirMissing({ type })
  const leaseDurationMs = configuration.get(leaseDuration)
  const renewDeadlineMs = configuration.get(renewDeadline)
  const retryPeriodMs = configuration.get(retryPeriod)
  if (!(retryPeriodMs >= 10 && 2 * retryPeriodMs <= renewDeadlineMs && renewDeadlineMs < leaseDurationMs))
    throw LeaseTimesInvalid({ leaseDurationMs, renewDeadlineMs, retryPeriodMs })
  const base = toUri(directory)
  return new FileHighAvailability(
    {
      folder: joinUri(base, configuration.get(clusterId).replace(/^\//, '')),
      ...{ leaseDurationMs, renewDeadlineMs, retryPeriodMs },
    },
    { fileSystem: fileSystemFor(base) },
  )
}
