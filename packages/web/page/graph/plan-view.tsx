import type { PlanNode } from '../api/shapes.ts'
import { chainOf } from '../model/chain.ts'
import { GraphCanvas } from './graph-canvas.tsx'

const HEAD_PX = 34
const LINE_PX = 17

/** A dataflow that does not run: its vertices with the operators chained in them. */
export function PlanView({ nodes }: { nodes: readonly PlanNode[] }) {
  const byId = new Map(nodes.map(node => [node.id, node]))
  const chains = new Map(nodes.map(({ id, description }) => [id, chainOf(description)]))
  return (
    <GraphCanvas
      nodes={nodes}
      heightOf={id => HEAD_PX + LINE_PX * (chains.get(id)?.length ?? 1)}
      edge={() => ({ held: false, widthPx: 1.5, note: undefined })}
      legend={null}
      node={(id, place) => (
        <div key={id} class="node" style={place}>
          <span class="line">
            <span>×{byId.get(id)?.parallelism}</span>
          </span>
          {chains.get(id)?.map((operator, index) => (
            <span key={index} class="operator" title={operator}>
              <b>{operator}</b>
            </span>
          ))}
        </div>
      )}
    />
  )
}
