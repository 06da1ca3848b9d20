import { defineError } from '@flink-ts/common'

/** This process leads no longer: what it was about to write does not count. */
export const LeadershipLost = defineError<{ epoch: number; reason: string }>({
  code: 'highavailability.leadership-lost',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `This JobManager leads no longer (epoch ${d.epoch}: ${d.reason}). The leader that follows goes on with its jobs; ` +
    'ask again.',
})

/** Nobody leads the cluster just now. */
export const NoLeader = defineError<{ where: string }>({
  code: 'highavailability.no-leader',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `No JobManager leads the cluster whose leader is written down in ${d.where}. Start one with bin/jobmanager.sh, or ` +
    'correct high-availability.storageDir and high-availability.cluster-id: they must be the same everywhere.',
})

/** High availability is switched on without a place for what it keeps. */
export const StorageDirMissing = defineError<{ type: string }>({
  code: 'highavailability.storage-dir-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `high-availability.type is ${d.type}, but high-availability.storageDir is not set: name a folder that all ` +
    'JobManagers, TaskManagers and clients reach under the same path.',
})

/** A type that is Flink's, but not here yet, or nobody's. */
export const TypeNotSupported = defineError<{ type: string; known: readonly string[] }>({
  code: 'highavailability.type-not-supported',
  domain: 'user',
  retry: 'no',
  message: d =>
    `high-availability.type '${d.type}' is not supported by this version: give one of ${d.known.join(', ')}.`,
})

/** What is stored cannot be read. */
export const CorruptRecord = defineError<{ where: string; reason: string }>({
  code: 'highavailability.corrupt-record',
  domain: 'external',
  retry: 'no',
  message: d =>
    `${d.where} cannot be read: ${d.reason}. Restore the file from a backup, or remove its folder to give up the job.`,
})

/** The record of who leads cannot be read. */
export const CorruptLease = defineError<{ where: string; reason: string }>({
  code: 'highavailability.corrupt-lease',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `${d.where}, which says what JobManager leads, cannot be read: ${d.reason}. A living leader writes it again, and ` +
    'without one the next JobManager takes over when the lease has run out: nothing has to be done. If nobody leads ' +
    'after a minute, look at the disk behind high-availability.storageDir, stop all JobManagers, and remove this file ' +
    'alone.',
})

/** The folder for high availability cannot be used. */
export const StorageUnusable = defineError<{ directory: string; reason: string }>({
  code: 'highavailability.storage-unusable',
  domain: 'user',
  retry: 'backoff',
  message: d =>
    `Nothing can be written to ${d.directory} (${d.reason}): give JobManagers the right to write there, or set ` +
    'high-availability.storageDir to another folder.',
})

/** No port of those that are allowed is free. */
export const NoFreePort = defineError<{ ports: string; reason: string }>({
  code: 'highavailability.no-free-port',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The JobManager can listen at none of the ports ${d.ports} (${d.reason}): set high-availability.jobmanager.port to ` +
    'others, or to 0 for any free one.',
})

/** The times of the lease do not fit together. */
export const LeaseTimesInvalid = defineError<{
  leaseDurationMs: number
  renewDeadlineMs: number
  retryPeriodMs: number
}>({
  code: 'highavailability.lease-times-invalid',
  domain: 'user',
  retry: 'no',
  message: d =>
    'Under high-availability.filesystem.leader-election, retry-period must be at least 10 ms and at most half of ' +
    `renew-deadline, which must be less than lease-duration; they are ${d.retryPeriodMs}, ${d.renewDeadlineMs} and ` +
    `${d.leaseDurationMs} ms.`,
})
