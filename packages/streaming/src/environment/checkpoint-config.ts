import { CHECKPOINTS_DIRECTORY, type ConfigOption } from '@flink-ts/common'
import type { CheckpointSettings } from '@flink-ts/jobgraph'
import { type Duration, durationMs } from '@flink-ts/operators'
import { InvalidArgument } from '../errors.ts'
import {
  ALIGNED_CHECKPOINT_TIMEOUT,
  CHECKPOINT_RETENTION,
  CHECKPOINTING_INTERVAL,
  CHECKPOINTING_MIN_PAUSE,
  CHECKPOINTING_MODE,
  CHECKPOINTING_TIMEOUT,
  MAX_CONCURRENT_CHECKPOINTS,
  TOLERABLE_FAILED_CHECKPOINTS,
  UNALIGNED_CHECKPOINTS,
} from '../streaming-options.ts'
import { directoryUri } from './directory-uri.ts'

/** Shortest interval and timeout, as in Flink. */
const MINIMUM_MS = 10

/** Puts one setting of the program over everything else. */
export type SetOption = <T>(option: ConfigOption<T>, value: T) => void

/** Checkpoint settings of a job: {@link StreamExecutionEnvironment.getCheckpointConfig}. */
export class CheckpointConfig {
  readonly #set: SetOption

  constructor(set: SetOption) {
    this.#set = set
  }

  /** Time between checkpoints, at least 10 ms. */
  setCheckpointInterval(interval: Duration): void {
    this.#set(CHECKPOINTING_INTERVAL, durationMs(interval, 'setCheckpointInterval', MINIMUM_MS))
  }

  setCheckpointingMode(mode: CheckpointSettings['mode']): void {
    if (mode !== 'exactly-once' && mode !== 'at-least-once') {
      throw InvalidArgument({
        call: 'setCheckpointingMode',
        value: String(mode),
        expected: "'exactly-once' or 'at-least-once'",
      })
    }
    this.#set(CHECKPOINTING_MODE, mode)
  }

  /** Least time between the end of a checkpoint and the start of the next. */
  setMinPauseBetweenCheckpoints(pause: Duration): void {
    this.#set(CHECKPOINTING_MIN_PAUSE, durationMs(pause, 'setMinPauseBetweenCheckpoints'))
  }

  /** Time after which a checkpoint is given up, at least 10 ms. */
  setCheckpointTimeout(timeout: Duration): void {
    this.#set(CHECKPOINTING_TIMEOUT, durationMs(timeout, 'setCheckpointTimeout', MINIMUM_MS))
  }

  setMaxConcurrentCheckpoints(count: number): void {
    this.#set(MAX_CONCURRENT_CHECKPOINTS, wholeNumber('setMaxConcurrentCheckpoints', count, 1))
  }

  /**
   * Lets exactly-once checkpoints overtake records on their way between tasks and keep them in the checkpoint, so that
   * back pressure does not hold them up. Only one checkpoint at a time then; savepoints stay aligned.
   */
  enableUnalignedCheckpoints(enabled = true): void {
    this.#set(UNALIGNED_CHECKPOINTS, enabled)
  }

  /** With unaligned checkpoints: how long a task waits for barriers before it overtakes; 0 (the default): not at all. */
  setAlignedCheckpointTimeout(timeout: Duration): void {
    this.#set(ALIGNED_CHECKPOINT_TIMEOUT, durationMs(timeout, 'setAlignedCheckpointTimeout'))
  }

  /** Consecutive failed checkpoints that the job survives. */
  setTolerableCheckpointFailureNumber(count: number): void {
    this.#set(TOLERABLE_FAILED_CHECKPOINTS, wholeNumber('setTolerableCheckpointFailureNumber', count, 0))
  }

  setExternalizedCheckpointRetention(retention: CheckpointSettings['externalizedRetention']): void {
    if (CHECKPOINT_RETENTION.type.parse(retention) !== retention) {
      const { expected } = CHECKPOINT_RETENTION.type
      throw InvalidArgument({
        call: 'setExternalizedCheckpointRetention',
        value: String(retention),
        expected,
      })
    }
    this.#set(CHECKPOINT_RETENTION, retention)
  }

  /** Base directory of checkpoints: a URI such as `file:///data/checkpoints`, or a path of this machine; a relative one from its working folder. */
  setCheckpointStorage(directory: string | URL): void {
    const text = String(directory)
    if (text === '') {
      throw InvalidArgument({
        call: 'setCheckpointStorage',
        value: "''",
        expected: 'a directory as path or URI',
      })
    }
    const uri = directoryUri(text)
    if (CHECKPOINTS_DIRECTORY.type.parse(uri) === undefined) {
      const { expected } = CHECKPOINTS_DIRECTORY.type
      throw InvalidArgument({ call: 'setCheckpointStorage', value: `'${text}'`, expected })
    }
    this.#set(CHECKPOINTS_DIRECTORY, uri)
  }
}

function wholeNumber(call: string, value: number, minimum: number): number {
  if (Number.isSafeInteger(value) && value >= minimum) return value
  throw InvalidArgument({ call, value: String(value), expected: `a whole number from ${minimum}` })
}
