import type { StreamTask } from '../stream-task/stream-task.ts'

const MOST = 5

/** The keyed states with the most entries in a few words each, the largest first: over all tasks of a thread. */
export function largestStates(tasks: Iterable<StreamTask>): readonly string[] {
  return [...tasks]
    .flatMap(task => task.stateSizes())
    .filter(({ entries }) => entries > 0)
    .sort((a, b) => b.entries - a.entries)
    .slice(0, MOST)
    .map(({ operator, name, entries }) => `'${name}' of operator '${operator}' with ${entries} entries`)
}
