import { MAX_WATERMARK, MIN_WATERMARK, type OperatorContext } from '../contract/stream-operator.ts'

/** Of one subtask. */
interface StoredWatermark {
  readonly watermark: number
  readonly idle: boolean
}

/**
 * The watermarks of an operator that makes them, as part of its snapshots: after a restore event time goes on from where
 * it was, so that what was late stays late, and windows that have fired do not begin anew. (In Flink it begins anew.)
 * Owner: one operator instance.
 */
export class StoredWatermarks {
  readonly #context: OperatorContext
  #watermark = MIN_WATERMARK
  #idle = false

  constructor(context: OperatorContext) {
    this.#context = context
  }

  /** The highest that went on. */
  get watermark(): number {
    return this.#watermark
  }

  get idle(): boolean {
    return this.#idle
  }

  /** Sends a watermark on. */
  emit(watermark: number): void {
    if (watermark > this.#watermark) this.#watermark = watermark
    this.#idle = false
    this.#context.emitWatermark(watermark)
  }

  /** Says that the stream does not hold back event time. */
  markIdle(): void {
    if (this.#idle) return
    this.#idle = true
    this.#context.emitIdle()
  }

  /** A record or watermark came. */
  markActive(): void {
    if (!this.#idle) return
    this.#idle = false
    // Lower ones are ignored, but say that somebody is there.
    this.#context.emitWatermark(this.#watermark)
  }

  /** Sends the lowest of the restored watermarks, before the first record: subtasks may be others than before. */
  restore(): void {
    const stored = this.#list().get()
    const active = stored.filter(({ watermark, idle }) => !idle && watermark < MAX_WATERMARK)
    const restored =
      active.length > 0
        ? Math.min(...active.map(({ watermark }) => watermark))
        : Math.max(MIN_WATERMARK, ...stored.map(({ watermark }) => watermark))
    if (restored <= MIN_WATERMARK || restored >= MAX_WATERMARK) return
    this.#watermark = restored
    this.#context.execute(() => this.#context.emitWatermark(restored))
  }

  snapshot(): void {
    this.#list().update([{ watermark: this.#watermark, idle: this.#idle }])
  }

  #list() {
    return this.#context.operatorState.listState<StoredWatermark>('watermark', 'union')
  }
}
