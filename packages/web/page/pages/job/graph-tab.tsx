import { useEffect, useMemo, useState } from 'preact/hooks'
import { get } from '../../api/client.ts'
import { poll, refreshMs } from '../../api/poll.ts'
import type { Job, Metric } from '../../api/shapes.ts'
import { Chart } from '../../components/chart.tsx'
import { Panel } from '../../components/parts.tsx'
import { GraphView } from '../../graph/graph-view.tsx'
import { bytes, duration, leastWatermark, short, watermark } from '../../model/format.ts'
import { type JobHistory, latestRates } from '../../model/job-history.ts'
import { go, route } from '../../router.ts'
import { hasEnded } from '../jobs.tsx'
import { VertexDrawer } from './vertex-drawer.tsx'
import { VertexTable } from './vertex-table.tsx'

/** Watermarks are one request for each vertex: of larger jobs they are in the drawer. */
const MAX_WATERMARKED_VERTICES = 30

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
  const { vertex: selected, show = 'detail' } = Object.fromEntries(route.value.query)
  const place = ['job', job.jid, 'graph']
  const select = (vertexId: string): void => go(place, { vertex: vertexId, show })
  const open = job.vertices.find(({ id }) => id === selected)
  return (
    <>
      <Panel label="Dataflow">
        <GraphView job={job} notes={notes} selected={selected} select={select} />
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

function Charts({ job, history }: { job: Job; history: JobHistory }) {
  const { samples } = history
  const series = (read: 'recordsOutPerSecond' | 'bytesOutPerSecond' | 'recordsInPerSecond') =>
    job.vertices.map(({ id, name }) => ({ name, values: samples.map(({ rates }) => rates.get(id)?.[read]) }))
  const at = samples.map(sample => sample.at)
  const senders = new Set(job.plan.nodes.flatMap(({ inputs = [] }) => inputs.map(({ id }) => id)))
  if (senders.size === 0) return null
  const names = new Set(job.vertices.filter(({ id }) => senders.has(id)).map(({ name }) => name))
  const sending = <T extends { name: string }>(all: readonly T[]): readonly T[] =>
    all.filter(s => names.has(s.name))
  return (
    <Panel title="Since this page was opened">
      <div class="pad charts">
        <Chart
          title="Records sent by second"
          at={at}
          series={sending(series('recordsOutPerSecond'))}
          write={short}
        />
        <Chart
          title="Bytes sent by second"
          at={at}
          series={sending(series('bytesOutPerSecond'))}
          write={bytes}
        />
      </div>
    </Panel>
  )
}

/** Least watermark of each vertex, in words with how far it is behind the clock. */
function useWatermarks(job: Job): ReadonlyMap<string, string> {
  const [watermarks, setWatermarks] = useState<ReadonlyMap<string, string>>(new Map())
  const everyMs = refreshMs.value
  const running = job.state === 'RUNNING'
  const ids = job.plan.nodes.filter(({ inputs = [] }) => inputs.length > 0).map(({ id }) => id)
  const key = ids.length > MAX_WATERMARKED_VERTICES || !running ? '' : ids.join()
  const jobId = job.jid
  useEffect(() => {
    if (key === '') return
    const ask = (signal: AbortSignal) =>
      Promise.all(
        key
          .split(',')
          .map(
            async id =>
              [id, await get<readonly Metric[]>(`/jobs/${jobId}/vertices/${id}/watermarks`, signal)] as const,
          ),
      )
    return poll(
      ask,
      result => {
        if (result instanceof Error) return true
        const least = result.map(
          ([id, metrics]) => [id, leastWatermark(metrics.map(({ value }) => value))] as const,
        )
        setWatermarks(
          new Map(least.flatMap(([id, value]) => (value === undefined ? [] : [[id, inWords(value)]]))),
        )
        return true
      },
      everyMs,
    )
  }, [jobId, key, everyMs])
  return watermarks
}

function inWords(value: string): string {
  const lagMs = Date.now() - Number(value)
  // Far from the clock the lag says nothing: the job reads the past, or counts from zero.
  return lagMs >= 0 && lagMs < 86_400_000 ? `${duration(lagMs)} behind` : watermark(value)
}
