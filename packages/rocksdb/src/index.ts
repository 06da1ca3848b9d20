// Owns: the addon over the system's RocksDB (native/, built by hand or by npm run build:rocksdb), and stores made with it.
// Called by: state (the backend `rocksdb`), loaded when a job asks for it.
// Calls: nothing of ours but the errors of common.
// Thread: a store belongs to the thread that opened it; memory is shared by all stores of the process.
export { RocksDbNotInstalled, StoreFailed } from './errors.ts'
export { loadRocksDbAddon, type RocksDbMemory, type RocksDbOptions, rocksDbProblem } from './rocksdb-addon.ts'
export { RocksDbStore, type ScannedEntry } from './rocksdb-store.ts'
export { StoreBatch } from './store-batch.ts'
