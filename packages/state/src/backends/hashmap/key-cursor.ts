import { generate } from '@flink-ts/serialization'
import { tagOf } from './key-tag.ts'

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
  /** {@link KeyCursor.tag}, once it was asked for; 0 before. Written by {@link KeyCursor.set} and here only. */
  knownTag = 0

  /**
   * Makes `key` the current one. Code of its own for each cursor: every record of every keyed operator passes here, and
   * V8 inlines no shared function that has seen the keys of several operators and is too long for its budget.
   */
  readonly set: (key: unknown) => void = generate<(key: unknown) => void>(
    ['cursor', 'restart'],
    `return key => {
  cursor.key = key
  cursor.knownTag = 0
  if (cursor.generation < ${LAST_GENERATION}) cursor.generation++
  else restart()
}`,
    [this, () => this.#restart()],
  )

  get hasKey(): boolean {
    return this.key !== NO_KEY
  }

  /** `tagOf` the key, computed once for all states that look it up. */
  get tag(): number {
    if (this.knownTag === 0) this.knownTag = tagOf(this.key)
    return this.knownTag
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
