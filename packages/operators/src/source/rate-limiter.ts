import { InvalidArgument } from '../errors.ts'

/** Says how many records a reader may emit now. One for each reader; owner: the reader. */
export interface RateLimiter {
  /** The reader begins. */
  start?(): void
  /** How many of `wanted` records may go now, and noted as gone; 0: none. */
  take(wanted: number): number
  /** When `take` may give more, in milliseconds from now; undefined: not by itself, but after a checkpoint. */
  delayMs(): number | undefined
  notifyCheckpointComplete?(checkpointId: number): void
}

/**
 * How fast a source may go. The limit is for all subtasks together.
 * @example new DataGeneratorSource({ generator: i => i, rate: RateLimiterStrategy.perSecond(100) })
 */
export class RateLimiterStrategy {
  readonly #create: (parallelism: number, subtaskIndex: number) => RateLimiter

  private constructor(create: (parallelism: number, subtaskIndex: number) => RateLimiter) {
    this.#create = create
  }

  /** @throws operators.invalid-argument unless the rate is positive */
  static perSecond(recordsPerSecond: number): RateLimiterStrategy {
    requirePositive('RateLimiterStrategy.perSecond', recordsPerSecond)
    return new RateLimiterStrategy(parallelism => new PerSecond(recordsPerSecond / parallelism))
  }

  /**
   * So many records, then none until the next checkpoint is complete: for tests of what checkpoints hold. Needs
   * checkpointing, or nothing follows the first ones.
   * @throws operators.invalid-argument unless it is a whole number from 1
   */
  static perCheckpoint(recordsPerCheckpoint: number): RateLimiterStrategy {
    requirePositive('RateLimiterStrategy.perCheckpoint', recordsPerCheckpoint)
    if (!Number.isSafeInteger(recordsPerCheckpoint)) {
      const value = String(recordsPerCheckpoint)
      throw InvalidArgument({ what: 'RateLimiterStrategy.perCheckpoint', value, expected: 'a whole number' })
    }
    return new RateLimiterStrategy((parallelism, subtaskIndex) => {
      const rest = subtaskIndex < recordsPerCheckpoint % parallelism ? 1 : 0
      return new PerCheckpoint(Math.floor(recordsPerCheckpoint / parallelism) + rest)
    })
  }

  static noLimit(): RateLimiterStrategy {
    return new RateLimiterStrategy(() => ({ take: wanted => wanted, delayMs: () => 0 }))
  }

  createRateLimiter(context: { readonly parallelism: number; readonly subtaskIndex: number }): RateLimiter {
    return this.#create(context.parallelism, context.subtaskIndex)
  }
}

function requirePositive(what: string, value: number): void {
  if (value > 0 && value < Infinity) return
  throw InvalidArgument({ what, value: String(value), expected: 'a positive number' })
}

/** Records are spread evenly; what was not used, because nobody wanted it, can be made up for. */
class PerSecond implements RateLimiter {
  readonly #perSecond: number
  #startedAtMs = 0
  #taken = 0

  constructor(perSecond: number) {
    this.#perSecond = perSecond
  }

  start(): void {
    this.#startedAtMs = performance.now()
  }

  take(wanted: number): number {
    const elapsedMs = performance.now() - this.#startedAtMs
    const allowed = Math.min(wanted, Math.floor((elapsedMs * this.#perSecond) / 1000) - this.#taken)
    if (allowed <= 0) return 0
    this.#taken += allowed
    return allowed
  }

  delayMs(): number {
    const elapsedMs = performance.now() - this.#startedAtMs
    return ((this.#taken + 1) * 1000) / this.#perSecond - elapsedMs
  }
}

class PerCheckpoint implements RateLimiter {
  readonly #perCheckpoint: number
  #left: number

  constructor(perCheckpoint: number) {
    this.#perCheckpoint = perCheckpoint
    this.#left = perCheckpoint
  }

  take(wanted: number): number {
    const allowed = Math.min(wanted, this.#left)
    this.#left -= allowed
    return allowed
  }

  delayMs(): undefined {
    return undefined
  }

  notifyCheckpointComplete(): void {
    this.#left = this.#perCheckpoint
  }
}
