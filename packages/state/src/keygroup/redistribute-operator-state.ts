import type { OperatorStateHandle } from '../snapshot/state-handle.ts'

type ListHandle = OperatorStateHandle['states'][number]

/**
 * The handles of each new subtask from those of each old one. Split lists: with an unchanged parallelism everyone keeps
 * its own; otherwise the elements, in the order of the old subtasks, are cut into blocks whose sizes differ by one at
 * most. Union lists: everyone gets all. Broadcast maps: everyone gets one copy, its own if there is one. Offsets select
 * the elements; files are shared.
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
  const broadcasts = broadcastCopies(oldSubtasks)
  return Array.from({ length: newParallelism }, (_, subtask) => {
    const own = new Set(keepsOwn ? oldSubtasks[subtask] : [])
    const seen = new Map<string, number>()
    const copies = new Set([...broadcasts.values()].map(maps => maps[subtask % maps.length]))
    return handles.flatMap(handle => {
      const states = handle.states.flatMap(list => {
        if (list.mode === 'union') return unions.has(list) ? [list] : []
        if (list.mode === 'broadcast') return copies.has(list) ? [list] : []
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

/** The copies of each broadcast map, in the order of the subtasks that had them. */
function broadcastCopies(
  oldSubtasks: readonly (readonly OperatorStateHandle[])[],
): ReadonlyMap<string, readonly ListHandle[]> {
  const copies = new Map<string, ListHandle[]>()
  for (const list of oldSubtasks.flat().flatMap(handle => handle.states)) {
    if (list.mode !== 'broadcast') continue
    const known = copies.get(list.name)
    if (known === undefined) copies.set(list.name, [list])
    else known.push(list)
  }
  return copies
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
