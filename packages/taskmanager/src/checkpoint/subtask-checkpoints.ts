import { type Clock, type ExecutionAttemptId, type Logger, serializeError } from '@flink-ts/common'
import {
  type ChannelStateHandle,
  type CheckpointStorage,
  type CheckpointStreamFactory,
  channelStateSizeBytes,
  type KeyedStateBackend,
  locationSizeBytes,
  type OperatorStateBackend,
  type OperatorSubtaskState,
  type SavepointStorage,
  type TaskStateSnapshot,
  writeChannelState,
} from '@flink-ts/state'
import { CheckpointNotPossible, SnapshotFailed } from '../errors.ts'
import type { SlotLoop } from '../mailbox/slot-loop.ts'
import type { ChainLink } from '../stream-task/operator-chain.ts'
import type { OperatorSequence } from '../stream-task/operator-sequence.ts'
import type { TaskOutputs } from '../stream-task/task-outputs.ts'
import type { TaskReporter } from '../stream-task/task-ports.ts'
import type { Barrier } from './barrier-handler.ts'
import type { ChannelCapture } from './channel-capture.ts'

/** State of one operator of the task; keyed only behind keyBy. */
export interface OperatorBackends {
  readonly keyed: KeyedStateBackend | undefined
  readonly operator: OperatorStateBackend
}

/** What happened between the first and the last barrier. */
export interface Alignment {
  readonly alignmentMs: number
  readonly processedBytes: number
  readonly bufferedBytes: number
}

interface Running {
  cancelled: boolean
}

export interface SubtaskCheckpointsDependencies {
  readonly links: readonly ChainLink[]
  /** By index of the link. */
  readonly backends: readonly OperatorBackends[]
  readonly outputs: TaskOutputs
  readonly sequence: OperatorSequence
  readonly storage: CheckpointStorage | undefined
  readonly savepoints: Pick<SavepointStorage, 'streams'>
  readonly clock: Clock
  readonly loop: SlotLoop
  readonly reporter: TaskReporter
  readonly logger: Logger
}

/**
 * Takes the snapshots of one task: operators prepare, the barrier goes on downstream, operators and backends fix
 * their state, the files are written between records, the task acknowledges. Whatever fails on the way declines the
 * checkpoint and leaves the task running. Owner: the task.
 */
export class SubtaskCheckpoints {
  readonly #attemptId: ExecutionAttemptId
  readonly #taskName: string
  readonly #links: readonly ChainLink[]
  readonly #backends: readonly OperatorBackends[]
  readonly #outputs: TaskOutputs
  readonly #sequence: OperatorSequence
  readonly #storage: CheckpointStorage | undefined
  readonly #savepoints: Pick<SavepointStorage, 'streams'>
  readonly #clock: Clock
  readonly #loop: SlotLoop
  readonly #reporter: TaskReporter
  readonly #logger: Logger
  /** By checkpoint id. */
  readonly #running = new Map<number, Running>()

  readonly #subtask: Pick<ChannelStateHandle, 'subtask' | 'parallelism'>

  constructor(
    options: { attemptId: ExecutionAttemptId; taskName: string; subtask: number; parallelism: number },
    dependencies: SubtaskCheckpointsDependencies,
  ) {
    this.#attemptId = options.attemptId
    this.#taskName = options.taskName
    this.#subtask = { subtask: options.subtask, parallelism: options.parallelism }
    this.#links = dependencies.links
    this.#backends = dependencies.backends
    this.#outputs = dependencies.outputs
    this.#sequence = dependencies.sequence
    this.#storage = dependencies.storage
    this.#savepoints = dependencies.savepoints
    this.#clock = dependencies.clock
    this.#loop = dependencies.loop
    this.#reporter = dependencies.reporter
    this.#logger = dependencies.logger
  }

  /** Checkpoint whose files are being written; undefined: none. */
  get running(): number | undefined {
    const [first] = this.#running.keys()
    return first
  }

