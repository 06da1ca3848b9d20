import { defineError } from '@flink-ts/common'

/** The addon was not compiled on this host, or the library that it needs is gone. */
export const RocksDbNotInstalled = defineError<{ command: string; reason: string }>({
  code: 'rocksdb.not-installed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `RocksDB is not installed on this host (${d.reason}). Install it on all hosts of the cluster: ${d.command}. Or keep ` +
    'state on the heap: state.backend.type: hashmap.',
})

/** An operation on the local files of a store failed. */
export const StoreFailed = defineError<{ operation: string; directory: string; reason: string }>({
  code: 'rocksdb.store-failed',
  domain: 'external',
  retry: 'backoff',
  message: d =>
    `The RocksDB store in ${d.directory} failed to ${d.operation}: ${d.reason}. Look at the disk: its free space, its ` +
    'health, and the rights of the folder; state.backend.rocksdb.localdir names another one.',
})

/** A store is used that was closed, or in a wrong way. */
export const StoreMisused = defineError<{ operation: string; directory: string; reason: string }>({
  code: 'rocksdb.store-misused',
  domain: 'internal',
  retry: 'no',
  message: d =>
    `The RocksDB store in ${d.directory} cannot ${d.operation}: ${d.reason}. This is an error in flink-ts: please report it.`,
})
