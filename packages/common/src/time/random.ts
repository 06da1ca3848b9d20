import { randomBytes } from 'node:crypto'

/** Randomness as a parameter (DESIGN 9). */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number
  bytes(count: number): Buffer
}

// Taken when this module is loaded: while a program is planned, both are replaced by repeatable ones for main, from
// which ids of jobs must not come.
const systemRandom = Math.random
const systemRandomBytes = randomBytes

/** The machine's randomness. */
export class SystemRandom implements Random {
  next(): number {
    return systemRandom()
  }

  bytes(count: number): Buffer {
    return systemRandomBytes(count)
  }
}

/** Repeatable randomness: the mulberry32 generator (32 bits of state; not for secrets). */
export class SeededRandom implements Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed | 0
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }

  bytes(count: number): Buffer {
    const bytes = Buffer.alloc(count)
    for (let i = 0; i < count; i++) bytes[i] = Math.floor(this.next() * 256)
    return bytes
  }
}
