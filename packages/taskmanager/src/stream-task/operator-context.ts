import type { AccumulatorValue, Logger, OperatorId } from '@flink-ts/common'
import type { TaskDeployment } from '@flink-ts/gateways'
import type { JobOperator, JobVertex } from '@flink-ts/jobgraph'
import { type AttemptFiles, MIN_WATERMARK, type OperatorContext, type Push } from '@flink-ts/operators'
import type { KeyedStateBackend } from '@flink-ts/state'
import type { OperatorBackends } from '../checkpoint/subtask-checkpoints.ts'
import { KeyedStateWithoutKey } from '../errors.ts'
import { generateCode } from './generated-code.ts'
import type { ChainLink } from './operator-chain.ts'

/** What the task does for the operator at one link; see {@link OperatorContext} for the meaning. */
export interface ContextHost {
  readonly timestamp: Float64Array
  /** Undefined while the operator is being created. */
  link(index: number): ChainLink | undefined
  emitWatermark(index: number, watermark: number): void
  emitIdle(index: number): void
  shouldYield(): boolean
  isBlocked(): boolean
  processingTime(): number
  scheduleProcessingTime(index: number, time: number, action: () => void): { cancel(): void }
  execute(index: number, action: () => void): void
  wake(): void
  fail(index: number, error: unknown): void
  setAvailable(index: number, available: boolean): void
  sendOperatorEvent(operatorId: OperatorId, event: Uint8Array): void
  readonly files: AttemptFiles
  setAccumulator(index: number, name: string, value: AccumulatorValue | (() => AccumulatorValue)): void
  setMetric(index: number, name: string, read: () => number | string): void
}

/** The context of the operator `node`, number `index` of its chain. */
export function createOperatorContext(
  options: {
    deployment: TaskDeployment
    vertex: JobVertex
    node: JobOperator
    index: number
    out: Push
    sideOutput: (tag: string) => Push
    keyPlace: string | undefined
  },
  dependencies: { host: ContextHost; backends: OperatorBackends; logger: Logger },
): OperatorContext {
  const { deployment, vertex, node, index } = options
  const { host, backends } = dependencies
  const { graph } = deployment.job
  const currentWatermark = (): number => host.link(index)?.eventTime ?? MIN_WATERMARK
  backends.keyed?.useTime({
    processingTime: () => host.processingTime(),
    watermark: currentWatermark,
    recordTimestamp: () => host.timestamp[0] as number,
  })
  for (const { name, read } of backends.keyed?.metrics?.() ?? []) host.setMetric(index, name, read)
  return {
    operatorId: node.operatorId,
    operatorName: node.name,
    ...(options.keyPlace !== undefined && { keyPlace: options.keyPlace }),
    jobId: deployment.job.jobId,
    jobName: graph.name,
    subtaskIndex: deployment.subtaskIndex,
    parallelism: vertex.parallelism,
    maxParallelism: vertex.maxParallelism,
    attemptNumber: deployment.attemptNumber,
    batch: graph.jobType === 'BATCH',
    checkpointingEnabled: graph.checkpointing.intervalMs !== undefined,
    restoredCheckpointId: deployment.restore?.checkpointId,
    autoWatermarkIntervalMs: graph.autoWatermarkIntervalMs,
    cachedFiles: deployment.job.cachedFilePaths ?? {},
    globalJobParameters: graph.globalJobParameters,
    timestamp: host.timestamp,
    out: options.out,
    sideOutput: options.sideOutput,
    generate: generateCode,
    get keyedState(): KeyedStateBackend {
      if (backends.keyed === undefined) throw KeyedStateWithoutKey({ operator: node.name })
      return backends.keyed
    },
    operatorState: backends.operator,
    files: host.files,
    emitWatermark: watermark => host.emitWatermark(index, watermark),
    emitIdle: () => host.emitIdle(index),
    currentWatermark,
    shouldYield: () => host.shouldYield(),
    isBlocked: () => host.isBlocked(),
    processingTime: () => host.processingTime(),
    scheduleProcessingTime: (time, action) => host.scheduleProcessingTime(index, time, action),
    execute: action => host.execute(index, action),
    wake: () => host.wake(),
    fail: error => host.fail(index, error),
    setAvailable: available => host.setAvailable(index, available),
    sendOperatorEvent: event => host.sendOperatorEvent(node.operatorId, event),
    setAccumulator: (name, value) => host.setAccumulator(index, name, value),
    setMetric: (name, read) => host.setMetric(index, name, read),
    logger: dependencies.logger.child({ operator: node.name }),
  }
}
