import { isFlinkError } from '@flink-ts/common'
import type { OperatorContext, Push } from '../contract/stream-operator.ts'
import { failureAtRecord, rejectPromise } from '../functions/user-function-failure.ts'
import type { Sink, SinkWriter } from './sink.ts'

/** The writer of one subtask with its state. Owner: the operator. */
export class SinkWriting<T> {
  readonly processElement: Push
  readonly #context: OperatorContext
  readonly #sink: Sink<T, unknown, unknown>
  readonly #state
  /** The writer is known only after `open`: the slot of the generated code is filled then. */
  readonly #slot: { writer: SinkWriter<T, unknown, unknown> | undefined } = { writer: undefined }
  #inputEnded = false

  constructor(context: OperatorContext, sink: Sink<T, unknown, unknown>) {
    this.#context = context
    this.#sink = sink
    this.#state = context.operatorState.listState<unknown>('SinkWriterState')
    const writeFailed = failureAtRecord(context, 'the sink writer')
    this.processElement = context.generate<Push>(
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
        this.#slot,
        context.timestamp,
        // Sinks know their own failures: whose fault it is and whether to try again.
        (error: unknown, record: unknown) => (isFlinkError(error) ? error : writeFailed(error, record)),
        rejectPromise(context, 'write of the sink'),
      ],
    )
  }

  async open(): Promise<void> {
    const context = this.#context
    this.#slot.writer = await this.#sink.createWriter(
      {
        jobId: context.jobId,
        subtaskIndex: context.subtaskIndex,
        parallelism: context.parallelism,
        attemptNumber: context.attemptNumber,
        restoredCheckpointId: context.restoredCheckpointId,
        files: context.files,
        setAvailable: available => context.setAvailable(available),
        fail: error => context.fail(error),
        logger: context.logger,
      },
      this.#state.get(),
    )
  }

  /** What is to be committed of everything that was written. */
  async prepare(): Promise<readonly unknown[]> {
    if (!this.#inputEnded) await this.#writer.flush(false)
    return (await this.#writer.prepareCommit?.()) ?? []
  }

  async snapshotState(checkpointId: number): Promise<void> {
    this.#state.update([...((await this.#writer.snapshotState?.(checkpointId)) ?? [])])
  }

  async endInput(): Promise<void> {
    this.#inputEnded = true
    await this.#writer.flush(true)
  }

  cancel(): void {
    this.#slot.writer?.cancel?.()
  }

  async close(): Promise<void> {
    await this.#slot.writer?.close?.()
  }

  get #writer(): SinkWriter<T, unknown, unknown> {
    const { writer } = this.#slot
    if (writer === undefined)
      throw new Error(`Sink operator '${this.#context.operatorName}' is used before it is open`)
    return writer
  }
}
