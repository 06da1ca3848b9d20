import { MAX_WATERMARK, MIN_WATERMARK } from '@flink-ts/operators'

/**
 * Event time of one input from the watermarks of its channels: the lowest over all channels that are active and not
 * behind. A channel that comes back from idleness with an old watermark does not count until it has caught up.
 * Owner: the task.
 */
export class WatermarkValve {
  /** Highest watermark so far; never falls. */
  output = MIN_WATERMARK
  /** All channels are idle. */
  idle = false
  readonly #watermarks: number[]
  readonly #idle: boolean[]
  readonly #aligned: boolean[]

  constructor(channels: number) {
    this.#watermarks = new Array<number>(channels).fill(MIN_WATERMARK)
    this.#idle = new Array<boolean>(channels).fill(false)
    this.#aligned = new Array<boolean>(channels).fill(true)
  }

  /** A watermark on an idle channel, or one lower than its last, is ignored. */
  onWatermark(channel: number, watermark: number): void {
    if (this.#idle[channel] === true || watermark <= (this.#watermarks[channel] as number)) return
    this.#watermarks[channel] = watermark
    if (watermark >= this.output) this.#aligned[channel] = true
    this.#raiseToMinimum()
  }

  onIdle(channel: number): void {
    if (this.#idle[channel] === true) return
    this.#idle[channel] = true
    this.#aligned[channel] = false
    if (!this.#idle.includes(false)) {
      // The last active channel held time back: nothing does any more, so the furthest of all counts.
      if (this.#watermarks[channel] === this.output) {
        this.output = Math.max(this.output, ...this.#watermarks)
      }
      this.idle = true
    } else {
      this.#raiseToMinimum()
    }
  }

  onActive(channel: number): void {
    if (this.#idle[channel] !== true) return
    this.#idle[channel] = false
    this.#aligned[channel] = (this.#watermarks[channel] as number) >= this.output
    this.idle = false
  }

  /** No more records on this channel: it never holds back time again. */
  onEnded(channel: number): void {
    this.onActive(channel)
    this.onWatermark(channel, MAX_WATERMARK)
  }

  /** The furthest watermark of its channels. */
  get furthest(): number {
    return Math.max(MIN_WATERMARK, ...this.#watermarks)
  }

  /** Whether it would rise if this channel alone were further. */
  isHeldBy(channel: number): boolean {
    return this.#aligned[channel] === true && (this.#watermarks[channel] as number) <= this.output
  }

  #raiseToMinimum(): void {
    let minimum = Number.POSITIVE_INFINITY
    for (let i = 0; i < this.#watermarks.length; i++) {
      if (this.#aligned[i] === true) minimum = Math.min(minimum, this.#watermarks[i] as number)
    }
    if (minimum !== Number.POSITIVE_INFINITY && minimum > this.output) this.output = minimum
  }
}

/** Event time of an operator with one or two inputs: the lowest over the inputs that are not idle. */
export class CombinedEventTime {
  output = MIN_WATERMARK
  idle = false
  readonly inputs: readonly WatermarkValve[]

  constructor(inputs: readonly WatermarkValve[]) {
    this.inputs = inputs
  }

  /** Looks at the inputs again. Never lowers `output`. */
  update(): void {
    let minimum = Number.POSITIVE_INFINITY
    let maximum = MIN_WATERMARK
    this.idle = true
    for (const input of this.inputs) {
      maximum = Math.max(maximum, input.output)
      if (input.idle) continue
      this.idle = false
      minimum = Math.min(minimum, input.output)
    }
    const reached = this.idle ? maximum : minimum
    if (reached > this.output) this.output = reached
  }
}
