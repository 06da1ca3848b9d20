import type { Clock, Timer } from '@flink-ts/common'

/** What is to happen at a moment. */
interface Entry {
  readonly dueMs: number
  readonly order: number
  readonly action: () => void
}

/** Steps that one turn of the event loop takes: microtasks run between them, polling for I/O only after them. */
const STEPS_PER_TURN = 256
const EPOCH_MS = 1_700_000_000_000

/**
 * Time of a simulation: stands still while anything happens, jumps to the next event when all microtasks have run.
 * Events of the same moment happen in the order in which they were scheduled.
 */
export class VirtualTime {
  readonly #heap: Entry[] = []
  #nowMs = 0
  #order = 0
  #events = 0

  get nowMs(): number {
    return this.#nowMs
  }

  /** How much has happened. */
  get events(): number {
    return this.#events
  }

  after(delayMs: number, action: () => void): void {
    const entry = { dueMs: this.#nowMs + Math.max(0, delayMs), order: this.#order++, action }
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (isBefore(heap[parent]!, entry)) break
      heap[at] = heap[parent]!
      at = parent
    }
    heap[at] = entry
  }

  /**
   * Lets things happen until `done` says so, or `limitMs` is reached. @returns whether it is done. Rejects with what an
   * event throws.
   */
  run(done: () => boolean, limitMs: number): Promise<boolean> {
    const { promise, resolve, reject } = Promise.withResolvers<boolean>()
    let over = false
    const step = (): void => {
      if (over) return
      try {
        const isDone = done()
        if (!isDone && this.#heap.length > 0 && this.#heap[0]!.dueMs <= limitMs) {
          this.#next()
          return
        }
        over = true
        if (!isDone) this.#nowMs = Math.max(this.#nowMs, limitMs)
        resolve(isDone)
      } catch (error) {
        over = true
        reject(error)
      }
    }
    const turn = (): void => {
      if (over) return
      for (let i = 0; i < STEPS_PER_TURN; i++) setImmediate(step)
      setImmediate(turn)
    }
    turn()
    return promise
  }

  #next(): void {
    const heap = this.#heap
    const first = heap[0]!
    const last = heap.pop()!
    if (heap.length > 0) {
      let at = 0
      for (;;) {
        let child = 2 * at + 1
        if (child >= heap.length) break
        if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++
        if (isBefore(last, heap[child]!)) break
        heap[at] = heap[child]!
        at = child
      }
      heap[at] = last
    }
    this.#nowMs = Math.max(this.#nowMs, first.dueMs)
    this.#events++
    first.action()
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order)
}

/**
 * The clock of one simulated process: what is due while the process is frozen happens when it thaws, what is due after
 * its end never does.
 */
export class ProcessClock implements Clock {
  readonly #time: VirtualTime
  #state: 'running' | 'frozen' | 'ended' = 'running'
  #held: (() => void)[] = []
  #timers = 0

  constructor(time: VirtualTime) {
    this.#time = time
  }

  /** Timers that run, but for single ones that nothing depends on: what a process keeps for its connections and work. */
  get timers(): number {
    return this.#timers
  }

  get running(): boolean {
    return this.#state === 'running'
  }

  get ended(): boolean {
    return this.#state === 'ended'
  }

  now(): number {
    return EPOCH_MS + this.#time.nowMs
  }

  monotonicMs(): number {
    return this.#time.nowMs
  }

  schedule(delayMs: number, action: () => void, options?: { unref?: boolean }): Timer {
    const counts = options?.unref === true ? 0 : 1
    let open = true
    this.#timers += counts
    this.arrive(delayMs, () => {
      if (!open) return
      open = false
      this.#timers -= counts
      action()
    })
    return {
      cancel: () => {
        if (open) this.#timers -= counts
        open = false
      },
    }
  }

  scheduleEvery(periodMs: number, action: () => void): Timer {
    let open = true
    this.#timers++
    const next = (): void =>
      this.arrive(periodMs, () => {
        if (!open) return
        action()
        if (open) next()
      })
    next()
    return {
      cancel: () => {
        if (open) this.#timers--
        open = false
      },
    }
  }

  /** Something reaches the process from outside. */
  arrive(delayMs: number, action: () => void): void {
    this.#time.after(delayMs, () => {
      if (this.#state === 'running') action()
      else if (this.#state === 'frozen') this.#held.push(action)
    })
  }

  freeze(): void {
    if (this.#state === 'running') this.#state = 'frozen'
  }

  thaw(): void {
    if (this.#state !== 'frozen') return
    this.#state = 'running'
    for (const action of this.#held.splice(0)) this.arrive(0, action)
  }

  end(): void {
    this.#state = 'ended'
    this.#held = []
  }
}
