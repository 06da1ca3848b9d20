const LETTERS = 'abcdefghijklmnopqrstuvwxyz'
/** Texts are cut out of one: half of the time of a generator would be to make each letter by itself. */
const POOL_LENGTH = 1 << 16

/** Repeatable randomness: the mulberry32 generator, 32 bits of state. */
export class SeededNumbers {
  #state: number
  readonly #pool: string

  constructor(seed: number) {
    this.#state = seed | 0
    const letters = Array.from({ length: POOL_LENGTH }, () => {
      const n = this.below(LETTERS.length + 1)
      return n === LETTERS.length ? ' ' : (LETTERS[n] as string)
    })
    this.#pool = letters.join('')
  }

  /** A whole number from 0 to `bound - 1`. */
  below(bound: number): number {
    return Math.floor(this.fraction() * bound)
  }

  /** From 0 to below 1. */
  fraction(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  of<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)] as T
  }

  /** Cents from 100 to 10^8, each order of magnitude as likely as the others. */
  price(): number {
    return Math.round(10 ** (this.fraction() * 6) * 100)
  }

  /** Letters and spaces, from `shortest` to `longest` of them. */
  text(shortest: number, longest: number): string {
    const length = shortest + this.below(longest - shortest + 1)
    const from = this.below(POOL_LENGTH - length)
    return this.#pool.slice(from, from + length)
  }
}
