/** What windows add up. */
export interface Measurement {
  readonly key: number | string
  readonly value: number
  /** Milliseconds. */
  readonly time: number
}

export interface Sum {
  count: number
  sum: number
}

export const WINDOW_MS = 10_000
export const SLIDE_MS = 2_000
/** So that a window has two million records. */
export const RECORDS_PER_MS = 200
/** Of timers: so that a million are live. */
export const DELAY_MS = 5_000
export const KEYS = 100_000

/** Keys are flat strings, the same instance for each occurrence, or numbers. */
export function measurements(kind: string): (index: number) => Measurement {
  const names = Array.from({ length: KEYS }, (_, i) => Buffer.from(`user-${i}`).toString('latin1'))
  const keyOf = (number: number): number => number % KEYS
  return index => {
    // The index mixed, so that neighbours have different keys.
    const mixed = Math.imul(index ^ (index >>> 15), 0x2c1b3c6d) >>> 4
    const number = keyOf(mixed)
    return {
      key: kind === 'string' ? (names[number] as string) : number,
      value: mixed & 255,
      time: Math.floor(index / RECORDS_PER_MS),
    }
  }
}
