import { useMemo } from 'preact/hooks'
import type { Job } from '../../api/shapes.ts'
import type { ChainedOperator } from '../../graph/graph-view.tsx'
import { chainOf, operatorMetricId } from '../../model/chain.ts'
import { short } from '../../model/format.ts'
import { hasEnded } from '../jobs.tsx'
import { useEachVertex } from './use-each-vertex.ts'

interface Sum {
  readonly id: string
  readonly sum: number
}

const NONE: ReadonlyMap<string, readonly ChainedOperator[]> = new Map()

/** The operators of each vertex with what they have emitted so far; of larger jobs their names alone. */
export function useChains(job: Job, open: boolean): ReadonlyMap<string, readonly ChainedOperator[]> {
  const names = useMemo(() => new Map(job.vertices.map(({ id, name }) => [id, chainOf(name)])), [job])
  const asked = open && !hasEnded(job) ? job.vertices.map(({ id }) => id) : undefined
  const answers = useEachVertex<readonly Sum[]>(job.jid, asked, id => {
    const ids = (names.get(id) ?? []).map(name => encodeURIComponent(operatorMetricId(name, 'numRecordsOut')))
    return `subtasks/metrics?agg=sum&get=${ids.join(',')}`
  })
  return useMemo(() => {
    if (!open) return NONE
    return new Map(
      [...names].map(([id, chain]) => {
        const sums = new Map(answers.get(id)?.map(({ id: metric, sum }) => [metric, sum]))
        const operators = chain.map((name, index) => {
          const sum = sums.get(operatorMetricId(name, 'numRecordsOut'))
          // What the last one emits is what the vertex sends, or nothing: a sink.
          const last = index === chain.length - 1
          return { name, text: sum === undefined || (last && sum === 0) ? undefined : `${short(sum)} out` }
        })
        return [id, operators]
      }),
    )
  }, [open, names, answers])
}
