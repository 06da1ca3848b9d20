import { ReplayDiffers } from '../errors.ts'
import type { JobGraph } from '../graph/job-graph.ts'

/** Throws `jobgraph.replay-differs`, naming the first difference, unless the replay built what was planned. */
export function requireSameTopology(plannedGraph: JobGraph, replayedGraph: JobGraph): void {
  if (replayedGraph.fingerprint === plannedGraph.fingerprint) return
  const [planned, replayed] = [plannedGraph.fingerprintLines, replayedGraph.fingerprintLines]
  const length = Math.max(planned.length, replayed.length)
  let at = 0
  while (at < length - 1 && planned[at] === replayed[at]) at++
  const nothing = '(nothing)'
  throw ReplayDiffers({
    job: plannedGraph.name,
    position: at + 1,
    planned: planned[at] ?? nothing,
    replayed: replayed[at] ?? nothing,
  })
}
