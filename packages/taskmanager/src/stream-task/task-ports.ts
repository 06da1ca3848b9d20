import type { Clock, Logger, OperatorId } from '@flink-ts/common'
import type {
  CheckpointAcknowledgement,
  CheckpointDecline,
  TaskDeployment,
  TaskExecutionStateUpdate,
} from '@flink-ts/gateways'
import type { ChannelReader, ChannelWriter, RecordWriterOptions } from '@flink-ts/network'
import type { AttemptFiles, EdgePartitioner, Push, ReplayedProgram } from '@flink-ts/operators'
import type {
  CheckpointStorage,
  KeyedStateBackend,
  KeyedStateHandle,
  OperatorStateBackend,
  OperatorStateHandle,
  SavepointStorage,
  StateLocation,
} from '@flink-ts/state'
import type { SlotLoop } from '../mailbox/slot-loop.ts'
import type { OperatorOverdraft, OverdraftLimits } from './overdraft.ts'

/** Where a task says what happens to it. Never throws. */
export interface TaskReporter {
  status(update: TaskExecutionStateUpdate): void
  /** The task will end, after its operators are closed. */
  closing(): void
  acknowledge(acknowledgement: CheckpointAcknowledgement): void
  decline(decline: CheckpointDecline): void
  endOfData(): void
  /** Unfinished files of its operators. */
  readonly files: AttemptFiles
  /** To the coordinator of an operator. */
  operatorEvent(operatorId: OperatorId, event: Uint8Array): void
}

/** Makes the state backends of an operator, with what is to be restored in them. */
export interface StateBackends {
  keyed(
    options: { readonly keyGroupRange: { start: number; end: number }; readonly maxParallelism: number },
    restored: readonly KeyedStateHandle[],
  ): Promise<KeyedStateBackend>
  operator(restored: readonly OperatorStateHandle[]): Promise<OperatorStateBackend>
  read(location: StateLocation): Promise<Buffer>
}

/** Gives the ends of the channels of a task, and the code that chooses among them. */
export interface TaskChannels {
  reader(channelId: string, timestamp: Float64Array): ChannelReader
  /** @param overdraft of the operator that feeds the channel */
  writer(channelId: string, timestamp: Float64Array, overdraft: OperatorOverdraft): ChannelWriter
  recordWriter(
    partitioner: EdgePartitioner,
    channels: readonly ChannelWriter[],
    options: Omit<RecordWriterOptions, 'random'>,
  ): Push
}

export interface StreamTaskOptions {
  readonly deployment: TaskDeployment
  readonly program: ReplayedProgram
  readonly overdraftLimits: OverdraftLimits
}

export interface StreamTaskDependencies {
  readonly loop: SlotLoop
  readonly clock: Clock
  readonly logger: Logger
  readonly reporter: TaskReporter
  readonly channels: TaskChannels
  readonly backends: StateBackends
  /** Undefined: the job takes no checkpoints. */
  readonly storage: CheckpointStorage | undefined
  readonly savepoints: Pick<SavepointStorage, 'streams'>
  /** The task is over; called once. */
  readonly onEnded: () => void
}
