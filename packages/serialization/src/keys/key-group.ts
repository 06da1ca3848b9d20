import { hashKey } from './key-hash.ts'

/** Key groups of one subtask, both ends included. */
export interface KeyGroupRange {
  readonly start: number
  readonly end: number
}

/**
 * The key group of a key, 0 to `maxParallelism - 1`: the unit in which keyed state is stored and redistributed.
 * @throws serialization.invalid-key
 */
export function keyGroupOf(key: unknown, maxParallelism: number): number {
  return hashKey(key) % maxParallelism
}

/** The key groups that a subtask owns. The ranges of all subtasks cover all groups without overlap. */
export function keyGroupRangeOf(
  maxParallelism: number,
  parallelism: number,
  subtaskIndex: number,
): KeyGroupRange {
  return {
    start: Math.floor((subtaskIndex * maxParallelism + parallelism - 1) / parallelism),
    end: Math.floor(((subtaskIndex + 1) * maxParallelism - 1) / parallelism),
  }
}

/** The subtask that owns a key group. */
export function subtaskOfKeyGroup(maxParallelism: number, parallelism: number, keyGroup: number): number {
  return Math.floor((keyGroup * parallelism) / maxParallelism)
}
