import type { CheckpointTrigger } from '@flink-ts/gateways'

/** A checkpoint barrier as it travels between records. */
export interface Barrier {
  readonly checkpointId: number
  /** When the checkpoint was triggered; milliseconds since the epoch. */
  readonly timestamp: number
  readonly savepoint: CheckpointTrigger['savepoint']
}

/** What a {@link BarrierHandler} has its task do. */
export interface BarrierListener {
  /** The barrier has arrived on all channels. Channels are unblocked right after the call. */
  complete(barrier: Barrier, alignmentMs: number): void
  /** A checkpoint that had begun here will not complete. `forward`: tell the tasks downstream. */
  aborted(checkpointId: number, reason: string, forward: boolean): void
  /** Take nothing from this channel until further notice. */
  block(channel: number): void
  unblockAll(): void
}

/** Decides from the barriers of all input channels when the task takes its snapshot. Owner: the task. */
export interface BarrierHandler {
  onBarrier(channel: number, barrier: Barrier): void
  onCancelBarrier(channel: number, checkpointId: number): void
  /** The coordinator gave this checkpoint up. */
  onAborted(checkpointId: number): void
  /** No barriers will come on this channel any more. */
  onChannelFinished(channel: number): void
}
