import { Component } from 'preact'
import type { Job, Vertex } from '../api/shapes.ts'
import { LoadMeter } from '../components/parts.tsx'
import { bytes, short } from '../model/format.ts'
import type { Rates } from '../model/rates.ts'
import { GraphCanvas, type Place } from './graph-canvas.tsx'

/** What is shown of a vertex beside what the job says of it. */
export interface NodeNotes {
  readonly rates: Rates | undefined
  /** In words. */
  readonly watermark: string | undefined
}

/** An operator of a chain; without a text as long as its numbers are not known. */
export interface ChainedOperator {
  readonly name: string
  readonly text: string | undefined
}

interface GraphProps {
  readonly job: Job
  readonly notes: ReadonlyMap<string, NodeNotes>
  /** Of vertices that are opened up. */
  readonly chains: ReadonlyMap<string, readonly ChainedOperator[]>
  readonly chainsOpen: boolean
  readonly openChains: (open: boolean) => void
  readonly selected: string | undefined
  readonly select: (vertexId: string) => void
}

const NODE_PX = 112
const OPERATOR_PX = 17
/** From here on a share colours a vertex. */
const NOTICEABLE = 0.3

/** The dataflow of a job. Vertices are buttons in the order of the flow, so that it can be walked by the keyboard. */
export function GraphView({ job, notes, chains, chainsOpen, openChains, selected, select }: GraphProps) {
  const vertices = new Map(job.vertices.map(vertex => [vertex.id, vertex]))
  return (
    <GraphCanvas
      nodes={job.plan.nodes}
      heightOf={id => NODE_PX + OPERATOR_PX * (chains.get(id)?.length ?? 0)}
      edge={({ from }) => {
        const rates = notes.get(from)?.rates
        return {
          held: (rates?.backPressured ?? 0) >= NOTICEABLE,
          // Each tenfold rate is one pixel more.
          widthPx: 1 + Math.min(5, Math.log10(1 + (rates?.recordsOutPerSecond ?? 0)) / 1.6),
          note:
            rates !== undefined && rates.bytesOutPerSecond > 0
              ? `${bytes(rates.bytesOutPerSecond)}/s`
              : undefined,
        }
      }}
      node={(id, place) => {
        const vertex = vertices.get(id)
        return vertex === undefined ? null : (
          <Node
            key={id}
            vertex={vertex}
            notes={notes.get(id)}
            chain={chains.get(id)}
            place={place}
            selected={id === selected}
            select={select}
          />
        )
      }}
      legend={
        <>
          {(['busy', 'back', 'idle'] as const).map(kind => (
            <span key={kind}>
              <i class={`${kind}-fill`} />
              {kind === 'back' ? 'back-pressured' : kind}
            </span>
          ))}
          <label>
            <input
              type="checkbox"
              checked={chainsOpen}
              onChange={event => openChains(event.currentTarget.checked)}
            />{' '}
            Open chains
          </label>
        </>
      }
    />
  )
}

function toneOf(rates: Rates | undefined, status: string): string {
  if (status === 'FAILED') return 'var(--bad)'
  if (rates === undefined) return 'var(--line-strong)'
  if (rates.backPressured >= NOTICEABLE && rates.backPressured >= rates.busy) return 'var(--back)'
  return rates.busy >= NOTICEABLE ? 'var(--busy)' : 'var(--idle)'
}

interface NodeProps {
  readonly vertex: Vertex
  readonly notes: NodeNotes | undefined
  readonly chain: readonly ChainedOperator[] | undefined
  readonly place: Place
  readonly selected: boolean
  readonly select: (vertexId: string) => void
}

/** Drawn anew only when something of it has changed: of hundreds most have not. */
class Node extends Component<NodeProps> {
  override shouldComponentUpdate(next: NodeProps): boolean {
    return JSON.stringify(next) !== JSON.stringify(this.props)
  }

  override render({ vertex, notes, chain = [], place, selected, select }: NodeProps) {
    const { id, name, parallelism, status, metrics, tasks } = vertex
    const rates = notes?.rates
    const running = tasks['RUNNING'] ?? 0
    const states =
      status === 'RUNNING' && running < parallelism
        ? `${running} of ${parallelism} run`
        : status.toLowerCase()
    const tone = toneOf(rates, status)
    const records =
      rates === undefined
        ? `${short(metrics['read-records'])} in, ${short(metrics['write-records'])} out`
        : `${short(rates.recordsInPerSecond)}/s in, ${short(rates.recordsOutPerSecond)}/s out`
    const strength = rates === undefined ? 0 : Math.round(Math.max(rates.busy, rates.backPressured) * 14)
    return (
      <button
        type="button"
        class={`node${selected ? ' selected' : ''}`}
        style={{
          ...place,
          borderLeftColor: tone,
          background: `color-mix(in srgb, ${tone} ${strength}%, var(--panel))`,
        }}
        aria-expanded={selected}
        title={name}
        onClick={() => select(id)}
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
        {chain.map((operator, index) => (
          <span key={index} class="operator" title={operator.name}>
            <b>{operator.name}</b>
            <span>{operator.text}</span>
          </span>
        ))}
        <LoadMeter rates={rates} />
      </button>
    )
  }
}
