import {
  booleanType,
  durationType,
  enumType,
  integerType,
  type OptionType,
  option,
  stringType,
} from '@flink-ts/common'
import type { CheckpointSettings } from '@flink-ts/jobgraph'

const optional = <T>(type: OptionType<T>): OptionType<T | undefined> => type as OptionType<T | undefined>

/** Subtasks of each operator unless it has its own setting. */
export const PARALLELISM = option('parallelism.default', integerType, {
  defaultValue: 1,
  description: 'Parallelism of operators that set none themselves.',
})

export const MAX_PARALLELISM = option('pipeline.max-parallelism', integerType, {
  defaultValue: -1,
  description:
    'Number of key groups: the highest parallelism that state can be redistributed to; -1 chooses.',
})

export const JOB_NAME = option('pipeline.name', optional(stringType), {
  defaultValue: undefined,
  description: 'Name of the job if execute is called without one.',
})

export const OPERATOR_CHAINING = option('pipeline.operator-chaining.enabled', booleanType, {
  defaultValue: true,
  description: 'Whether operators are chained into one task where possible.',
  deprecatedKeys: ['pipeline.operator-chaining'],
})

export const CHECK_RECORDS = option('pipeline.check-records', booleanType, {
  defaultValue: false,
  description:
    'Whether a function that changes a record after it was emitted fails the job: a sample of the records is frozen. ' +
    'For development; on where a program runs its jobs in its own process, and off in clusters.',
})

/** How a job gives its results; see {@link RUNTIME_MODE}. */
export type RuntimeExecutionMode = 'STREAMING' | 'BATCH' | 'AUTOMATIC'

export const RUNTIME_MODE = option<RuntimeExecutionMode>(
  'execution.runtime-mode',
  enumType('STREAMING', 'BATCH', 'AUTOMATIC'),
  {
    defaultValue: 'STREAMING',
    description:
      'STREAMING: results as they come. BATCH: for bounded inputs; keyed results once, when all is read, without ' +
      'watermarks and checkpoints. AUTOMATIC: BATCH if all sources are bounded.',
  },
)

export const AUTO_WATERMARK_INTERVAL = option('pipeline.auto-watermark-interval', durationType, {
  defaultValue: 200,
  description: 'Time between periodic watermarks; 0 switches them off.',
})

export const BUFFER_TIMEOUT = option('execution.buffer-timeout.interval', bufferTimeoutType(), {
  defaultValue: 100,
  description: 'Time after which a started batch is sent; 0 sends each record, -1 ms only full batches.',
  deprecatedKeys: ['execution.buffer-timeout'],
})

export const CHECKPOINTING_INTERVAL = option('execution.checkpointing.interval', optional(durationType), {
  defaultValue: undefined,
  description: 'Time between periodic checkpoints; none without it.',
})

export const CHECKPOINTING_MODE = option<CheckpointSettings['mode']>(
  'execution.checkpointing.mode',
  enumType('exactly-once', 'at-least-once'),
  { defaultValue: 'exactly-once', description: 'Whether records are counted exactly once or at least once.' },
)

export const UNALIGNED_CHECKPOINTS = option('execution.checkpointing.unaligned.enabled', booleanType, {
  defaultValue: false,
  description:
    'Whether exactly-once checkpoints may make records on their way between tasks part of themselves, so that back ' +
    'pressure does not hold them up. Savepoints never do.',
  deprecatedKeys: ['execution.checkpointing.unaligned'],
})

export const ALIGNED_CHECKPOINT_TIMEOUT = option(
  'execution.checkpointing.aligned-checkpoint-timeout',
  durationType,
  {
    defaultValue: 0,
    description:
      'With unaligned checkpoints: how long a task waits for barriers before it takes its snapshot without them. ' +
      '0: not at all.',
    deprecatedKeys: ['execution.checkpointing.alignment-timeout'],
  },
)

export const CHECKPOINTING_MIN_PAUSE = option('execution.checkpointing.min-pause', durationType, {
  defaultValue: 0,
  description: 'Least time between the end of a checkpoint and the start of the next.',
})

export const CHECKPOINTING_TIMEOUT = option('execution.checkpointing.timeout', durationType, {
  defaultValue: 600_000,
  description: 'Time after which a checkpoint that is not complete is given up.',
})

export const MAX_CONCURRENT_CHECKPOINTS = option(
  'execution.checkpointing.max-concurrent-checkpoints',
  integerType,
  {
    defaultValue: 1,
    description: 'Checkpoints that may run at the same time.',
  },
)

export const TOLERABLE_FAILED_CHECKPOINTS = option(
  'execution.checkpointing.tolerable-failed-checkpoints',
  integerType,
  { defaultValue: 0, description: 'Consecutive failed checkpoints after which the job fails.' },
)

export const CHECKPOINT_RETENTION = option<CheckpointSettings['externalizedRetention']>(
  'execution.checkpointing.externalized-checkpoint-retention',
  enumType('retain-on-cancellation', 'delete-on-cancellation', 'no-externalized-checkpoints'),
  {
    defaultValue: 'no-externalized-checkpoints',
    description: 'What happens to the last checkpoint when the job is cancelled.',
  },
)

export const RETAINED_CHECKPOINTS = option('execution.checkpointing.num-retained', integerType, {
  defaultValue: 1,
  description: 'Completed checkpoints that are kept.',
  deprecatedKeys: ['state.checkpoints.num-retained'],
})

export const RESTORE_PATH = option('execution.state-recovery.path', optional(stringType), {
  defaultValue: undefined,
  description:
    'Checkpoint or savepoint to start from: its folder, or latest for the newest one of a job of this name.',
  deprecatedKeys: ['execution.savepoint.path'],
})

export const CLAIM_MODE = option(
  'execution.state-recovery.claim-mode',
  enumType('NO_CLAIM', 'CLAIM', 'LEGACY'),
  {
    defaultValue: 'NO_CLAIM',
    description:
      'Whose the snapshot is that a job starts from. CLAIM: the job removes it when newer checkpoints have taken its ' +
      'place. NO_CLAIM, and LEGACY, an older name for it: it stays as it is.',
    deprecatedKeys: ['execution.savepoint-restore-mode'],
  },
)

export const IGNORE_UNCLAIMED_STATE = option('execution.state-recovery.ignore-unclaimed-state', booleanType, {
  defaultValue: false,
  description: 'Whether state in the snapshot that no operator takes is ignored instead of refused.',
  deprecatedKeys: ['execution.savepoint.ignore-unclaimed-state'],
})

/** Durations, and -1 for "never". */
function bufferTimeoutType(): OptionType<number> {
  return {
    expected: 'a duration such as 100 ms, 0, or -1 ms for never',
    parse: text => (/^\s*-1\s*(ms)?\s*$/.test(text) ? -1 : durationType.parse(text)),
    format: value => (value < 0 ? '-1 ms' : durationType.format(value)),
  }
}
