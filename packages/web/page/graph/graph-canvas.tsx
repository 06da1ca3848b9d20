import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import type { PlanNode } from '../api/shapes.ts'
import { Empty } from '../components/parts.tsx'
import { NODE_WIDTH_PX, type PlacedEdge } from './layout-shape.ts'
import { smooth } from './smooth.ts'
import { useLayout } from './use-layout.ts'

/** Where a vertex is drawn, as CSS. */
export type Place = Readonly<Record<'left' | 'top' | 'width' | 'height', string>>

/** How an edge is drawn beside its way. */
interface EdgeLook {
  readonly held: boolean
  readonly widthPx: number
  /** Below what the edge does. */
  readonly note: string | undefined
}

interface GraphCanvasProps {
  readonly nodes: readonly PlanNode[]
  readonly heightOf: (nodeId: string) => number
  readonly node: (nodeId: string, place: Place) => ComponentChildren
  readonly edge: (edge: PlacedEdge) => EdgeLook
  /** Beside the buttons that zoom. */
  readonly legend: ComponentChildren
}

/** Below this names can't be read: what does not fit is scrolled to. */
const LEAST_FITTING = 0.6
const NARROW_PX = 700

/** A graph that is laid out, zoomed and scrolled. Vertices come in the order of the flow, for the keyboard. */
export function GraphCanvas({ nodes, heightOf, node, edge, legend }: GraphCanvasProps) {
  const [box, roomPx] = useWidth()
  const [chosen, setChosen] = useState<number | undefined>()
  const layout = useLayout(
    nodes.map(({ id, inputs = [] }) => ({
      id,
      heightPx: heightOf(id),
      inputs: inputs.map(input => ({ id: input.id, label: input.ship_strategy })),
    })),
    innerWidth < NARROW_PX ? 'TB' : 'LR',
  )
  const drawn = typeof layout === 'object' ? layout : undefined
  const fitting = Math.min(1, Math.max(LEAST_FITTING, roomPx / (drawn?.width ?? roomPx)))
  const zoom = chosen ?? fitting
  const step = (factor: number): void => setChosen(Math.min(1.6, Math.max(0.2, zoom * factor)))
  const px = (value: number): string => `${value}px`
  return (
    <>
      <div class="graph" ref={box}>
        {layout === undefined && <Empty>Laying out …</Empty>}
        {typeof layout === 'string' && <Empty>The graph can't be drawn: {layout}</Empty>}
        {drawn !== undefined && (
          <div style={{ width: px(drawn.width * zoom), height: px(drawn.height * zoom), margin: '0 auto' }}>
            <div
              class="plane"
              style={{ width: px(drawn.width), height: px(drawn.height), transform: `scale(${zoom})` }}
            >
              <svg width={drawn.width} height={drawn.height} aria-hidden="true">
                <Tip />
                {drawn.edges.map(one => {
                  const { held, widthPx } = edge(one)
                  return (
                    <path
                      key={`${one.from} ${one.to} ${one.label}`}
                      class={held ? 'held' : ''}
                      d={smooth(one.points)}
                      stroke-width={widthPx.toFixed(1)}
                      marker-end="url(#tip)"
                    />
                  )
                })}
              </svg>
              {drawn.edges.map(one => {
                const { note } = edge(one)
                return (
                  <span
                    key={`${one.from} ${one.to} ${one.label}`}
                    class="edge-label"
                    style={{ left: px(one.middle.x), top: px(one.middle.y) }}
                  >
                    {one.label.toLowerCase()}
                    {note !== undefined && (
                      <>
                        <br />
                        {note}
                      </>
                    )}
                  </span>
                )
              })}
              {drawn.nodes.map(({ id, x, y, heightPx }) =>
                node(id, { left: px(x), top: px(y), width: px(NODE_WIDTH_PX), height: px(heightPx) }),
              )}
            </div>
          </div>
        )}
      </div>
      <div class="pad legend">
        {legend}
        <span class="zoom">
          <button type="button" class="plain" aria-label="Smaller" onClick={() => step(1 / 1.25)}>
            −
          </button>
          {Math.round(zoom * 100)} %
          <button type="button" class="plain" aria-label="Larger" onClick={() => step(1.25)}>
            +
          </button>
        </span>
      </div>
    </>
  )
}

function Tip() {
  return (
    <defs>
      <marker
        id="tip"
        viewBox="0 0 8 8"
        refX="7"
        refY="4"
        markerUnits="userSpaceOnUse"
        markerWidth="9"
        markerHeight="9"
        orient="auto"
      >
        <path class="tip" d="M0,0 L8,4 L0,8 z" />
      </marker>
    </defs>
  )
}

/** The width of an element as the window changes. */
function useWidth() {
  const box = useRef<HTMLDivElement>(null)
  const [width, setWidth] = useState(innerWidth)
  useLayoutEffect(() => {
    const element = box.current
    if (element === null) return
    const measure = (): void => setWidth(element.clientWidth)
    measure()
    const resized = new ResizeObserver(measure)
    resized.observe(element)
    return () => resized.disconnect()
  }, [])
  return [box, width] as const
}