  /**
   * Begins the snapshot for `barrier`. No life-cycle call may be under way.
   * @param capture records on their way that belong to it
   */
  take(barrier: Barrier, alignment: Alignment, capture?: ChannelCapture): void {
    const { alignmentMs } = alignment
    const { checkpointId } = barrier
    // A keyed backend writes one snapshot at a time.
    const older = this.#backends.some(({ keyed }) => keyed !== undefined) ? [...this.#running.keys()] : []
    for (const id of older) {
      this.cancel(id)
      const reason = `checkpoint ${checkpointId} began before its files were written`
      this.decline(id, CheckpointNotPossible({ checkpointId: id, task: this.#taskName, reason }))
    }
    const startDelayMs = Math.max(0, this.#clock.now() - barrier.timestamp - alignmentMs)
    const failed = (error: unknown): void => {
      capture?.abandon()
      this.decline(checkpointId, this.#failure(checkpointId, error))
    }
    this.#sequence.run(
      this.#links,
      { step: 'prepareSnapshot', on: link => link.operator.prepareSnapshot?.(checkpointId) },
      () => {
        this.#outputs.event({ type: 'barrier', ...barrier })
        const syncStartMs = this.#clock.monotonicMs()
        this.#sequence.run(
          this.#links,
          { step: 'snapshotState', on: link => link.operator.snapshotState?.(checkpointId) },
          () => this.#write(barrier, { ...alignment, startDelayMs }, syncStartMs, capture),
          failed,
        )
      },
      error => {
        this.#outputs.event({ type: 'cancel-barrier', checkpointId })
        failed(error)
      },
    )
  }

  /** Snapshots that follow may refer to the files of this checkpoint. */
  completed(checkpointId: number): void {
    for (const { keyed } of this.#backends) keyed?.notifyCheckpointComplete?.(checkpointId)
  }

  /** Gives up the files being written for this checkpoint, if any. */
  cancel(checkpointId: number): void {
    const running = this.#running.get(checkpointId)
    if (running === undefined) return
    running.cancelled = true
    this.#running.delete(checkpointId)
    for (const { keyed } of this.#backends) keyed?.cancelSnapshot(checkpointId)
  }

  /** Gives up whatever is being written. */
  cancelAll(): void {
    for (const id of [...this.#running.keys()]) this.cancel(id)
  }

  decline(checkpointId: number, error: unknown): void {
    this.#logger.info({ checkpointId, attemptId: this.#attemptId, error }, 'checkpoint declined')
    this.#reporter.decline({ attemptId: this.#attemptId, checkpointId, reason: serializeError(error) })
  }

  #write(
    barrier: Barrier,
    measured: Alignment & { readonly startDelayMs: number },
    syncStartMs: number,
    capture: ChannelCapture | undefined,
  ): void {
    const { checkpointId } = barrier
    const inputs = this.#writeInputs(barrier, capture)
    const running: Running = { cancelled: false }
    this.#running.set(checkpointId, running)
    // Everything is fixed before the first await, so that the records that follow are not in the snapshot.
    const parts = this.#links.map((link, i) => this.#snapshotOperator(barrier, link, i))
    const syncEndMs = this.#clock.monotonicMs()
    Promise.allSettled([inputs, ...parts]).then(results => {
      if (running.cancelled) return
      this.#running.delete(checkpointId)
      const failure = results.find(result => result.status === 'rejected')
      if (failure !== undefined) {
        capture?.abandon()
        this.decline(checkpointId, this.#failure(checkpointId, failure.reason))
        return
      }
      const [headInputs, ...operators] = results.map(
        result => (result as PromiseFulfilledResult<unknown>).value,
      ) as [readonly ChannelStateHandle[], ...OperatorSubtaskState[]]
      const state: TaskStateSnapshot = {
        operators: operators.map((operator, i) =>
          i === 0 && headInputs.length > 0 ? { ...operator, inputs: headInputs } : operator,
        ),
      }
      const asyncMs = this.#clock.monotonicMs() - syncEndMs
      const metrics = {
        ...{ ...measured, syncMs: syncEndMs - syncStartMs, asyncMs, stateBytes: stateBytes(state) },
        writtenBytes: stateBytes(state) - earlierBytes(state, checkpointId),
        unaligned: capture !== undefined,
        persistedBytes: headInputs.reduce((sum, handle) => sum + channelStateSizeBytes(handle), 0),
      }
      this.#reporter.acknowledge({ attemptId: this.#attemptId, checkpointId, state, metrics })
    }, this.#unexpected)
  }

  /** Stores the records on their way, once the barrier has come on all channels. */
  async #writeInputs(
    barrier: Barrier,
    capture: ChannelCapture | undefined,
  ): Promise<readonly ChannelStateHandle[]> {
    if (capture === undefined) return []
    const channels = await capture.result
    if (channels.every(({ batches }) => batches.length === 0)) return []
    const { operatorId } = (this.#links[0] as ChainLink).node
    const output = await this.#streams(barrier, operatorId).open('inputs')
    try {
      return await writeChannelState(this.#subtask, channels, output)
    } catch (error) {
      await output.discard().catch((cause: unknown) => {
        this.#logger.warn({ checkpointId: barrier.checkpointId, cause }, 'part of a snapshot was not removed')
      })
      throw error
    }
  }

  async #snapshotOperator(barrier: Barrier, link: ChainLink, index: number): Promise<OperatorSubtaskState> {
    const { keyed, operator } = this.#backends[index] as OperatorBackends
    const { operatorId } = link.node
    const { checkpointId } = barrier
    const streams = this.#streams(barrier, operatorId)
    // Both begin before either is awaited: their synchronous parts belong to this moment.
    const parts = [
      keyed?.snapshot(checkpointId, streams, () => this.#loop.yieldSlice()),
      operator.snapshot(checkpointId, streams),
    ] as const
    const [keyedHandles, operatorHandles] = await Promise.all(parts)
    return { operatorId, keyed: keyedHandles ?? [], operator: operatorHandles }
  }

  #streams({ checkpointId, savepoint }: Barrier, operatorId: string): CheckpointStreamFactory {
    if (savepoint !== false) {
      const streams = this.#savepoints.streams(savepoint.folder, this.#attemptId)
      return { ...streams, open: purpose => streams.open(`${operatorId}-${purpose}`) }
    }
    const storage = this.#storage
    if (storage === undefined) {
      return {
        open: () => {
          throw CheckpointNotPossible({
            checkpointId,
            task: this.#taskName,
            reason: 'the job has no checkpoint directory; set execution.checkpointing.dir',
          })
        },
      }
    }
    const streams = storage.streams(checkpointId, this.#attemptId)
    return { open: purpose => streams.open(`${operatorId}-${purpose}`) }
  }

  #failure(checkpointId: number, cause: unknown): Error {
    const { message: reason } = serializeError(cause)
    return SnapshotFailed({ checkpointId, task: this.#taskName, reason }, cause)
  }

  readonly #unexpected = (error: unknown): void => {
    this.#logger.error({ attemptId: this.#attemptId, error }, 'reporting a checkpoint failed')
  }
}

function stateBytes(state: TaskStateSnapshot): number {
  let sum = 0
  for (const { keyed, operator, inputs } of state.operators) {
    for (const handle of inputs ?? []) sum += channelStateSizeBytes(handle)
    for (const { location } of keyed) sum += locationSizeBytes(location)
    for (const { location } of operator) sum += locationSizeBytes(location)
  }
  return sum
}

/** What is in files of earlier checkpoints. */
function earlierBytes(state: TaskStateSnapshot, checkpointId: number): number {
  let sum = 0
  for (const { origin = checkpointId, location } of state.operators.flatMap(({ keyed }) => keyed)) {
    if (origin !== checkpointId) sum += locationSizeBytes(location)
  }
  return sum
}
