import type { OperatorStateHandle } from '../snapshot/state-handle.ts'

type ListHandle = OperatorStateHandle['states'][number]

/**
 * The handles of each new subtask from those of each old one. Split lists: with an unchanged parallelism everyone keeps
 * its own; otherwise the elements, in the order of the old subtasks, are cut into blocks whose sizes differ by one at
 * most. Union lists: everyone gets all. Offsets select the elements; files are shared.
 */
export function redistributeOperatorState(
  oldSubtasks: readonly (readonly OperatorStateHandle[])[],
  newParallelism: number,
): readonly (readonly OperatorStateHandle[])[] {
  const handles = oldSubtasks.flat()
  const keepsOwn = oldSubtasks.length === newParallelism
  const counts = new Map<string, number>()
  for (const { states } of handles) {
    for (const list of states) {
      if (list.mode === 'split') counts.set(list.name, (counts.get(list.name) ?? 0) + list.offsets.length)
    }
  }
  const unions = chosenUnions(handles)
  return Array.from({ length: newParallelism }, (_, subtask) => {
    const own = new Set(keepsOwn ? oldSubtasks[subtask] : [])
    const seen = new Map<string, number>()
    return handles.flatMap(handle => {
      const states = handle.states.flatMap(list => {
        if (list.mode === 'union') return unions.has(list) ? [list] : []
        if (keepsOwn) return own.has(handle) ? [list] : []
        const before = seen.get(list.name) ?? 0
        seen.set(list.name, before + list.offsets.length)
        const [start, end] = block(counts.get(list.name) ?? 0, newParallelism, subtask)
        const offsets = list.offsets.slice(Math.max(0, start - before), Math.max(0, end - before))
        return offsets.length > 0 ? [{ ...list, offsets }] : []
      })
      return states.length > 0 ? [{ states, location: handle.location }] : []
    })
  })
}

/** `[start, end)` of block `index`; the first blocks take what is left over. */
function block(count: number, blocks: number, index: number): [number, number] {
  const size = Math.floor(count / blocks)
  const larger = count % blocks
  const start = index * size + Math.min(index, larger)
  return [start, start + size + (index < larger ? 1 : 0)]
}

/** All union lists, but of those that every subtask only carried along the first copy, and none beside a used one. */
function chosenUnions(handles: readonly OperatorStateHandle[]): ReadonlySet<ListHandle> {
  const lists = handles.flatMap(handle => handle.states.filter(list => list.mode === 'union'))
  const used = new Set(lists.filter(list => list.carried !== true).map(list => list.name))
  const chosen = new Set<ListHandle>()
  const carried = new Set<string>()
  for (const list of lists) {
    if (list.carried !== true) chosen.add(list)
    else if (!used.has(list.name) && !carried.has(list.name)) {
      carried.add(list.name)
      chosen.add(list)
    }
  }
  return chosen
}
