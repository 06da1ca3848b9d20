type Value = number | readonly unknown[]

/** What the operators of a task report at its end. Numbers of the same name add up, lists are joined in chain order. */
export class Accumulators {
  readonly #values = new Map<number, Map<string, Value>>()

  set(operator: number, name: string, value: Value): void {
    let own = this.#values.get(operator)
    if (own === undefined) {
      own = new Map()
      this.#values.set(operator, own)
    }
    own.set(name, value)
  }

  merged(): Readonly<Record<string, Value>> {
    const merged = new Map<string, Value>()
    for (const [, own] of [...this.#values].sort(([a], [b]) => a - b)) {
      for (const [name, value] of own) {
        const before = merged.get(name)
        if (typeof before === 'number' && typeof value === 'number') merged.set(name, before + value)
        else if (before === undefined) merged.set(name, value)
        else merged.set(name, [...listOf(before), ...listOf(value)])
      }
    }
    return Object.fromEntries(merged)
  }
}

function listOf(value: Value): readonly unknown[] {
  return typeof value === 'number' ? [value] : value
}
