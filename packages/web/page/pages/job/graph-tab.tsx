import { useMemo, useState } from 'preact/hooks'
import type { Job } from '../../api/shapes.ts'
import { Chart } from '../../components/chart.tsx'
import { Panel } from '../../components/parts.tsx'
import { GraphView } from '../../graph/graph-view.tsx'
import { bytes, short } from '../../model/format.ts'
import { type JobHistory, latestRates } from '../../model/job-history.ts'
import { go, route } from '../../router.ts'
import { hasEnded } from '../jobs.tsx'
import { useChains } from './use-chains.ts'
import { useWatermarks } from './use-watermarks.ts'
import { VertexDrawer } from './vertex-drawer.tsx'
import { VertexTable } from './vertex-table.tsx'

/** The dataflow with what happens in it now. A vertex in the query (`?vertex=`) is opened in the drawer. */
export function GraphTab({ job, history }: { job: Job; history: JobHistory | undefined }) {
  const watermarks = useWatermarks(job)
  const latest = history && latestRates(history)
  const notes = useMemo(
    () =>
      new Map(
        job.vertices.map(({ id }) => [
          id,
          { rates: hasEnded(job) ? undefined : latest?.get(id), watermark: watermarks.get(id) },
        ]),
      ),
    [job, latest, watermarks],
  )
  const [chainsOpen, openChains] = useState(false)
  const chains = useChains(job, chainsOpen)
  const { vertex: selected, show = 'detail' } = Object.fromEntries(route.value.query)
  const place = ['job', job.jid, 'graph']
  // Whoever holds it may hold it for long: what is open is looked up when it is called.
  const select = (vertexId: string): void =>
    go(place, { vertex: vertexId, show: route.value.query.get('show') ?? 'detail' })
  const open = job.vertices.find(({ id }) => id === selected)
  return (
    <>
      <Panel label="Dataflow">
        <GraphView
          job={job}
          notes={notes}
          chains={chains}
          chainsOpen={chainsOpen}
          openChains={openChains}
          selected={selected}
          select={select}
        />
      </Panel>
      <VertexTable job={job} notes={notes} select={select} />
      {history !== undefined && !hasEnded(job) && <Charts job={job} history={history} />}
      {open !== undefined && (
        <VertexDrawer
          job={job}
          vertex={open}
          show={show}
          rates={notes.get(open.id)?.rates}
          close={() => go(place)}
        />
      )}
    </>
  )
}

/** More lines than this nobody tells apart. */
const MAX_PLOTTED = 8

/** What flows between vertices; of many vertices those that send most. */
function Charts({ job, history }: { job: Job; history: JobHistory }) {
  const { samples } = history
  const senders = new Set(job.plan.nodes.flatMap(({ inputs = [] }) => inputs.map(({ id }) => id)))
  const latest = samples.at(-1)?.rates
  const plotted = job.vertices
    .filter(({ id }) => senders.has(id))
    .toSorted(
      (a, b) => (latest?.get(b.id)?.bytesOutPerSecond ?? 0) - (latest?.get(a.id)?.bytesOutPerSecond ?? 0),
    )
    .slice(0, MAX_PLOTTED)
    .map(({ id }) => id)
  // In the order of the flow, so that lines keep their colours.
  const shown = job.vertices.filter(({ id }) => plotted.includes(id))
  if (shown.length === 0) return null
  const at = samples.map(sample => sample.at)
  const series = (read: 'recordsOutPerSecond' | 'bytesOutPerSecond') =>
    shown.map(({ id, name }) => ({ name, values: samples.map(({ rates }) => rates.get(id)?.[read]) }))
  const which = senders.size > shown.length ? `, of the ${shown.length} that send most` : ''
  return (
    <Panel title={`Since this page was opened${which}`}>
      <div class="pad charts">
        <Chart title="Records sent by second" at={at} series={series('recordsOutPerSecond')} write={short} />
        <Chart title="Bytes sent by second" at={at} series={series('bytesOutPerSecond')} write={bytes} />
      </div>
    </Panel>
  )
}
