import type { Clock, Logger, Timer } from '@flink-ts/common'
import type { SlotThread } from './slot-thread.ts'

/** How often the memory of a running slot is looked at. */
const POLL_MS = 200
/** What is in use when a slot is ended: before V8 gives up, which may take the whole process along. */
const THRESHOLD = 0.9
/** From here on the thread is asked for its largest states: later it may be too busy to answer. */
const NOTABLE = 0.5

/** Looks at the memory of one slot thread until it is stopped. Owner: the slot. */
export class SlotMemoryWatch {
  readonly #limitBytes: number
  readonly #thread: SlotThread
  readonly #logger: Logger
  readonly #exceeded: (usedBytes: number) => void
  readonly #timer: Timer
  #asked = false
  #largestStates: readonly string[] = []

  /** @param dependencies `exceeded`: the thread uses more than it may; called at each look until stopped */
  constructor(
    options: { readonly limitBytes: number },
    dependencies: {
      readonly thread: SlotThread
      readonly clock: Clock
      readonly logger: Logger
      readonly exceeded: (usedBytes: number) => void
    },
  ) {
    this.#limitBytes = options.limitBytes
    this.#thread = dependencies.thread
    this.#logger = dependencies.logger
    this.#exceeded = dependencies.exceeded
    // `look` never rejects.
    this.#timer = dependencies.clock.scheduleEvery(POLL_MS, () => void this.#look(), { unref: true })
  }

  /** As the thread told last; empty: it had none, or was not asked. */
  get largestStates(): readonly string[] {
    return this.#largestStates
  }

  /** The thread's answer to `describe-states`. */
  described(largestStates: readonly string[]): void {
    this.#largestStates = largestStates
  }

  stop(): void {
    this.#timer.cancel()
  }

  async #look(): Promise<void> {
    // A thread that does not answer, in a long call out of JavaScript, is asked no second time meanwhile.
    if (this.#asked) return
    this.#asked = true
    try {
      const usedBytes = await this.#thread.usedMemoryBytes()
      if (usedBytes === undefined) return
      if (usedBytes >= this.#limitBytes * THRESHOLD) this.#exceeded(usedBytes)
      else if (usedBytes >= this.#limitBytes * NOTABLE) this.#thread.post({ type: 'describe-states' })
    } catch (error) {
      this.#logger.warn({ error }, 'memory of the slot thread could not be read')
    } finally {
      this.#asked = false
    }
  }
}
