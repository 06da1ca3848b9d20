import {
  createSourceCodec,
  type EnumeratorEvent,
  type OperatorFactory,
  type ReaderEvent,
  type Source,
  type SplitEnumerator,
  type SplitEnumeratorContext,
  sourceOperator,
  WatermarkStrategy,
} from '@flink-ts/operators'
import type { Workload } from './workload.ts'

/** Number of a split: readers begin each at its first record. */
type Split = number

/** Hands out the splits of a workload one by one, to whoever asks. Runs below the real coordinator of sources. */
class SimulatedEnumerator implements SplitEnumerator<Split, readonly Split[]> {
  readonly #context: SplitEnumeratorContext<Split>
  readonly #left: Split[]

  constructor(context: SplitEnumeratorContext<Split>, left: readonly Split[]) {
    this.#context = context
    this.#left = [...left]
  }

  start(): void {}

  addReader(): void {}

  handleSplitRequest(subtaskIndex: number): void {
    const next = this.#left.shift()
    if (next === undefined) this.#context.signalNoMoreSplits(subtaskIndex)
    else this.#context.assignSplit(next, subtaskIndex)
  }

  addSplitsBack(splits: readonly Split[]): void {
    this.#left.unshift(...splits)
  }

  snapshotState(): readonly Split[] {
    return [...this.#left]
  }
}

/** The source operator whose coordinator the job host runs; its readers are simulated tasks. */
export function simulatedSource({ splits }: Workload): OperatorFactory {
  const source: Source<never, Split, readonly Split[]> = {
    boundedness: 'bounded',
    kind: 'simulated',
    createEnumerator: context =>
      new SimulatedEnumerator(
        context,
        Array.from({ length: splits }, (_, split) => split),
      ),
    restoreEnumerator: (context, left) => new SimulatedEnumerator(context, left),
    createReader: () => {
      throw new Error('simulated tasks read by themselves')
    },
  }
  return sourceOperator(source, WatermarkStrategy.noWatermarks())
}

/** What a reader and the coordinator say to each other: asks for one split at a time. Owner: a simulated task. */
export class SplitRequests {
  readonly #codec = createSourceCodec<Split>()
  readonly #tell: (event: Uint8Array) => void
  #requested = false
  #noMore = false

  constructor(tell: (event: Uint8Array) => void) {
    this.#tell = tell
  }

  /** All splits that there will be are with the reader. */
  get noMore(): boolean {
    return this.#noMore
  }

  /** Before all else. */
  register(): void {
    this.#send({ type: 'register' })
  }

  /** The reader has read what it has. */
  request(): void {
    if (this.#requested || this.#noMore) return
    this.#requested = true
    this.#send({ type: 'request' })
  }

  /** @returns splits that the reader gets */
  receive(bytes: Uint8Array): readonly Split[] {
    const event = this.#codec.decode<EnumeratorEvent<Split>>(bytes)
    if (event.type === 'no-more-splits') this.#noMore = true
    if (event.type !== 'splits') return []
    this.#requested = false
    return event.splits
  }

  #send(event: ReaderEvent): void {
    this.#tell(this.#codec.encode(event).slice())
  }
}
