import type { OperatorListState } from '../../api/keyed-state-backend.ts'

/** A list on the heap. {@link HeapListState.get} gives the elements of now; later changes do not show in it. */
export class HeapListState<T> implements OperatorListState<T> {
  readonly mode: 'split' | 'union'
  #values: T[]
  /** Whether the array was handed out: it must not change any more. */
  #shared = false

  constructor(options: { mode: 'split' | 'union'; values: T[] }) {
    this.mode = options.mode
    this.#values = options.values
  }

  get(): readonly T[] {
    this.#shared = true
    return this.#values
  }

  /** What a snapshot holds. */
  elements(): readonly T[] {
    return this.get()
  }

  add(value: T): void {
    if (this.#shared) this.update(this.#values)
    this.#values.push(value)
  }

  update(values: readonly T[]): void {
    this.#values = [...values]
    this.#shared = false
  }

  clear(): void {
    this.update([])
  }
}
