import type { JobGraph, Replay, ReplayableProgram } from '@flink-ts/jobgraph'
import type { ReplayedProgram } from '@flink-ts/operators'
import { ReplayDiffers } from '../errors.ts'

/** Evaluates main again in this thread. */
export type ReplayFunction = (
  program: ReplayableProgram,
  options: { readonly moduleUrl: string },
) => Promise<Replay>

/**
 * The functions of a job, by a replay of its program. Rejects with `taskmanager.replay-differs` if that gives another
 * topology than `graph`, and with the errors of the replay.
 */
export async function loadProgram(
  graph: JobGraph,
  program: ReplayableProgram,
  moduleUrl: string,
  replay: ReplayFunction,
): Promise<ReplayedProgram> {
  const replayed = await replay(program, { moduleUrl })
  if (replayed.graph.fingerprint !== graph.fingerprint) {
    const [planned, again] = [graph.fingerprintLines, replayed.graph.fingerprintLines]
    const length = Math.max(planned.length, again.length)
    let at = 0
    while (at < length - 1 && planned[at] === again[at]) at++
    const nothing = '(nothing)'
    throw ReplayDiffers({
      job: graph.name,
      position: at + 1,
      planned: planned[at] ?? nothing,
      replayed: again[at] ?? nothing,
    })
  }
  return replayed.program as ReplayedProgram
}
