import dagre from '@dagrejs/dagre'
import type { PlanNode } from '../api/shapes.ts'

/** Where a vertex is: its left upper corner. */
interface PlacedNode {
  readonly id: string
  readonly x: number
  readonly y: number
}

/** The way of an edge, from vertex to vertex. */
export interface PlacedEdge {
  readonly from: string
  readonly to: string
  readonly label: string
  readonly points: readonly { readonly x: number; readonly y: number }[]
  readonly middle: { readonly x: number; readonly y: number }
}

/** A plan as it is drawn. */
export interface Layout {
  readonly width: number
  readonly height: number
  readonly nodes: readonly PlacedNode[]
  readonly edges: readonly PlacedEdge[]
}

/** Size of a vertex in pixels. */
export const NODE = { width: 226, height: 112 } as const

/** Places the vertices of a plan so that data flows to the right, or downwards. */
export function layOut(nodes: readonly PlanNode[], direction: 'LR' | 'TB'): Layout {
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
  for (const node of nodes) graph.setNode(node.id, { ...NODE })
  for (const node of nodes) {
    for (const [index, input] of (node.inputs ?? []).entries()) {
      if (!known.has(input.id)) continue
      graph.setEdge(input.id, node.id, { text: input.ship_strategy }, String(index))
    }
  }
  dagre.layout(graph)
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number }
  return {
    width,
    height,
    nodes: nodes.map(({ id }) => {
      const { x, y } = graph.node(id) as { x: number; y: number }
      return { id, x: x - NODE.width / 2, y: y - NODE.height / 2 }
    }),
    edges: graph.edges().map(edge => {
      const { points, text } = graph.edge(edge) as { points: { x: number; y: number }[]; text: string }
      const middle = points[Math.floor(points.length / 2)] ?? { x: 0, y: 0 }
      return { from: edge.v, to: edge.w, label: text, points, middle }
    }),
  }
}

/** A smooth path through points. */
export function smooth(points: readonly { readonly x: number; readonly y: number }[]): string {
  const [first, ...rest] = points
  if (first === undefined) return ''
  const parts = rest.map((point, index) => {
    const next = rest[index + 1]
    // Curves bend at the points between and end in the middle to the next one.
    if (next === undefined) return `L${point.x},${point.y}`
    return `Q${point.x},${point.y} ${(point.x + next.x) / 2},${(point.y + next.y) / 2}`
  })
  return `M${first.x},${first.y} ${parts.join(' ')}`
}
