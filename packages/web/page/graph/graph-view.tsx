import { useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks'
import type { Job, Vertex } from '../api/shapes.ts'
import { LoadMeter } from '../components/parts.tsx'
import { bytes, short } from '../model/format.ts'
import type { Rates } from '../model/rates.ts'
import { layOut, NODE, type PlacedEdge, smooth } from './layout.ts'

/** What is shown of a vertex beside what the job says of it. */
export interface NodeNotes {
  readonly rates: Rates | undefined
  /** In words. */
  readonly watermark: string | undefined
}

interface GraphProps {
  readonly job: Job
  readonly notes: ReadonlyMap<string, NodeNotes>
  readonly selected: string | undefined
  readonly select: (vertexId: string) => void
}

/** Below this names can't be read: what does not fit is scrolled to. */
const LEAST_FITTING = 0.6
const NARROW_PX = 700

/** The dataflow of a job. Vertices are buttons in the order of the flow, so that it can be walked by the keyboard. */
export function GraphView({ job, notes, selected, select }: GraphProps) {
  const narrow = innerWidth < NARROW_PX
  // Plans do not change, but each answer brings a new one.
  const shape = JSON.stringify(job.plan.nodes.map(node => [node.id, node.inputs]))
  const layout = useMemo(() => layOut(job.plan.nodes, narrow ? 'TB' : 'LR'), [shape, narrow])
  const [box, roomPx] = useWidth()
  const [chosen, setChosen] = useState<number | undefined>()
  const fitting = Math.min(1, Math.max(LEAST_FITTING, roomPx / layout.width))
  const zoom = chosen ?? fitting
  const vertices = new Map(job.vertices.map(vertex => [vertex.id, vertex]))
  const step = (factor: number): void => setChosen(Math.min(1.6, Math.max(0.3, zoom * factor)))
  return (
    <>
      <div class="graph" ref={box}>
        <div
          style={{ width: `${layout.width * zoom}px`, height: `${layout.height * zoom}px`, margin: '0 auto' }}
        >
          <div
            class="plane"
            style={{ width: `${layout.width}px`, height: `${layout.height}px`, transform: `scale(${zoom})` }}
          >
            <Edges edges={layout.edges} size={layout} notes={notes} />
            {layout.edges.map(edge => (
              <EdgeLabel key={`${edge.from} ${edge.to} ${edge.label}`} edge={edge} notes={notes} />
            ))}
            {layout.nodes.map(({ id, x, y }) => {
              const vertex = vertices.get(id)
              return vertex === undefined ? null : (
                <Node
                  key={id}
                  vertex={vertex}
                  notes={notes.get(id)}
                  place={{
                    left: `${x}px`,
                    top: `${y}px`,
                    width: `${NODE.width}px`,
                    height: `${NODE.height}px`,
                  }}
                  selected={id === selected}
                  select={() => select(id)}
                />
              )
            })}
          </div>
        </div>
      </div>
      <div class="pad legend">
        <span>
          <i class="busy-fill" />
          busy
        </span>
        <span>
          <i class="back-fill" />
          back-pressured
        </span>
        <span>
          <i class="idle-fill" />
          idle
        </span>
        <span style={{ marginLeft: 'auto' }}>
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

/** From here on a share colours a vertex. */
const NOTICEABLE = 0.3

function toneOf(rates: Rates | undefined, status: string): string {
  if (status === 'FAILED') return 'var(--bad)'
  if (rates === undefined) return 'var(--line-strong)'
  if (rates.backPressured >= NOTICEABLE && rates.backPressured >= rates.busy) return 'var(--back)'
  return rates.busy >= NOTICEABLE ? 'var(--busy)' : 'var(--idle)'
}

interface NodeProps {
  readonly vertex: Vertex
  readonly notes: NodeNotes | undefined
  readonly place: Readonly<Record<string, string>>
  readonly selected: boolean
  readonly select: () => void
}

function Node({ vertex, notes, place, selected, select }: NodeProps) {
  const { name, parallelism, status, metrics, tasks } = vertex
  const rates = notes?.rates
  const running = tasks['RUNNING'] ?? 0
  const states =
    status === 'RUNNING' && running < parallelism ? `${running} of ${parallelism} run` : status.toLowerCase()
  const tone = toneOf(rates, status)
  const records =
    rates === undefined
      ? `${short(metrics['read-records'])} in, ${short(metrics['write-records'])} out`
      : `${short(rates.recordsInPerSecond)}/s in, ${short(rates.recordsOutPerSecond)}/s out`
  return (
    <button
      type="button"
      class={`node${selected ? ' selected' : ''}`}
      style={{
        ...place,
        borderLeftColor: tone,
        background: `color-mix(in srgb, ${tone} ${rates === undefined ? 0 : Math.round(Math.max(rates.busy, rates.backPressured) * 14)}%, var(--panel))`,
      }}
      aria-pressed={selected}
      title={name}
      onClick={select}
    >
      <span class="name">{name}</span>
      <span class="line">
        <span>{states}</span>
        <span>×{parallelism}</span>
      </span>
      <span
        class="line"
        title={`${bytes(metrics['read-bytes'])} read, ${bytes(metrics['write-bytes'])} written`}
      >
        <span>{records}</span>
      </span>
      {notes?.watermark !== undefined && (
        <span class="line" title="Least watermark of its tasks">
          <span>event time {notes.watermark}</span>
        </span>
      )}
      <LoadMeter rates={rates} />
    </button>
  )
}

interface EdgesProps {
  readonly edges: readonly PlacedEdge[]
  readonly size: { readonly width: number; readonly height: number }
  readonly notes: ReadonlyMap<string, NodeNotes>
}

function Edges({ edges, size, notes }: EdgesProps) {
  return (
    <svg width={size.width} height={size.height} aria-hidden="true">
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
      {edges.map(edge => {
        const rates = notes.get(edge.from)?.rates
        const held = (rates?.backPressured ?? 0) >= NOTICEABLE
        // Each tenfold rate is one pixel more.
        const width = 1 + Math.min(5, Math.log10(1 + (rates?.recordsOutPerSecond ?? 0)) / 1.6)
        return (
          <path
            key={`${edge.from} ${edge.to} ${edge.label}`}
            class={held ? 'held' : ''}
            d={smooth(edge.points)}
            stroke-width={width.toFixed(1)}
            marker-end="url(#tip)"
          />
        )
      })}
    </svg>
  )
}

function EdgeLabel({ edge, notes }: { edge: PlacedEdge; notes: ReadonlyMap<string, NodeNotes> }) {
  const rates = notes.get(edge.from)?.rates
  return (
    <span class="edge-label" style={{ left: `${edge.middle.x}px`, top: `${edge.middle.y}px` }}>
      {edge.label.toLowerCase()}
      {rates !== undefined && rates.bytesOutPerSecond > 0 && (
        <>
          <br />
          {bytes(rates.bytesOutPerSecond)}/s
        </>
      )}
    </span>
  )
}
