import {
  MAX_WATERMARK,
  type OperatorContext,
  type OperatorFactory,
  type StreamOperator,
} from '../contract/stream-operator.ts'
import type { ReaderOutput, Source, SourceReader } from '../source/source.ts'
import { eventTimeStageOf } from '../watermark/event-time-stage.ts'
import type { WatermarkStrategy } from '../watermark/watermark-strategy.ts'

/**
 * Operator around a {@link Source}: assigns splits, reads them, gives records their event time, keeps positions in
 * state. At a fresh start each subtask takes the splits at its index modulo parallelism; after a restore, only those
 * from its state.
 */
export function sourceOperator<T, S>(source: Source<T, S>, strategy: WatermarkStrategy<T>): OperatorFactory {
  return { kind: 'source', create: context => createSource(context, source, strategy) }
}

function createSource<T, S>(
  context: OperatorContext,
  source: Source<T, S>,
  strategy: WatermarkStrategy<T>,
): StreamOperator {
  const splitState = context.operatorState.listState<S>('SourceReaderState')
  // A checkpoint of a job without this source has no positions of it either: not to be taken for "all was read".
  const knownState = context.operatorState.listState<boolean>('SourceKnown', 'union')
  const stage = eventTimeStageOf(context, strategy, context.out)
  const output: ReaderOutput<T> = { collect: stage.emit }
  const reader: SourceReader<T, S> = source.createReader({
    subtaskIndex: context.subtaskIndex,
    parallelism: context.parallelism,
    wake: () => context.wake(),
    fail: error => context.fail(error),
  })
  let ended = false

  const initialSplits = async (): Promise<readonly S[]> => {
    if (context.restoredCheckpointId !== undefined && knownState.get().length > 0) return splitState.get()
    const all = await source.enumerateSplits(context.parallelism)
    return all.filter((_, i) => i % context.parallelism === context.subtaskIndex)
  }

  return {
    source: {
      emit(maxRecords) {
        if (ended) return 'end'
        const register = context.timestamp
        const before = register[0] as number
        const answer = reader.poll(maxRecords, output)
        register[0] = before
        if (answer === 'end') {
          ended = true
          stage.stop()
          context.emitWatermark(MAX_WATERMARK)
        }
        return answer
      },
    },
    async open() {
      const splits = await initialSplits()
      await reader.open?.()
      reader.addSplits(splits)
      stage.start()
    },
    snapshotState() {
      splitState.update([...reader.snapshot()])
      knownState.update([true])
    },
    async close() {
      stage.stop()
      await reader.close?.()
    },
  }
}
