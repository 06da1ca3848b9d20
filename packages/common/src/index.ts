// Owns: the words everything else is written in: ids, errors, options, clock, logger.
// Called by: every package.
// Calls: nothing of ours.
// Thread: any; nothing here keeps state of its own.
// Configuration files have an entry of their own, configuration-file: threads have no use for the YAML parser.
export {
  type AccumulatorValue,
  type AccumulatorValues,
  accumulatorResult,
  isStoredList,
  mergeAccumulatorValues,
  type StoredList,
  type StoredPart,
  storedBlobKeys,
} from './accumulators/accumulator-value.ts'
export { CancellationError, Deferred } from './concurrent/deferred.ts'
export { authTokenOf, isAuthToken, isLoopback } from './config/auth-token.ts'
export { Configuration, type ConfigurationSource } from './config/configuration.ts'
export { type Duration, durationToMs } from './config/duration.ts'
export {
  checkKeys,
  explainKey,
  type KeyExplanation,
  type KeyFinding,
  type KnownOption,
  knownOptions,
  nearest,
} from './config/known-keys.ts'
export {
  booleanType,
  type ConfigOption,
  durationType,
  enumType,
  formatDuration,
  InvalidOptionValue,
  integerFrom,
  integerType,
  memorySizeFrom,
  memorySizeType,
  type OptionType,
  option,
  parseDuration,
  parseMemorySize,
  portType,
  storagePathType,
  stringType,
} from './config/option.ts'
export {
  CHECKPOINTS_DIRECTORY,
  JOBMANAGER_RPC_ADDRESS,
  JOBMANAGER_RPC_PORT,
} from './config/shared-options.ts'
export {
  defineError,
  type ErrorDomain,
  type ErrorFactory,
  FlinkError,
  isFlinkError,
  type RetryHint,
} from './errors/flink-error.ts'
export type { JsonValue } from './errors/json-value.ts'
export { deserializeError, type SerializedError, serializeError } from './errors/serialized-error.ts'
export {
  type AllocationId,
  type ExecutionAttemptId,
  type InstanceId,
  type JobId,
  type JobVertexId,
  type LeaderSessionId,
  newId,
  type OperatorId,
  type ResourceId,
  type SlotId,
  slotIdOf,
} from './ids/ids.ts'
export { createLogger, type Logger, type LoggerOptions, nullLogger } from './logging/logger.ts'
export { type Clock, SystemClock, type Timer } from './time/clock.ts'
export { ManualClock } from './time/manual-clock.ts'
export { type Random, SeededRandom, SystemRandom } from './time/random.ts'
export { VERSION } from './version.ts'
