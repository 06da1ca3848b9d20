import type { JobGraph } from '@flink-ts/jobgraph'

/** One slot that a job needs: place `index` of a slot sharing group. */
export interface SlotDemand {
  readonly group: string
  readonly index: number
}

/** The name of a demand, unique within the job. */
export function slotDemandKey(group: string, index: number): string {
  return `${group}/${index}`
}

/**
 * The slots that a job needs: in each slot sharing group as many as the highest parallelism. Subtask i of every vertex
 * of a group runs in slot i of the group.
 */
export function slotDemands(graph: JobGraph): readonly SlotDemand[] {
  const highest = new Map<string, number>()
  for (const { slotSharingGroup, parallelism } of graph.vertices) {
    highest.set(slotSharingGroup, Math.max(highest.get(slotSharingGroup) ?? 0, parallelism))
  }
  return [...highest].flatMap(([group, count]) =>
    Array.from({ length: count }, (_, index) => ({ group, index })),
  )
}
