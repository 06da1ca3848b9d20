/** What a subtask reports at its end. */
export type TaskAccumulators = Readonly<Record<string, number | readonly unknown[]>>

/** Merges what the subtasks reported: numbers add up, lists are joined in order of the subtasks. */
export function mergeAccumulators(
  parts: Iterable<TaskAccumulators | undefined>,
): Readonly<Record<string, unknown>> {
  const merged: Record<string, number | readonly unknown[]> = {}
  for (const part of parts) {
    for (const [name, value] of Object.entries(part ?? {})) {
      const known = merged[name]
      if (known === undefined) merged[name] = value
      else if (typeof known === 'number' && typeof value === 'number') merged[name] = known + value
      // A name used for both kinds: nothing is lost in a list.
      else merged[name] = [...asList(known), ...asList(value)]
    }
  }
  return merged
}

function asList(value: number | readonly unknown[]): readonly unknown[] {
  return typeof value === 'number' ? [value] : value
}
