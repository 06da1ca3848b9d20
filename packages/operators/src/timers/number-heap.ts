/** A binary min-heap of numbers. */
export class NumberHeap {
  readonly #items: number[] = []

  get size(): number {
    return this.#items.length
  }

  /** The smallest number, or undefined. */
  peek(): number | undefined {
    return this.#items[0]
  }

  push(value: number): void {
    const items = this.#items
    let i = items.length
    items.push(value)
    while (i > 0) {
      const parent = (i - 1) >> 1
      const above = items[parent] as number
      if (above <= value) break
      items[i] = above
      i = parent
    }
    items[i] = value
  }

  /** Removes and returns the smallest number. */
  pop(): number | undefined {
    const items = this.#items
    const top = items[0]
    const last = items.pop()
    const length = items.length
    if (length === 0 || last === undefined) return top
    let i = 0
    for (;;) {
      let child = 2 * i + 1
      if (child >= length) break
      if (child + 1 < length && (items[child + 1] as number) < (items[child] as number)) child++
      const below = items[child] as number
      if (below >= last) break
      items[i] = below
      i = child
    }
    items[i] = last
    return top
  }

  /** Replaces all numbers. */
  reset(values: Iterable<number>): void {
    // An ascending array is a heap.
    const sorted = [...values].sort((a, b) => a - b)
    this.#items.length = 0
    for (const value of sorted) this.#items.push(value)
  }
}
