import { useMemo } from 'preact/hooks'
import type { Job, Metric } from '../../api/shapes.ts'
import { duration, leastWatermark, watermark } from '../../model/format.ts'
import { useEachVertex } from './use-each-vertex.ts'

/** Least watermark of each vertex, in words with how far it is behind the clock. Of larger jobs it is in the drawer. */
export function useWatermarks(job: Job): ReadonlyMap<string, string> {
  const ids = job.plan.nodes.filter(({ inputs = [] }) => inputs.length > 0).map(({ id }) => id)
  const answers = useEachVertex<readonly Metric[]>(
    job.jid,
    job.state === 'RUNNING' ? ids : undefined,
    () => 'watermarks',
  )
  return useMemo(() => {
    const least = [...answers].map(
      ([id, metrics]) => [id, leastWatermark(metrics.map(({ value }) => value))] as const,
    )
    return new Map(least.flatMap(([id, value]) => (value === undefined ? [] : [[id, inWords(value)]])))
  }, [answers])
}

function inWords(value: string): string {
  const lagMs = Date.now() - Number(value)
  // Far from the clock the lag says nothing: the job reads the past, or counts from zero.
  return lagMs >= 0 && lagMs < 86_400_000 ? `${duration(lagMs)} behind` : watermark(value)
}
