import type { OperatorContext, OperatorFactory, Push, StreamOperator } from '../contract/stream-operator.ts'
import type { BroadcastSetMessage } from './broadcast-set-operator.ts'

interface EarlyRecord {
  readonly value: unknown
  readonly timestamp: number
}

/** Between two looks at outputs that are full. */
const RETRY_MS = 1

/**
 * An operator of one input that waits for its broadcast sets, which come by the second input. It is opened when all of
 * them are whole. Records of its own that come before are kept in memory. BATCH mode only: nothing of it is in
 * snapshots, and no watermark comes before the last one.
 */
export function withBroadcastSets(factory: OperatorFactory, names: readonly string[]): OperatorFactory {
  return { ...factory, create: context => new AwaitingSets(context, factory, names).operator() }
}

/** One instance. Owner: the slot thread. */
class AwaitingSets {
  readonly #context: OperatorContext
  readonly #inner: StreamOperator
  readonly #sets: ReadonlyMap<string, unknown[]>
  #missing: number
  /** Came before the sets were whole. */
  #early: EarlyRecord[] = []
  #next = 0
  /** The inner operator is open and has got all that came before. */
  #ready = false
  /** As the inner operator wants it. */
  #available = true
  #opening: Promise<void> | undefined
  #closed = false
  #endedInputs = 0

  constructor(context: OperatorContext, factory: OperatorFactory, names: readonly string[]) {
    this.#context = context
    this.#sets = new Map(names.map(name => [name, []]))
    this.#missing = names.length
    // Not a copy: some of what the context has is an error to ask for.
    const own: OperatorContext = Object.create(context, {
      broadcastSets: { value: this.#sets },
      setAvailable: {
        value: (available: boolean) => {
          this.#available = available
          if (this.#ready) context.setAvailable(available)
        },
      },
    })
    this.#inner = factory.create(own)
  }

  operator(): StreamOperator {
    const inner = this.#inner
    const context = this.#context
    const processElement = context.generate<Push>(
      ['push', 'isReady', 'keep'],
      `let ready = false
return value => {
  if (ready || (ready = isReady())) push(value)
  else keep(value)
}`,
      [inner.processElement, () => this.#ready, (value: unknown) => this.#keep(value)],
    )
    return {
      processElement,
      processElement2: message => this.#receive(message as BroadcastSetMessage),
      advanceWatermark: watermark => this.#ready && (inner.advanceWatermark?.(watermark) ?? true),
      ...(inner.forwardWatermark !== undefined && {
        forwardWatermark: watermark => inner.forwardWatermark?.(watermark),
      }),
      endInput: () => {
        this.#endedInputs++
        return this.#endedInputs === 2 ? inner.endInput?.(0) : undefined
      },
      finish: () => inner.finish?.(),
      cancel: () => inner.cancel?.(),
      close: async () => {
        this.#closed = true
        await this.#opening
        await inner.close?.()
      },
    }
  }

  #keep(value: unknown): void {
    this.#early.push({ value, timestamp: this.#context.timestamp[0] as number })
  }

  #receive({ set, end, value }: BroadcastSetMessage): void {
    if (!end) {
      this.#sets.get(set)?.push(value)
      return
    }
    this.#missing--
    if (this.#missing > 0) return
    this.#context.setAvailable(false)
    this.#opening = this.#open()
  }

  /** Never rejects: what fails, fails the task. */
  async #open(): Promise<void> {
    try {
      await this.#inner.open?.()
      if (!this.#closed) this.#context.execute(() => this.#processEarly())
    } catch (error) {
      if (!this.#closed) this.#context.fail(error)
    }
  }

  /** Runs between records; again as long as something is left. */
  #processEarly(): void {
    if (this.#closed) return
    const { timestamp: register } = this.#context
    const before = register[0] as number
    try {
      while (this.#next < this.#early.length) {
        if (!this.#available || this.#context.shouldYield()) {
          const soon = this.#context.processingTime() + RETRY_MS
          this.#context.scheduleProcessingTime(soon, () => this.#processEarly())
          return
        }
        const { value, timestamp } = this.#early[this.#next++] as EarlyRecord
        register[0] = timestamp
        this.#inner.processElement?.(value)
      }
    } finally {
      register[0] = before
    }
    this.#early = []
    this.#ready = true
    this.#context.setAvailable(this.#available)
    // The last watermark may have waited for this.
    this.#context.wake()
  }
}
