import type { CheckpointTrigger } from '@flink-ts/gateways'
import type { CaptureEnd } from '@flink-ts/network'

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
  /**
   * Take the snapshot now, although the barrier is missing on these channels: the records before it there become part
   * of it. Channels are unblocked right after the call.
   */
  overtake(barrier: Barrier, alignmentMs: number, missing: readonly number[]): void
}

/** Decides from the barriers of all input channels when the task takes its snapshot. Owner: the task. */
export interface BarrierHandler {
  onBarrier(channel: number, barrier: Barrier): void
  onCancelBarrier(channel: number, checkpointId: number): void
  /** The coordinator gave this checkpoint up. */
  onAborted(checkpointId: number): void
  /** No barriers will come on this channel any more. */
  onChannelFinished(channel: number): void
  /** The coordinator has begun this checkpoint. Absent: only barriers tell. */
  announce?(barrier: Barrier): void
  /** Has the snapshot taken that is due without all barriers, if there is one. No life-cycle call may be under way. */
  takeDue?(): boolean
  /** The records before the barrier on this channel are all captured, or will never be. */
  onCaptured?(channel: number, by: CaptureEnd): void
  /** Checkpoint under way, with the channels whose barrier is awaited; undefined: none. */
  readonly waitingFor: { readonly checkpointId: number; readonly channels: readonly number[] } | undefined
  /** The task is ending. */
  close?(): void
}
