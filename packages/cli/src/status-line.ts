import type { JobDetails } from '@flink-ts/gateways'
import { isGloballyTerminal } from '@flink-ts/jobgraph'
import { formatCount } from './format.ts'
import { isWaitingForSlots } from './job-notes.ts'

/** One line that says how a running job is doing. */
export class JobStatusLine {
  readonly #name: string
  #previous: { readonly atMs: number; readonly records: number } | undefined

  constructor(name: string) {
    this.#name = name
  }

  /** @param nowMs of a monotonic clock, for the rate */
  line(details: JobDetails, nowMs: number): string {
    const read = recordsRead(details)
    const before = this.#previous
    this.#previous = { atMs: nowMs, records: read }
    const parts = [
      `${this.#name}: ${details.status}`,
      `${formatCount(read)} records read`,
      `${formatCount(recordsAtEnd(details))} at the end`,
    ]
    // After a restart the counters begin again.
    if (
      before !== undefined &&
      nowMs > before.atMs &&
      read >= before.records &&
      !isGloballyTerminal(details.status)
    ) {
      parts.push(`${formatCount(((read - before.records) * 1000) / (nowMs - before.atMs))}/s`)
    }
    if (isWaitingForSlots(details)) parts.push('waiting for slots')
    const busiest = busiestVertex(details)
    if (busiest !== undefined) parts.push(`busiest: ${busiest.name} ${Math.round(busiest.percent)} %`)
    if (details.checkpoints.completed > 0)
      parts.push(`${formatCount(details.checkpoints.completed)} checkpoints`)
    if (details.restarts > 0) parts.push(`${formatCount(details.restarts)} restarts`)
    return parts.join(', ')
  }
}

/** What the sources have emitted. */
function recordsRead({ graph, vertices }: JobDetails): number {
  const fed = new Set<string>(graph.edges.map(edge => edge.target))
  return sum(
    vertices.filter(vertex => !fed.has(vertex.id)),
    metrics => metrics.recordsOut,
  )
}

/** What has come to the vertices without outputs. */
function recordsAtEnd({ graph, vertices }: JobDetails): number {
  const feeding = new Set<string>(graph.edges.map(edge => edge.source))
  return sum(
    vertices.filter(vertex => !feeding.has(vertex.id)),
    metrics => metrics.recordsIn,
  )
}

type Metrics = JobDetails['vertices'][number]['subtasks'][number]['metrics']

function sum(vertices: JobDetails['vertices'], of: (metrics: Metrics) => number): number {
  let total = 0
  for (const vertex of vertices) for (const subtask of vertex.subtasks) total += of(subtask.metrics)
  return total
}

/** The vertex with the busiest subtask, if one has something to do. */
function busiestVertex({ vertices }: JobDetails): { name: string; percent: number } | undefined {
  let busiest: { name: string; percent: number } | undefined
  for (const { name, subtasks } of vertices) {
    for (const { metrics, status } of subtasks) {
      const percent = (metrics.load?.perSecond.busyMs ?? 0) / 10
      if (status === 'RUNNING' && percent >= 1 && percent > (busiest?.percent ?? 0))
        busiest = { name, percent }
    }
  }
  return busiest
}
