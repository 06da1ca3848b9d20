import { type JobGraph, type Replay, type ReplayableProgram, requireSameTopology } from '@flink-ts/jobgraph'
import type { ReplayedProgram } from '@flink-ts/operators'

/** Evaluates main again in this thread. */
export type ReplayFunction = (
  program: ReplayableProgram,
  options: { readonly moduleUrl: string },
) => Promise<Replay>

/**
 * The functions of a job, by a replay of its program. Rejects with `jobgraph.replay-differs` if that gives another
 * topology than `graph`, and with the errors of the replay.
 */
export async function loadProgram(
  graph: JobGraph,
  program: ReplayableProgram,
  moduleUrl: string,
  replay: ReplayFunction,
): Promise<ReplayedProgram> {
  const replayed = await replay(program, { moduleUrl })
  requireSameTopology(graph, replayed.graph)
  return replayed.program as ReplayedProgram
}
