import type { CoordinatorContext, OperatorCoordinator } from '../contract/operator-coordinator.ts'
import { ReaderNotRegistered, SplitAfterNoMore } from '../errors.ts'
import { SourceAlignment, type WatermarkAlignment } from '../watermark/watermark-alignment.ts'
import type { Source } from './source.ts'
import { createSourceCodec, type EnumeratorEvent, type ReaderEvent } from './source-events.ts'
import { SplitAssignments } from './split-assignments.ts'
import type { SplitEnumerator, SplitEnumeratorContext } from './split-enumerator.ts'

/** Runs the enumerator of a source: carries messages, and remembers what to give back. Owner: the job's thread of the job host. */
export class SourceCoordinator<S, E> implements OperatorCoordinator {
  readonly #source: Source<unknown, S, E>
  readonly #context: CoordinatorContext
  readonly #restored: Uint8Array | undefined
  readonly #codec = createSourceCodec<S>()
  readonly #assignments: SplitAssignments<S>
  readonly #alignment: SourceAlignment | undefined
  /** What each registered reader was told. */
  readonly #readers = new Map<number, 'reading' | 'no-more-splits'>()
  readonly #timers = new Set<NodeJS.Timeout>()
  #enumerator: SplitEnumerator<S, E> | undefined
  #closed = false

  constructor(
    source: Source<unknown, S, E>,
    context: CoordinatorContext,
    restored: Uint8Array | undefined,
    alignment?: WatermarkAlignment,
  ) {
    this.#source = source
    this.#context = context
    this.#restored = restored
    this.#assignments = new SplitAssignments(context.restoredCheckpointId)
    this.#alignment = alignment === undefined ? undefined : new SourceAlignment(alignment, context)
  }

  async start(): Promise<void> {
    const context = this.#enumeratorContext()
    const enumerator =
      this.#restored === undefined
        ? await this.#source.createEnumerator?.(context)
        : await this.#source.restoreEnumerator?.(context, this.#codec.decodeState(this.#restored) as E)
    this.#enumerator = enumerator
    await enumerator?.start()
  }

  handleEvent(subtaskIndex: number, bytes: Uint8Array): void {
    const event = this.#codec.decode<ReaderEvent>(bytes)
    switch (event.type) {
      case 'register':
        this.#readers.set(subtaskIndex, 'reading')
        this.#enumerator?.addReader(subtaskIndex)
        break
      case 'request':
        this.#enumerator?.handleSplitRequest(subtaskIndex)
        break
      case 'watermark': {
        const limit = this.#alignment?.report(subtaskIndex, event.watermark)
        if (limit !== undefined) this.#send(subtaskIndex, { type: 'alignment', limit })
        break
      }
      case 'custom':
        this.#enumerator?.handleSourceEvent?.(subtaskIndex, event.event)
        break
    }
  }

  subtaskReset(subtaskIndex: number, checkpointId: number | undefined): void {
    this.#readers.delete(subtaskIndex)
    this.#alignment?.forget(subtaskIndex)
    const back = this.#assignments.takeBack(subtaskIndex, checkpointId)
    if (back.length > 0) this.#enumerator?.addSplitsBack(back, subtaskIndex)
  }

  snapshot(checkpointId: number): Uint8Array {
    const state = this.#codec.encodeState(this.#enumerator?.snapshotState(checkpointId))
    this.#assignments.snapshotTaken(checkpointId)
    return state
  }

  notifyCheckpointComplete(checkpointId: number): void | Promise<void> {
    this.#assignments.completed(checkpointId)
    return this.#enumerator?.notifyCheckpointComplete?.(checkpointId)
  }

  notifyCheckpointAborted(checkpointId: number): void | Promise<void> {
    return this.#enumerator?.notifyCheckpointAborted?.(checkpointId)
  }

  close(): void | Promise<void> {
    this.#closed = true
    this.#alignment?.close()
    for (const timer of this.#timers) clearTimeout(timer)
    return this.#enumerator?.close?.()
  }

  #enumeratorContext(): SplitEnumeratorContext<S> {
    const { parallelism, logger, operatorName } = this.#context
    const assignSplits = (splits: readonly S[], subtaskIndex: number): void => {
      const told = this.#readers.get(subtaskIndex)
      if (told === undefined) {
        const registered = [...this.#readers.keys()]
        throw ReaderNotRegistered({ source: operatorName, subtaskIndex, registered })
      }
      if (told === 'no-more-splits') throw SplitAfterNoMore({ source: operatorName, subtaskIndex })
      if (splits.length === 0) return
      this.#assignments.assigned(subtaskIndex, splits)
      this.#send(subtaskIndex, { type: 'splits', splits })
    }
    return {
      currentParallelism: parallelism,
      logger,
      registeredReaders: () => [...this.#readers.keys()],
      assignSplits,
      assignSplit: (split, subtaskIndex) => assignSplits([split], subtaskIndex),
      signalNoMoreSplits: subtaskIndex => {
        if (this.#readers.get(subtaskIndex) !== 'reading') return
        this.#readers.set(subtaskIndex, 'no-more-splits')
        this.#send(subtaskIndex, { type: 'no-more-splits' })
      },
      sendSourceEvent: (subtaskIndex, event) => this.#send(subtaskIndex, { type: 'custom', event }),
      callAsync: (work, handler, options = {}) => {
        const { initialDelayMs = 0, periodMs, onError = error => this.#context.fail(error) } = options
        const run = async (): Promise<void> => {
          const [done] = await Promise.allSettled([work()])
          if (this.#closed) return
          if (done.status === 'fulfilled') handler(done.value)
          else onError(done.reason)
          if (periodMs !== undefined) this.#after(periodMs, run)
        }
        // What `handler` and `onError` throw is a failure of the job.
        if (initialDelayMs > 0) this.#after(initialDelayMs, run)
        else run().catch((error: unknown) => this.#context.fail(error))
      },
    }
  }

  #after(delayMs: number, run: () => Promise<void>): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      run().catch((error: unknown) => this.#context.fail(error))
    }, delayMs)
    this.#timers.add(timer)
  }

  #send(subtaskIndex: number, event: EnumeratorEvent<S>): void {
    this.#context.sendEvent(subtaskIndex, this.#codec.encode(event))
  }
}
