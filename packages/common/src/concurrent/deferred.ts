/** A promise that is settled from outside. */
export class Deferred<T> {
  readonly promise: Promise<T>
  #settled = false
  #resolve!: (value: T) => void
  #reject!: (reason: unknown) => void

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  get settled(): boolean {
    return this.#settled
  }

  resolve(value: T): void {
    this.#settled = true
    this.#resolve(value)
  }

  reject(reason: unknown): void {
    this.#settled = true
    this.#reject(reason)
  }
}

/** What a wait ends with when whoever started it gave up. */
export class CancellationError extends Error {
  constructor(what: string) {
    super(`${what} was cancelled`)
    this.name = 'CancellationError'
  }
}
