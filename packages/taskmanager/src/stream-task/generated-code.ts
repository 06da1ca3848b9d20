// Owner: the thread. Grows only.
let instances = 0

/**
 * Compiles `body` with `values` bound to `names` and runs it: its result is code that no other instance shares. The
 * number makes the source text unique, so that V8 gives it feedback and optimised code of its own (DESIGN 4).
 */
export function generateCode<F>(names: readonly string[], body: string, values: readonly unknown[]): F {
  const make = new Function(...names, `'use strict' /* instance ${++instances} */\n${body}`) as (
    ...bound: readonly unknown[]
  ) => F
  return make(...values)
}
