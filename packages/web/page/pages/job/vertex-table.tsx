import type { Job } from '../../api/shapes.ts'
import { Badge, LoadMeter, Panel, TaskCounts } from '../../components/parts.tsx'
import type { NodeNotes } from '../../graph/graph-view.tsx'
import { bytes, count, duration, percent } from '../../model/format.ts'

interface VertexTableProps {
  readonly job: Job
  readonly notes: ReadonlyMap<string, NodeNotes>
  readonly select: (vertexId: string) => void
}

/** The vertices of a job with their counters so far. */
export function VertexTable({ job, notes, select }: VertexTableProps) {
  return (
    <Panel title="Vertices">
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th>Vertex</th>
              <th>State</th>
              <th>Load</th>
              <th class="num">Records in</th>
              <th class="num">Records out</th>
              <th class="num">Read</th>
              <th class="num">Written</th>
              <th>Tasks</th>
              <th class="num">Duration</th>
            </tr>
          </thead>
          <tbody>
            {job.vertices.map(vertex => {
              const rates = notes.get(vertex.id)?.rates
              return (
                <tr key={vertex.id}>
                  <td class="wide">
                    <button type="button" class="link" onClick={() => select(vertex.id)}>
                      {vertex.name}
                    </button>
                  </td>
                  <td>
                    <Badge state={vertex.status} />
                  </td>
                  <td class="nowrap faint">
                    <LoadMeter rates={rates} />
                    {rates === undefined ? '' : `${percent(rates.busy)} busy`}
                  </td>
                  <td class="num">{count(vertex.metrics['read-records'])}</td>
                  <td class="num">{count(vertex.metrics['write-records'])}</td>
                  <td class="num">{bytes(vertex.metrics['read-bytes'])}</td>
                  <td class="num">{bytes(vertex.metrics['write-bytes'])}</td>
                  <td>
                    <TaskCounts tasks={vertex.tasks} />
                  </td>
                  <td class="num">{duration(vertex.duration)}</td>
                </tr>
              )
            })}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
