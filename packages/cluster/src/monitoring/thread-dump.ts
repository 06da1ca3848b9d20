import type { Profiler } from 'node:inspector'
import type { Clock } from '@flink-ts/common'
import type { ThreadDescription } from '@flink-ts/gateways'
import type { NamedThread } from './process-metrics.ts'
import { OUTSIDE, profileOf, profileOfMain } from './thread-profile.ts'

/** How long each thread is looked at. */
const SAMPLING_MS = 100
const MOST_STACKS = 3
const MOST_FRAMES = 40

/**
 * What all threads of this process do: JavaScript cannot be asked where it is, so each is sampled for a moment, and the
 * stacks are told that it was found in most often.
 */
export async function dumpThreads(
  threads: readonly NamedThread[],
  clock: Clock,
): Promise<readonly ThreadDescription[]> {
  return await Promise.all([
    described('main', () => profileOfMain(SAMPLING_MS, clock)),
    ...threads.map(({ name, worker }) => described(name, () => profileOf(worker, SAMPLING_MS, clock))),
  ])
}

async function described(name: string, profile: () => Promise<Profiler.Profile>): Promise<ThreadDescription> {
  try {
    return { name, description: `"${name}"\n${textOf(await profile())}` }
  } catch (error) {
    // It has ended, or is in a long call out of JavaScript.
    const reason = error instanceof Error ? error.message : String(error)
    return { name, description: `"${name}" could not be sampled: ${reason}` }
  }
}

function textOf({ nodes, samples = [] }: Profiler.Profile): string {
  const parents = new Map(nodes.flatMap(node => (node.children ?? []).map(child => [child, node.id])))
  const byId = new Map(nodes.map(node => [node.id, node]))
  const counts = new Map<number, number>()
  for (const id of samples) counts.set(id, (counts.get(id) ?? 0) + 1)
  const busy = [...counts]
    .filter(([id]) => !OUTSIDE.has(byId.get(id)?.callFrame.functionName ?? ''))
    .sort(([, a], [, b]) => b - a)
  const busySamples = busy.reduce((sum, [, count]) => sum + count, 0)
  const percent = (count: number): number => Math.round((100 * count) / Math.max(1, samples.length))
  const head = `  runs JavaScript in ${percent(busySamples)} % of ${samples.length} samples`
  const stacks = busy.slice(0, MOST_STACKS).map(([id, count]) => {
    const frames: string[] = []
    for (let at: number | undefined = id; at !== undefined; at = parents.get(at)) {
      const { functionName, url, lineNumber, columnNumber } = (byId.get(at) as Profiler.ProfileNode).callFrame
      if (OUTSIDE.has(functionName)) continue
      const place = url === '' ? '' : ` (${url}:${lineNumber + 1}:${columnNumber + 1})`
      frames.push(`    at ${functionName === '' ? '(anonymous)' : functionName}${place}`)
    }
    return `  ${percent(count)} %\n${frames.slice(0, MOST_FRAMES).join('\n')}`
  })
  return [head, ...stacks].join('\n')
}
