/** What {@link StreamExecutionEnvironment.setStateBackend} takes beside a name. */
export interface StateBackendChoice {
  /** As in `state.backend.type`. */
  readonly type: string
  /** Where checkpoints go, if that comes with it. */
  readonly checkpointDirectory?: string | URL
}

/** Keyed state on the heap of the slot: the default. */
export class HashMapStateBackend implements StateBackendChoice {
  readonly type = 'hashmap'
}

/** Keyed state in RocksDB on the local disks of the TaskManagers, where it is installed: larger than memory. */
export class EmbeddedRocksDBStateBackend implements StateBackendChoice {
  readonly type = 'rocksdb'
}

/** Flink's old name for state in RocksDB with checkpoints in files. */
export class RocksDBStateBackend implements StateBackendChoice {
  readonly type = 'rocksdb'
  readonly checkpointDirectory: string | URL

  /** @param checkpointDirectory path or URI; in a cluster one that all hosts can reach */
  constructor(checkpointDirectory: string | URL) {
    this.checkpointDirectory = checkpointDirectory
  }
}

/** Flink's old name for state on the heap with checkpoints in files. */
export class FsStateBackend implements StateBackendChoice {
  readonly type = 'hashmap'
  readonly checkpointDirectory: string | URL

  /** @param checkpointDirectory path or URI; in a cluster one that all hosts can reach */
  constructor(checkpointDirectory: string | URL) {
    this.checkpointDirectory = checkpointDirectory
  }
}

/**
 * Flink's old name for state on the heap with small checkpoints. Here as there state is on the heap of the slot; but
 * checkpoints are always in `execution.checkpointing.dir`, small state inside their metadata.
 */
export class MemoryStateBackend implements StateBackendChoice {
  readonly type = 'hashmap'
}
