import { canonicalKey } from '@flink-ts/serialization'

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
  /** Of the key, if it was asked for. */
  #canonical: ReturnType<typeof canonicalKey> | undefined

  get hasKey(): boolean {
    return this.key !== NO_KEY
  }

  /** `canonicalKey` of the key, made once for all states that look it up: of tuples and objects it is a text. */
  get canonical(): ReturnType<typeof canonicalKey> {
    this.#canonical ??= canonicalKey(this.key)
    return this.#canonical
  }

  set(key: unknown): void {
    this.key = key
    this.#canonical = undefined
    this.advance()
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
