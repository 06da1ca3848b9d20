import type { PatchSet } from './patch-set.ts'

const METHODS = [
  ...['log', 'info', 'debug', 'warn', 'error', 'trace', 'table', 'dir', 'dirxml', 'assert', 'count'],
  ...['group', 'groupCollapsed', 'timeEnd', 'timeLog'],
]

type Any = (this: unknown, ...args: unknown[]) => unknown

/**
 * What main says on the console was said when it ran first: replays are silent, or a program with several `execute`
 * would print everything before the last one again in every slot. Functions of the job are heard.
 */
export function muteConsole(patches: PatchSet): void {
  for (const method of METHODS) {
    patches.wrap<Any>(
      console,
      method,
      original =>
        function muted(this: unknown, ...args: unknown[]): unknown {
          return patches.active ? undefined : original.apply(this, args)
        },
    )
  }
}
