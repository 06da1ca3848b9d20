import { nullLogger } from '@flink-ts/common'
import type { Source, SourceReaderContext, SplitEnumeratorContext } from '@flink-ts/operators'

/** For tests: a context whose reader needs nothing, but for what is given. */
export function readerContext(change: Partial<SourceReaderContext> = {}): SourceReaderContext {
  return {
    subtaskIndex: 0,
    parallelism: 1,
    wake: () => {},
    fail: error => {
      throw error
    },
    logger: nullLogger,
    sendSplitRequest: () => {},
    sendSourceEvent: () => {},
    ...change,
  }
}

/** For tests: one reader takes all splits that the enumerator of a bounded source has, in its order. */
export function allSplits<S, E>(source: Source<unknown, S, E>): Promise<readonly S[]> {
  return new Promise((resolve, reject) => {
    const splits: S[] = []
    const context: SplitEnumeratorContext<S> = {
      currentParallelism: 1,
      registeredReaders: () => [0],
      assignSplit: split => context.assignSplits([split], 0),
      assignSplits: assigned => {
        splits.push(...assigned)
        queueMicrotask(ask)
      },
      signalNoMoreSplits: () => resolve(splits),
      sendSourceEvent: () => {},
      callAsync: (work, handler) => {
        work().then(handler).catch(reject)
      },
      logger: nullLogger,
    }
    const enumerator = source.createEnumerator?.(context)
    if (enumerator === undefined || enumerator instanceof Promise) throw new Error('no enumerator at once')
    const ask = (): void => enumerator.handleSplitRequest(0)
    Promise.resolve(enumerator.start()).then(ask, reject)
  })
}
