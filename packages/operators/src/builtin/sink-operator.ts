import { isFlinkError } from '@flink-ts/common'
import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import type { Sink, SinkWriter } from '../sink/sink.ts'

interface PendingCommittables {
  readonly checkpointId: number
  readonly committables: readonly unknown[]
}

/**
 * Operator around a {@link Sink}. What the writer prepares for a checkpoint is kept in state under the checkpoint's id
 * and committed when that checkpoint, or a later one, is complete; again after a restore, so commits must be
 * idempotent. Without checkpointing everything is committed at the end.
 */
export function sinkOperator<T>(sink: Sink<T, unknown, unknown>): OperatorFactory {
  return { kind: 'sink', create: context => createSink(context, sink) }
}

function createSink<T>(context: OperatorContext, sink: Sink<T, unknown, unknown>): StreamOperator {
  const committer = sink.createCommitter?.()
  const writerState = context.operatorState.listState<unknown>('SinkWriterState')
  const committableState = context.operatorState.listState<PendingCommittables>('SinkCommittables')
  let writer: SinkWriter<T, unknown, unknown> | undefined
  let pending: PendingCommittables[] = []
  let inputEnded = false
  const { files } = context
  const filesOf = (committables: readonly unknown[]): readonly string[] =>
    committables.flatMap(committable => sink.filesOf?.(committable) ?? [])
  // The writer is known only after `open`: the slot is filled then.
  const slot: { writer: SinkWriter<T, unknown, unknown> | undefined } = { writer: undefined }

  const writeFailed = failureAtRecord(context, 'the sink writer')
  const processElement = context.generate<Push>(
    ['slot', 'register', 'failed', 'rejectPromise'],
    `let first = true
let writer
return value => {
  if (first) {
    writer = slot.writer
    let result
    try { result = writer.write(value, register[0]) } catch (error) { throw failed(error, value) }
    rejectPromise(result)
    first = false
    return
  }
  try { writer.write(value, register[0]) } catch (error) { throw failed(error, value) }
}`,
    [
      slot,
      context.timestamp,
      // Sinks know their own failures: whose fault it is and whether to try again.
      (error: unknown, record: unknown) => (isFlinkError(error) ? error : writeFailed(error, record)),
      rejectPromise(context, 'write of the sink'),
    ],
  )

  const openWriter = (): SinkWriter<T, unknown, unknown> => {
    if (writer === undefined)
      throw new Error(`Sink operator '${context.operatorName}' is used before it is open`)
    return writer
  }
  const commitUpTo = async (checkpointId: number): Promise<void> => {
    const due = pending.filter(entry => entry.checkpointId <= checkpointId)
    if (due.length === 0) return
    const committables = due.flatMap(entry => entry.committables)
    await committer?.commit(committables)
    files.gone(filesOf(committables))
    pending = pending.filter(entry => !due.includes(entry))
  }
  const prepare = async (checkpointId: number): Promise<void> => {
    if (!inputEnded) await openWriter().flush(false)
    const committables = (await openWriter().prepareCommit?.()) ?? []
    if (committables.length === 0) return
    pending.push({ checkpointId, committables })
    files.covered(filesOf(committables), checkpointId)
  }

  return {
    processElement,
    async open() {
      pending = [...committableState.get()]
      // They belong to the checkpoint that this attempt was restored from, or to an earlier one.
      await commitUpTo(Number.MAX_SAFE_INTEGER)
      committer?.opened?.()
      writer = await sink.createWriter(
        {
          jobId: context.jobId,
          subtaskIndex: context.subtaskIndex,
          parallelism: context.parallelism,
          attemptNumber: context.attemptNumber,
          restoredCheckpointId: context.restoredCheckpointId,
          files,
          setAvailable: available => context.setAvailable(available),
          fail: error => context.fail(error),
          logger: context.logger,
        },
        writerState.get(),
      )
      slot.writer = writer
    },
    prepareSnapshot: prepare,
    async snapshotState(checkpointId) {
      writerState.update([...((await openWriter().snapshotState?.(checkpointId)) ?? [])])
      committableState.update([...pending])
    },
    notifyCheckpointComplete: commitUpTo,
    async endInput() {
      inputEnded = true
      await openWriter().flush(true)
    },
    async finish() {
      // With checkpointing the last checkpoint covers everything.
      if (!context.checkpointingEnabled) await prepare(Number.MAX_SAFE_INTEGER)
      await commitUpTo(Number.MAX_SAFE_INTEGER)
    },
    async close() {
      try {
        await writer?.close?.()
      } finally {
        await committer?.close?.()
      }
    },
  }
}
