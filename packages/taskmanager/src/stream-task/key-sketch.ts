import { inspect } from 'node:util'
import type { KeyCount } from '@flink-ts/gateways'
import { canonicalKey, keyGroupOf } from '@flink-ts/serialization'

interface Counter {
  readonly key: unknown
  readonly keyGroup: number
  count: number
}

/** Keys that are counted at the same time. */
const MOST_KEYS = 500
/** After so many, only every second record is counted, and so on: looking must not cost more than the work. */
const SAMPLES_OF_A_STRIDE = 20_000
const MOST_KEY_LENGTH = 200

/**
 * How records are spread over keys and key groups, in little memory: the keys that come most often are certain to be
 * found (Metwally et al., Space-Saving); rare ones may be told too often. Owner: the task.
 */
export class KeySketch {
  readonly #maxParallelism: number
  readonly #groups = new Map<number, number>()
  readonly #keys = new Map<unknown, Counter>()
  #samples = 0
  #stride = 1
  #skip = 0

  constructor(options: { readonly maxParallelism: number }) {
    this.#maxParallelism = options.maxParallelism
  }

  /** Throws what `keyOf` throws. */
  add(record: unknown, keyOf: (record: never) => unknown): void {
    if (this.#skip > 0) {
      this.#skip--
      return
    }
    const key = keyOf(record as never)
    const keyGroup = keyGroupOf(key, this.#maxParallelism)
    const weight = this.#stride
    this.#groups.set(keyGroup, (this.#groups.get(keyGroup) ?? 0) + weight)
    this.#count(key, keyGroup, weight)
    if (++this.#samples % SAMPLES_OF_A_STRIDE === 0) this.#stride *= 2
    this.#skip = this.#stride - 1
  }

  /** The most frequent keys, the first of them first. */
  most(limit: number): readonly KeyCount[] {
    return [...this.#keys.values()]
      .sort((a, b) => b.count - a.count)
      .slice(0, limit)
      .map(({ key, keyGroup, count }) => ({ key: shown(key), keyGroup, count }))
  }

  /** By key group: those that had records. */
  groups(): readonly (readonly [group: number, count: number])[] {
    return [...this.#groups].sort(([a], [b]) => a - b)
  }

  #count(key: unknown, keyGroup: number, weight: number): void {
    const id = canonicalKey(key)
    const known = this.#keys.get(id)
    if (known !== undefined) {
      known.count += weight
      return
    }
    if (this.#keys.size < MOST_KEYS) {
      this.#keys.set(id, { key, keyGroup, count: weight })
      return
    }
    let rarest: unknown
    let least = Number.POSITIVE_INFINITY
    for (const [other, { count }] of this.#keys) {
      if (count >= least) continue
      rarest = other
      least = count
      // None can be rarer.
      if (least <= 1) break
    }
    this.#keys.delete(rarest)
    this.#keys.set(id, { key, keyGroup, count: least + weight })
  }
}

function shown(key: unknown): string {
  const text =
    typeof key === 'string' ? key : inspect(key, { depth: 3, breakLength: Number.POSITIVE_INFINITY })
  return text.length > MOST_KEY_LENGTH ? `${text.slice(0, MOST_KEY_LENGTH)}...` : text
}
