import type { OperatorContext, OperatorFactory, StreamOperator } from '../contract/stream-operator.ts'
import { SourceWithoutSplits } from '../errors.ts'
import type { Source, SourceReader, SplitsOutput } from '../source/source.ts'
import { SourceCoordinator } from '../source/source-coordinator.ts'
import { createSourceCodec, type EnumeratorEvent, type ReaderEvent } from '../source/source-events.ts'
import { type EventTimeStage, eventTimeStageOf } from '../watermark/event-time-stage.ts'
import { ReaderAlignment } from '../watermark/watermark-alignment.ts'
import type { WatermarkStrategy } from '../watermark/watermark-strategy.ts'

/**
 * Operator around a {@link Source}: gets splits, reads them, gives records their event time, keeps positions in state.
 *
 * With an enumerator, splits come from there when the reader asks for them, and after a restore first those from the
 * state. Without one, each subtask takes the splits at its index modulo parallelism at a fresh start, and only those
 * from its state after a restore.
 * @throws operators.source-without-splits
 */
export function sourceOperator<T, S, E>(
  source: Source<T, S, E>,
  strategy: WatermarkStrategy<T>,
): OperatorFactory {
  const { kind, createEnumerator, restoreEnumerator, enumerateSplits } = source
  if (createEnumerator === undefined && enumerateSplits === undefined)
    throw SourceWithoutSplits({ source: kind, problem: 'says nowhere which splits it has' })
  if ((createEnumerator === undefined) !== (restoreEnumerator === undefined))
    throw SourceWithoutSplits({
      source: kind,
      problem: 'has only one of createEnumerator and restoreEnumerator',
    })
  const create = (context: OperatorContext): StreamOperator => createSource(context, source, strategy)
  if (createEnumerator === undefined && strategy.alignment === undefined) return { kind: 'source', create }
  return {
    kind: 'source',
    create,
    coordinator: {
      create: (context, restored) =>
        new SourceCoordinator<S, E>(source, context, restored, strategy.alignment),
    },
  }
}

function createSource<T, S, E>(
  context: OperatorContext,
  source: Source<T, S, E>,
  strategy: WatermarkStrategy<T>,
): StreamOperator {
  const splitState = context.operatorState.listState<S>('SourceReaderState')
  // A checkpoint of a job without this source has no positions of it either: not to be taken for "all was read".
  const knownState = context.operatorState.listState<boolean>('SourceKnown', 'union')
  const stage: EventTimeStage = eventTimeStageOf(
    context,
    strategy,
    context.out,
    () => alignment?.paused === true,
  )
  const output: SplitsOutput<T> = {
    collect: stage.emit,
    createOutputForSplit: splitId => ({ collect: stage.split(splitId) }),
    releaseOutputForSplit: splitId => stage.releaseSplit(splitId),
  }
  const enumerated = source.createEnumerator !== undefined
  const codec = createSourceCodec<S>()
  const tell = (event: ReaderEvent): void => context.sendOperatorEvent(codec.encode(event))
  const alignment: ReaderAlignment | undefined =
    strategy.alignment === undefined
      ? undefined
      : new ReaderAlignment(context, strategy.alignment, {
          progress: stage.progress,
          tell: watermark => tell({ type: 'watermark', watermark }),
        })
  let ended = false
  /** Asked, and nothing came yet. */
  let requested = false
  /** All splits that there will be are with the reader. */
  let noMoreSplits = !enumerated

  const requestSplit = (): void => {
    if (requested || noMoreSplits) return
    requested = true
    tell({ type: 'request' })
  }
  const reader: SourceReader<T, S> = source.createReader({
    subtaskIndex: context.subtaskIndex,
    parallelism: context.parallelism,
    wake: () => context.wake(),
    fail: error => context.fail(error),
    logger: context.logger,
    sendSplitRequest: requestSplit,
    sendSourceEvent: event => {
      if (enumerated) tell({ type: 'custom', event })
    },
  })

  const initialSplits = async (): Promise<readonly S[]> => {
    const restored = context.restoredCheckpointId !== undefined && knownState.get().length > 0
    if (restored || enumerated) return splitState.get()
    const all = (await source.enumerateSplits?.(context.parallelism)) ?? []
    return all.filter((_, i) => i % context.parallelism === context.subtaskIndex)
  }

  return {
    source: {
      emit(maxRecords) {
        if (ended) return 'end'
        if (alignment !== undefined) {
          // Between two intervals it would read far beyond what it may.
          if (!alignment.paused) stage.advance()
          if (alignment.paused) return 'wait'
        }
        const register = context.timestamp
        const before = register[0] as number
        const answer = reader.poll(maxRecords, output)
        register[0] = before
        if (answer !== 'end') return answer
        if (!noMoreSplits) {
          requestSplit()
          return 'wait'
        }
        ended = true
        stage.end()
        alignment?.end()
        return 'end'
      },
    },
    handleOperatorEvent(bytes) {
      const event = codec.decode<EnumeratorEvent<S>>(bytes)
      switch (event.type) {
        case 'splits':
          requested = false
          reader.addSplits(event.splits)
          break
        case 'no-more-splits':
          noMoreSplits = true
          reader.notifyNoMoreSplits?.()
          break
        case 'alignment':
          alignment?.allow(event.limit)
          return
        case 'custom':
          reader.handleSourceEvent?.(event.event)
          break
      }
      context.wake()
    },
    async open() {
      const splits = await initialSplits()
      // Before anything that the reader asks for.
      if (enumerated) tell({ type: 'register' })
      await reader.open?.()
      reader.addSplits(splits)
      stage.start()
      alignment?.start()
    },
    snapshotState() {
      splitState.update([...reader.snapshot()])
      knownState.update([true])
      stage.snapshot()
    },
    notifyCheckpointComplete: checkpointId => reader.notifyCheckpointComplete?.(checkpointId),
    async close() {
      stage.stop()
      alignment?.stop()
      await reader.close?.()
    },
  }
}
