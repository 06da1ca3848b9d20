import { layOut } from './layout.ts'
import type { Direction, Layout, LayoutNode } from './layout-shape.ts'

// Lays graphs out beside the page, which a large one would hold up for a second.

/** What is to be laid out; `id` comes back with it. */
export interface LayoutRequest {
  readonly id: number
  readonly nodes: readonly LayoutNode[]
  readonly direction: Direction
}

/** The answer. Without a layout: why there is none. */
export interface LayoutAnswer {
  readonly id: number
  readonly layout?: Layout
  readonly failure?: string
}

// The types are those of pages, where it takes an origin.
const answer = (message: LayoutAnswer): void => (self as unknown as Worker).postMessage(message)

addEventListener('message', ({ data }: MessageEvent<LayoutRequest>) => {
  const { id, nodes, direction } = data
  try {
    answer({ id, layout: layOut(nodes, direction) })
  } catch (error) {
    answer({ id, failure: String(error) })
  }
})
