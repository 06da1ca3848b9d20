import type { JobEdge } from '@flink-ts/jobgraph'
import type { ChannelEvent, ChannelWriter } from '@flink-ts/network'
import type { Push } from '@flink-ts/operators'
import type { Overdraft } from './overdraft.ts'

/** One outgoing edge of a task with its channels, in order of the consuming subtask. */
export interface EdgeOutput {
  readonly edge: JobEdge
  readonly writers: readonly ChannelWriter[]
  /** Chooses the channel and writes. */
  readonly push: Push
}

/** Overdraft from which on it is reported; then at each doubling. */
const NOTABLE_OVERDRAFT_BYTES = 16 * 1024 * 1024

/** All outgoing edges of a task. Owner: the task. */
export class TaskOutputs {
  readonly edges: readonly EdgeOutput[]
  readonly #writers: readonly ChannelWriter[]
  readonly #overdraft: Overdraft
  readonly #onOverdraft: (sizeBytes: number) => void
  #notableBytes = NOTABLE_OVERDRAFT_BYTES

  /** @param onOverdraft what was emitted beyond the room of the channels has become notably large */
  constructor(edges: readonly EdgeOutput[], overdraft: Overdraft, onOverdraft: (sizeBytes: number) => void) {
    this.edges = edges
    this.#overdraft = overdraft
    this.#onOverdraft = onOverdraft
    this.#writers = edges.flatMap(edge => edge.writers)
  }

  /** Room on every channel for at least one batch. */
  available(): boolean {
    for (const writer of this.#writers) if (!writer.available()) return false
    return true
  }

  event(event: ChannelEvent): void {
    // No barrier may follow a record that was lost.
    this.#overdraft.check()
    for (const writer of this.#writers) writer.event(event)
  }

  /** See {@link ChannelWriter.announce}. */
  announce(): void {
    for (const writer of this.#writers) writer.announce()
  }

  flush(): void {
    for (const writer of this.#writers) writer.flush()
  }

  /**
   * Moves what went beyond the rings into them, as far as there is room. True: nothing is left. Throws if something was
   * too much, caught by user code or not.
   */
  drainOverdraft(): boolean {
    this.#overdraft.check()
    let leftBytes = 0
    for (const writer of this.#writers) {
      if (writer.overdraftBytes === 0) continue
      writer.flush()
      leftBytes += writer.overdraftBytes
    }
    if (leftBytes >= this.#notableBytes) {
      this.#notableBytes = leftBytes * 2
      this.#onOverdraft(leftBytes)
    }
    return leftBytes === 0
  }

  get recordsOut(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.recordsOut, 0)
  }

  /** Of the fullest channel: 0 to 1. */
  get usage(): number {
    return this.#writers.reduce((most, writer) => Math.max(most, writer.usage), 0)
  }

  get bytesOut(): number {
    return this.#writers.reduce((sum, writer) => sum + writer.bytesOut, 0)
  }
}
