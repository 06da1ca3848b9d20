// What a layout is made of. Apart from what makes it, which only the worker loads.

/** A vertex that is to be placed. */
export interface LayoutNode {
  readonly id: string
  readonly heightPx: number
  readonly inputs: readonly { readonly id: string; readonly label: string }[]
}

/** Where a vertex is: its left upper corner. */
interface PlacedNode {
  readonly id: string
  readonly x: number
  readonly y: number
  readonly heightPx: number
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

/** To the right, or downwards. */
export type Direction = 'LR' | 'TB'

/** Width of all vertices in pixels. */
export const NODE_WIDTH_PX = 226
