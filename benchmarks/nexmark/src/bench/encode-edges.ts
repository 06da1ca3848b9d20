import type { DataStream } from 'flink-ts'

/** Of a node of the graph, what is needed here. */
interface Node {
  readonly inputs: readonly { readonly node: Node }[]
  readonly keySelectors: readonly unknown[]
  setSlotSharingGroup(group: string): void
}

/**
 * Puts what follows each `keyBy` into a slot of its own, so that all records on the edge are encoded, as they are between
 * machines. Otherwise, at parallelism 1, the edge is a call.
 * @returns how many such steps follow one another
 */
export function encodeKeyedEdges(result: DataStream<object>): number {
  const { upstreams } = result as unknown as { upstreams: readonly { readonly node: Node }[] }
  return Math.max(0, ...upstreams.map(({ node }) => separate(node)))
}

function separate(node: Node): number {
  const before = Math.max(0, ...node.inputs.map(input => separate(input.node)))
  if (!node.keySelectors.some(selector => selector !== undefined)) return before
  node.setSlotSharingGroup(`after keyBy ${before + 1}`)
  return before + 1
}
