/** A number that functions count up and down. */
export interface MetricCounter {
  inc(by?: number): void
  dec(by?: number): void
  getCount(): number
}

/** A value that is read when somebody looks at it. */
export interface Gauge {
  getValue(): number | string
}

/** How often something happens in a second. */
export interface Meter {
  markEvent(events?: number): void
  getRate(): number
  getCount(): number
}

/** How numbers are distributed. */
export interface MetricHistogram {
  update(value: number): void
  getCount(): number
  getStatistics(): HistogramStatistics
}

/** Of the numbers that a histogram has; NaN if there are none. */
export interface HistogramStatistics {
  readonly min: number
  readonly max: number
  readonly mean: number
  readonly stddev: number
  /** @param part 0 to 1: 0.5 for the median */
  quantile(part: number): number
}

/** Counts. */
export class SimpleCounter implements MetricCounter {
  #count = 0

  inc(by = 1): void {
    this.#count += by
  }

  dec(by = 1): void {
    this.#count -= by
  }

  getCount(): number {
    return this.#count
  }
}

/** Seconds that a meter looks back, and how many of them one cell of its ring stands for. */
const WINDOW_SECONDS = 60
const CELL_SECONDS = 5
const CELLS = WINDOW_SECONDS / CELL_SECONDS

/** Events in each second, over the last minute, or over the time since it was made if that is shorter. */
export class MeterView implements Meter {
  readonly #now: () => number
  readonly #madeAt: number
  /** Events of the latest cells; the one of second `s` is at `s / CELL_SECONDS % CELLS`. */
  readonly #events = new Float64Array(CELLS)
  #cell: number
  #count = 0

  /** @param dependencies `processingTime`: milliseconds since the epoch; the machine's if absent */
  constructor(dependencies: { readonly processingTime: () => number } = { processingTime: Date.now }) {
    this.#now = dependencies.processingTime
    this.#madeAt = this.#now()
    this.#cell = cellOf(this.#madeAt)
  }

  markEvent(events = 1): void {
    this.#turn()
    const index = this.#cell % CELLS
    this.#events[index] = (this.#events[index] as number) + events
    this.#count += events
  }

  getRate(): number {
    const nowMs = this.#turn()
    const seconds = Math.min(WINDOW_SECONDS, Math.max(1, (nowMs - this.#madeAt) / 1000))
    return this.#events.reduce((sum, events) => sum + events, 0) / seconds
  }

  getCount(): number {
    return this.#count
  }

  /** Empties the cells that a minute has passed over. */
  #turn(): number {
    const nowMs = this.#now()
    const cell = cellOf(nowMs)
    for (let passed = Math.max(this.#cell + 1, cell - CELLS + 1); passed <= cell; passed++)
      this.#events[passed % CELLS] = 0
    // A clock that was set back adds to the cell it was in.
    this.#cell = Math.max(this.#cell, cell)
    return nowMs
  }
}

function cellOf(timeMs: number): number {
  return Math.floor(timeMs / 1000 / CELL_SECONDS)
}

/** Keeps the latest numbers. */
export class DescriptiveStatisticsHistogram implements MetricHistogram {
  readonly #values: Float64Array
  #count = 0

  /** @param windowSize how many numbers it keeps */
  constructor(windowSize = 1000) {
    this.#values = new Float64Array(windowSize)
  }

  update(value: number): void {
    this.#values[this.#count % this.#values.length] = value
    this.#count++
  }

  getCount(): number {
    return this.#count
  }

  getStatistics(): HistogramStatistics {
    const sorted = this.#values.slice(0, this.#count).sort()
    const { length } = sorted
    const mean = sorted.reduce((sum, value) => sum + value, 0) / length
    const squares = sorted.reduce((sum, value) => sum + (value - mean) ** 2, 0)
    return {
      min: sorted[0] ?? Number.NaN,
      max: sorted.at(-1) ?? Number.NaN,
      mean,
      stddev: length === 0 ? Number.NaN : Math.sqrt(squares / Math.max(1, length - 1)),
      quantile: part => sorted[Math.max(0, Math.ceil(part * length) - 1)] ?? Number.NaN,
    }
  }
}
