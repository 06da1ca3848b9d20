import { useEffect, useState } from 'preact/hooks'
import type { Direction, Layout, LayoutNode } from './layout-shape.ts'
import type { LayoutAnswer, LayoutRequest } from './layout-worker.ts'

/** Owned by this file: started with the first graph, kept for the next. */
let worker: Worker | undefined
let requests = 0

/** The layout of a graph. While another one is made it stays what it was; a text says why there is none. */
export function useLayout(nodes: readonly LayoutNode[], direction: Direction): Layout | string | undefined {
  const [layout, setLayout] = useState<Layout | string | undefined>()
  // Each answer of the API brings new objects, mostly of the same graph.
  const key = JSON.stringify([direction, nodes])
  useEffect(() => {
    worker ??= new Worker(new URL('./layout-worker.ts', import.meta.url), { type: 'module' })
    const id = ++requests
    const answered = ({ data }: MessageEvent<LayoutAnswer>): void => {
      if (data.id === id) setLayout(data.layout ?? data.failure)
    }
    const failed = (): void => setLayout('the part of this page that does it did not load')
    worker.addEventListener('message', answered)
    worker.addEventListener('error', failed)
    worker.postMessage({ id, nodes, direction } satisfies LayoutRequest)
    const asked = worker
    return () => {
      asked.removeEventListener('message', answered)
      asked.removeEventListener('error', failed)
    }
  }, [key])
  return layout
}
