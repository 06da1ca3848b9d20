/** What operators have to say of themselves. Read when the task tells its metrics. Owner: the task. */
export class OperatorMetrics {
  readonly #values = new Map<number, Map<string, () => number | string>>()

  set(operator: number, name: string, read: () => number | string): void {
    let own = this.#values.get(operator)
    if (own === undefined) {
      own = new Map()
      this.#values.set(operator, own)
    }
    own.set(name, read)
  }

  /** Those of one operator by name. One that cannot be read says why: it is the user's code, and only looked at. */
  read(operator: number): Readonly<Record<string, number | string>> {
    const values: Record<string, number | string> = {}
    for (const [name, read] of this.#values.get(operator) ?? []) {
      try {
        const value: unknown = read()
        values[name] = typeof value === 'number' ? value : String(value)
      } catch (error) {
        values[name] = `error: ${error instanceof Error ? error.message : String(error)}`
      }
    }
    return values
  }
}
