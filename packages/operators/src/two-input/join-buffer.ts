import type { Key, StateTable } from '@flink-ts/state'

/** Records of one key and side, ordered by event time; those before `from` are gone. Stored as it is. */
export interface BufferedRecords {
  times: number[]
  values: unknown[]
  from: number
}

/** Below this many places that are gone, they are not worth closing up. */
const COMPACT_ABOVE = 32

/** The records of one side of an interval join that may still find partners. Owner: the operator's slot thread. */
export class JoinBuffer {
  readonly #table: StateTable<BufferedRecords>

  constructor(table: StateTable<BufferedRecords>) {
    this.#table = table
  }

  /** Records of equal time stay in order of arrival. */
  add(key: Key, time: number, value: unknown): void {
    const entry = this.#table.find(key)
    if (entry === undefined) {
      this.#table.insert(key, { times: [time], values: [value], from: 0 })
      return
    }
    const { times, values } = entry.value
    const at = firstAfter(entry.value, time)
    if (at === times.length) {
      times.push(time)
      values.push(value)
    } else {
      times.splice(at, 0, time)
      values.splice(at, 0, value)
    }
  }

  /** The buffer of a key, or undefined. Not to be changed; valid until the next call. */
  of(key: Key): BufferedRecords | undefined {
    return this.#table.find(key)?.value
  }

  /** Drops the records up to `time`, and the key with its last one. */
  removeUpTo(key: Key, time: number): void {
    const entry = this.#table.find(key)
    if (entry === undefined) return
    const buffer = entry.value
    const { times, values } = buffer
    const from = firstAfter(buffer, time)
    if (from === times.length) {
      this.#table.remove(key)
      return
    }
    values.fill(undefined, buffer.from, from)
    buffer.from = from
    if (from < COMPACT_ABOVE || from * 2 < times.length) return
    times.splice(0, from)
    values.splice(0, from)
    buffer.from = 0
  }
}

/** Position of the first record later than `time`. */
export function firstAfter(buffer: BufferedRecords, time: number): number {
  const { times } = buffer
  let low = buffer.from
  let high = times.length
  // Mostly in order: the end is looked at first.
  if (high > low && (times[high - 1] as number) <= time) return high
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((times[middle] as number) <= time) low = middle + 1
    else high = middle
  }
  return low
}
