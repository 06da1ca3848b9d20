import {
  DataGeneratorSource,
  type ReaderOutput,
  type Source,
  type SourceReader,
  type SourceReaderContext,
} from 'flink-ts'
import { beginStretch, type Stretch, warmUpOf } from './stretch.ts'

type IndexSplit = ReturnType<DataGeneratorSource<unknown>['enumerateSplits']>[number]

/** Opens when all sources that it waits for have ended. One for each evaluation of the program, so for each thread. */
export class Gate {
  #open = 0
  readonly #wakers: (() => void)[] = []

  get isOpen(): boolean {
    return this.#open === 0
  }

  begin(): void {
    this.#open++
  }

  end(): void {
    if (--this.#open === 0) for (const wake of this.#wakers) wake()
  }

  /** Calls `wake` when the gate opens. */
  wait(wake: () => void): void {
    this.#wakers.push(wake)
  }
}

/** What happens around a generator. */
interface Hooks {
  readonly count: number
  /** The source emits nothing before. */
  readonly waitFor?: Gate
  /** After the last record has been processed. */
  readonly ended: () => void
  /** After a look at how many records were emitted so far, before the next are. */
  readonly emitted?: (records: number) => void
}

/** A generator of `count` records that waits, and is watched between its slices. */
export class WatchedSource<T> implements Source<T, IndexSplit> {
  readonly boundedness = 'bounded'
  readonly kind = 'datagen'
  readonly #generator: DataGeneratorSource<T>
  readonly #hooks: Hooks

  constructor(generator: (index: number) => T, hooks: Hooks) {
    this.#generator = new DataGeneratorSource({ generator, count: hooks.count })
    this.#hooks = hooks
  }

  enumerateSplits(parallelism: number): readonly IndexSplit[] {
    return this.#generator.enumerateSplits(parallelism)
  }

  createReader(context: SourceReaderContext): SourceReader<T, IndexSplit> {
    const reader = this.#generator.createReader(context)
    const { waitFor, ended, emitted } = this.#hooks
    waitFor?.wait(() => context.wake())
    const poll = (max: number, output: ReaderOutput<T>): 'more' | 'wait' | 'end' => {
      if (waitFor !== undefined && !waitFor.isOpen) return 'wait'
      emitted?.(reader.snapshot()[0]?.next ?? 0)
      const answer = reader.poll(max, output)
      if (answer === 'end') ended()
      return answer
    }
    return {
      open: () => reader.open?.(),
      addSplits: splits => reader.addSplits(splits),
      poll,
      snapshot: () => reader.snapshot(),
      close: () => reader.close?.(),
    }
  }
}

/** A source whose thread is measured from the end of the warm-up to the last record. */
export function measuredSource<T>(
  generator: (index: number) => T,
  options: { count: number; waitFor: Gate; report: (stretch: Stretch) => void },
): WatchedSource<T> {
  const { count, waitFor, report } = options
  const warmUp = warmUpOf(count)
  let measured: { end: (records: number) => Stretch; from: number } | undefined
  return new WatchedSource(generator, {
    count,
    waitFor,
    emitted: records => {
      if (measured === undefined && records >= warmUp) measured = { end: beginStretch(), from: records }
    },
    ended: () => {
      if (measured === undefined) throw new Error(`${count} records are too few to be measured`)
      report(measured.end(count - measured.from))
    },
  })
}
