import type { OperatorContext, OperatorFactory, StreamOperator } from '../contract/stream-operator.ts'
import { GlobalCommitCoordinator } from '../sink/global-commit.ts'
import type { CommittableMessage, Sink } from '../sink/sink.ts'
import { SinkCommits } from '../sink/sink-commits.ts'
import { SinkWriting } from '../sink/sink-writing.ts'

/**
 * Operator around a {@link Sink}: writer and committer. What the writer prepares for a checkpoint is committed when that
 * checkpoint, or a later one, is complete; again after a restore, so commits must be idempotent. Without checkpointing
 * everything is committed at the end.
 */
export function sinkOperator<T>(sink: Sink<T, unknown, unknown>): OperatorFactory {
  return { kind: 'sink', create: context => createSink(context, sink), ...globalCommitOf(sink) }
}

/** The writer alone: emits its committables, for {@link sinkCommitterOperator}. */
export function sinkWriterOperator<T>(sink: Sink<T, unknown, unknown>): OperatorFactory {
  return { kind: 'sink-writer', create: context => createSinkWriter(context, sink) }
}

/** The committer alone, behind a stream of committables. */
export function sinkCommitterOperator(sink: Sink<never, unknown, unknown>): OperatorFactory {
  return { kind: 'sink', create: context => createSinkCommitter(context, sink), ...globalCommitOf(sink) }
}

function globalCommitOf(sink: Sink<never, unknown, unknown>): Pick<OperatorFactory, 'coordinator'> {
  if (sink.createGlobalCommitter === undefined) return {}
  const create = sink.createGlobalCommitter.bind(sink)
  return { coordinator: { create: context => new GlobalCommitCoordinator(create(), context) } }
}

function createSink<T>(context: OperatorContext, sink: Sink<T, unknown, unknown>): StreamOperator {
  const writing = new SinkWriting(context, sink)
  const commits = new SinkCommits(context, sink)
  return {
    processElement: writing.processElement,
    ...commitCalls(commits),
    async open() {
      await commits.open()
      await writing.open()
    },
    async prepareSnapshot(checkpointId) {
      commits.prepared(checkpointId, await writing.prepare())
    },
    async snapshotState(checkpointId) {
      await writing.snapshotState(checkpointId)
      commits.snapshotState()
    },
    endInput: () => writing.endInput(),
    cancel() {
      writing.cancel()
      commits.cancel()
    },
    async finish() {
      // With checkpointing the last checkpoint covers everything.
      if (!context.checkpointingEnabled) {
        commits.prepared(Number.MAX_SAFE_INTEGER, await writing.prepare())
      }
      await commits.finish()
    },
    async close() {
      try {
        await writing.close()
      } finally {
        await commits.close()
      }
    },
  }
}

function createSinkWriter<T>(context: OperatorContext, sink: Sink<T, unknown, unknown>): StreamOperator {
  const writing = new SinkWriting(context, sink)
  const { subtaskIndex } = context
  const emit = async (): Promise<void> => {
    context.timestamp[0] = Number.NaN
    for (const committable of await writing.prepare()) {
      context.out({ committable, subtaskIndex } satisfies CommittableMessage<unknown>)
    }
  }
  return {
    processElement: writing.processElement,
    open: () => writing.open(),
    // Before the barrier: they are in the committer's snapshot of the same checkpoint.
    prepareSnapshot: emit,
    snapshotState: checkpointId => writing.snapshotState(checkpointId),
    async endInput() {
      await writing.endInput()
      await emit()
    },
    cancel: () => writing.cancel(),
    close: () => writing.close(),
  }
}

function createSinkCommitter(context: OperatorContext, sink: Sink<never, unknown, unknown>): StreamOperator {
  const commits = new SinkCommits(context, sink)
  let arrived: unknown[] = []
  const prepared = (checkpointId: number): void => {
    commits.prepared(checkpointId, arrived)
    arrived = []
  }
  return {
    processElement: value => {
      arrived.push((value as CommittableMessage<unknown>).committable)
    },
    ...commitCalls(commits),
    open: () => commits.open(),
    prepareSnapshot: prepared,
    snapshotState: () => commits.snapshotState(),
    async finish() {
      prepared(Number.MAX_SAFE_INTEGER)
      await commits.finish()
    },
    close: () => commits.close(),
  }
}

function commitCalls(
  commits: SinkCommits,
): Required<Pick<StreamOperator, 'notifyCheckpointComplete' | 'handleOperatorEvent' | 'cancel'>> {
  return {
    notifyCheckpointComplete: checkpointId => commits.commitUpTo(checkpointId),
    handleOperatorEvent: event => commits.handleOperatorEvent(event),
    cancel: () => commits.cancel(),
  }
}
