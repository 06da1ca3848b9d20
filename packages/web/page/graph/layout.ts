import dagre from '@dagrejs/dagre'
import { type Direction, type Layout, type LayoutNode, NODE_WIDTH_PX } from './layout-shape.ts'

/** Places the vertices of a plan so that data flows in one direction. Plain data in and out: it runs in a worker. */
export function layOut(nodes: readonly LayoutNode[], direction: Direction): Layout {
  const graph = new dagre.graphlib.Graph({ multigraph: true })
  graph.setGraph({
    rankdir: direction,
    nodesep: 26,
    edgesep: 16,
    ranksep: direction === 'LR' ? 92 : 52,
    marginx: 16,
    marginy: 16,
  })
  graph.setDefaultEdgeLabel(() => ({}))
  const known = new Set(nodes.map(node => node.id))
  for (const { id, heightPx } of nodes) graph.setNode(id, { width: NODE_WIDTH_PX, height: heightPx })
  for (const node of nodes) {
    for (const [index, input] of node.inputs.entries()) {
      if (known.has(input.id)) graph.setEdge(input.id, node.id, { text: input.label }, String(index))
    }
  }
  dagre.layout(graph)
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    nodes: nodes.map(({ id, heightPx }) => {
      const { x, y } = graph.node(id) as { x: number; y: number }
      return { id, x: x - NODE_WIDTH_PX / 2, y: y - heightPx / 2, heightPx }
    }),
    edges: graph.edges().map(edge => {
      const { points, text } = graph.edge(edge) as { points: { x: number; y: number }[]; text: string }
      const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 }
      return { from: edge.v, to: edge.w, label: text, points, middle }
    }),
  }
}
