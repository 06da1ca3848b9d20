import { defineError } from '@flink-ts/common'

/** An argument of the DataStream API makes no sense. */
export const InvalidArgument = defineError<{ call: string; value: string; expected: string }>({
  code: 'streaming.invalid-argument',
  domain: 'user',
  retry: 'no',
  message: d => `${d.call} got ${d.value}: give ${d.expected}.`,
})

/** `execute` without anything to execute. */
export const EmptyJob = defineError<{ call: string }>({
  code: 'streaming.empty-job',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.call}: the job has no operators. Add a source and a sink before it; after execute the environment is empty again.`,
})

/** More than one subtask for an operator that has only one. */
export const NotParallel = defineError<{ operator: string; parallelism: number }>({
  code: 'streaming.not-parallel',
  domain: 'user',
  retry: 'no',
  message: d =>
    `setParallelism(${d.parallelism}) of ${d.operator}: it always runs in one subtask (collections, sockets, windows over ` +
    'all records, forceNonParallel). Leave the call out; operators behind it may have another parallelism.',
})

/** Another way to the subtasks for a stream that is grouped by key. */
export const KeyedPartitioning = defineError<{ call: string }>({
  code: 'streaming.keyed-partitioning',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.call}() on a keyed stream would take records away from the state and timers of their key: call it before keyBy, ` +
    'or behind the operator that follows keyBy.',
})

/** A broadcast variable in a stream. */
export const BroadcastSetInStream = defineError<{ operator: string }>({
  code: 'streaming.broadcast-set-in-stream',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.operator} waits for a broadcast set, which a stream never has whole: call env.setRuntimeMode('BATCH') if all ` +
    'sources are bounded, or use broadcast state: stream.connect(other.broadcast(descriptor)).',
})

/** A part of a job that has no place in BATCH mode. */
export const NotInBatchMode = defineError<{ operator: string; reason: string }>({
  code: 'streaming.not-in-batch-mode',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.operator} cannot run in BATCH mode: ${d.reason} Or run the job as a stream: env.setRuntimeMode('STREAMING'), ` +
    'execution.runtime-mode: STREAMING.',
})

/** Two operators with the same uid: their state could not be told apart. */
export const DuplicateUid = defineError<{ uid: string; first: string; second: string }>({
  code: 'streaming.duplicate-uid',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The operators ${d.first} and ${d.second} both have the uid '${d.uid}': give each its own uid.`,
})

/** forward() between operators of different parallelism. */
export const ForwardBetweenParallelisms = defineError<{
  source: string
  sourceParallelism: number
  target: string
  targetParallelism: number
}>({
  code: 'streaming.forward-between-parallelisms',
  domain: 'user',
  retry: 'no',
  message: d =>
    `forward() needs the same parallelism on both sides, but ${d.source} has ${d.sourceParallelism} and ${d.target} has ` +
    `${d.targetParallelism}: use rebalance() instead of forward(), or set the same parallelism.`,
})

/** More subtasks than key groups. */
export const ParallelismAboveMax = defineError<{
  operator: string
  parallelism: number
  maxParallelism: number
}>({
  code: 'streaming.parallelism-above-max',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The parallelism of ${d.operator} is ${d.parallelism}, above its maximum of ${d.maxParallelism}: lower it, or raise ` +
    'setMaxParallelism (existing state cannot follow such a change).',
})

/** A stream is used after its job was executed, or in another environment. */
export const ForeignStream = defineError<{ call: string; operator: string }>({
  code: 'streaming.foreign-stream',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.call}: the stream of ${d.operator} belongs to a job that was already executed or to another environment. ` +
    'Build each job from its sources anew before execute.',
})

/** A field that cannot be added up or compared. */
export const FieldNotAggregable = defineError<{ call: string; field: string; value: string }>({
  code: 'streaming.field-not-aggregable',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.call} found ${d.value} in the field '${d.field}': it needs numbers (or bigints) to add up, and values of one ` +
    'type to compare. Name another field, or use reduce.',
})

/** Windows that merge need a function that joins accumulators. */
export const AggregateCannotMerge = defineError<{ call: string }>({
  code: 'streaming.aggregate-cannot-merge',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.call} on windows that merge (sessions) must join the contents of two windows: give the aggregate function ` +
    'merge(left, right), or use reduce or process.',
})

/** A program without an argument that it needs. */
export const MissingParameter = defineError<{ name: string; given: string }>({
  code: 'streaming.missing-parameter',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The parameter ${d.name} is missing: give --${d.name} <value>. Given were: ${d.given === '' ? 'none' : d.given}.`,
})

/** A call that Flink had once. */
export const RemovedCall = defineError<{ call: string; instead: string }>({
  code: 'streaming.removed-call',
  domain: 'user',
  retry: 'no',
  message: d => `${d.call} was removed from Flink long ago: use ${d.instead}.`,
})

/** A loop that gets nothing back. */
export const IterationNotClosed = defineError<{ operator: string }>({
  code: 'streaming.iteration-not-closed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The loop of ${d.operator} gets nothing back: call closeWith(stream) of what iterate gave, before execute.`,
})

/** A loop that is closed with two streams. */
export const IterationClosedTwice = defineError<{ operator: string }>({
  code: 'streaming.iteration-closed-twice',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The loop of ${d.operator} is closed already: close it once, with the union of all that goes back.`,
})
