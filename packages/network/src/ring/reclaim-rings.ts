import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { Clock } from '@flink-ts/common'

/** How much memory of released rings may wait for a collection in each thread that held them. */
const MOST_WAITING_BYTES = 64 * 2 ** 20
/** By then the other threads have let go, too: what was sent last is drained, slot threads have ended. */
const DELAY_MS = 1000

/**
 * Has V8 collect garbage in this thread after enough rings were let go. Shared memory is freed when no thread holds it
 * any more, but V8 does not count it as pressure on a heap: a thread whose own heap hardly grows, such as the network
 * thread, would keep the rings of hundreds of ended tasks. Owner: one for each such thread.
 */
export class RingReclaimer {
  readonly #clock: Clock
  readonly #collect: () => void
  #waitingBytes = 0
  #planned = false

  /** @param collect collects all garbage of this thread */
  constructor(dependencies: { clock: Clock; collect?: () => void }) {
    this.#clock = dependencies.clock
    this.#collect = dependencies.collect ?? collectGarbage
  }

  /** The caller has let go, or is about to, of rings of this size in all. */
  released(sizeBytes: number): void {
    this.#waitingBytes += sizeBytes
    if (this.#planned || this.#waitingBytes < MOST_WAITING_BYTES) return
    this.#planned = true
    const collect = (): void => {
      this.#planned = false
      this.#waitingBytes = 0
      this.#collect()
    }
    this.#clock.schedule(DELAY_MS, collect, { unref: true })
  }
}

let exposed: (() => void) | undefined

function collectGarbage(): void {
  exposed ??= findCollector()
  // Without it this time: the next rings that are released have it tried again.
  exposed?.()
}

/** Tries that are enough: another thread is between these few instructions for microseconds. */
const TRIES = 100

/** V8's own collection of this thread's garbage. Undefined: other threads were in the way all the time. */
export function findCollector(): (() => void) | undefined {
  for (let i = 0; i < TRIES; i++) {
    // The flag counts for contexts made while it is set: those of user code shall not see `gc`. It is that of the whole
    // process: a thread that does the same at this moment may have taken it back before the context is made.
    setFlagsFromString('--expose-gc')
    const found = runInNewContext('globalThis.gc') as (() => void) | undefined
    setFlagsFromString('--no-expose-gc')
    if (found !== undefined) return found
  }
  return undefined
}
