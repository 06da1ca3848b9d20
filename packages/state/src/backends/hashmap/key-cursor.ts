import { generate } from '@flink-ts/serialization'
import { heapKey } from './heap-key.ts'

/** From here on the count begins anew, so that it stays a small integer for V8. */
export const LAST_GENERATION = 2 ** 31 - 2

const NO_KEY = Symbol('no key')

/**
 * The current key of a backend, and a number that changes whenever an entry that was found before must be looked up
 * again: with the key, with each insert and removal, when a snapshot begins. Owner: the backend, slot thread.
 */
export class KeyCursor {
  /** Never to be read while `hasKey` is false. */
  key: unknown = NO_KEY
  /** From 0 to {@link LAST_GENERATION}. */
  generation = 0
  readonly #forgetters: (() => void)[] = []
  /** {@link KeyCursor.canonical}, once it was asked for. Written by {@link KeyCursor.set} and here only. */
  known: ReturnType<typeof heapKey> | undefined = undefined

  /**
   * Makes `key` the current one. Code of its own for each cursor: every record of every keyed operator passes here, and
   * V8 inlines no shared function that has seen the keys of several operators and is too long for its budget.
   */
  readonly set: (key: unknown) => void = generate<(key: unknown) => void>(
    ['cursor', 'restart'],
    `return key => {
  cursor.key = key
  cursor.known = undefined
  if (cursor.generation < ${LAST_GENERATION}) cursor.generation++
  else restart()
}`,
    [this, () => this.#restart()],
  )

  get hasKey(): boolean {
    return this.key !== NO_KEY
  }

  /** `heapKey` of the key, made once for all states that look it up: of tuples and objects it is a text. */
  get canonical(): ReturnType<typeof heapKey> {
    this.known ??= heapKey(this.key)
    return this.known
  }

  advance(): void {
    if (this.generation < LAST_GENERATION) this.generation++
    else this.#restart()
  }

  /** Has `forget` called before a generation is used a second time. */
  onRestart(forget: () => void): void {
    this.#forgetters.push(forget)
  }

  #restart(): void {
    this.generation = 0
    for (const forget of this.#forgetters) forget()
  }
}
