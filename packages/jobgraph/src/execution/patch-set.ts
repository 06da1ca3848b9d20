import { syncBuiltinESMExports } from 'node:module'

/**
 * Replaced properties of shared objects (globals, builtin modules) that can all be put back. Named imports of builtin
 * modules follow. One thread's objects only: each worker thread has its own.
 */
export class PatchSet {
  readonly #originals: { target: object; key: PropertyKey; descriptor: PropertyDescriptor | undefined }[] = []
  #active = false

  /** False as soon as the originals are back: functions that user code kept must then behave like them. */
  get active(): boolean {
    return this.#active
  }

  /** Replaces a value. To be followed by {@link PatchSet.activate}. */
  replace(target: object, key: PropertyKey, value: unknown): void {
    const descriptor = Object.getOwnPropertyDescriptor(target, key)
    this.#originals.push({ target, key, descriptor })
    Object.defineProperty(target, key, {
      value,
      configurable: true,
      writable: true,
      enumerable: descriptor?.enumerable ?? true,
    })
  }

  /** Wraps a method if it exists here; `wrap` gets the original. */
  wrap<F extends (...args: never[]) => unknown>(
    target: object,
    key: PropertyKey,
    wrap: (original: F) => F,
  ): void {
    const original = (target as Record<PropertyKey, unknown>)[key]
    if (typeof original !== 'function') return
    const wrapped = wrap(original as F)
    // Properties such as `promisify.custom` belong to the function.
    for (const own of Reflect.ownKeys(original)) {
      const descriptor = Object.getOwnPropertyDescriptor(original, own) as PropertyDescriptor
      if (own !== 'prototype') Object.defineProperty(wrapped, own, descriptor)
    }
    this.replace(target, key, wrapped)
  }

  activate(): void {
    this.#active = true
    syncBuiltinESMExports()
  }

  /** Puts the originals back. Idempotent. */
  lift(): void {
    this.#active = false
    for (const { target, key, descriptor } of this.#originals.reverse()) {
      if (descriptor === undefined) Reflect.deleteProperty(target, key)
      else Object.defineProperty(target, key, descriptor)
    }
    this.#originals.length = 0
    syncBuiltinESMExports()
  }
}
