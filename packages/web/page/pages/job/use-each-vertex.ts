import { useEffect, useState } from 'preact/hooks'
import { get } from '../../api/client.ts'
import { poll, refreshMs } from '../../api/poll.ts'

/** More are asked for in none: each is a request, again and again. */
const MAX_ASKED_VERTICES = 30

/**
 * Answers for several vertices of a job, by their ids, refreshed together. Of more than {@link MAX_ASKED_VERTICES}
 * nothing is asked.
 * @param ids undefined: nothing to ask now
 * @param pathOf path below the vertex; must depend on nothing but the id
 */
export function useEachVertex<T>(
  jobId: string,
  ids: readonly string[] | undefined,
  pathOf: (vertexId: string) => string,
): ReadonlyMap<string, T> {
  const [answers, setAnswers] = useState<ReadonlyMap<string, T>>(new Map())
  const everyMs = refreshMs.value
  const asked = ids === undefined || ids.length > MAX_ASKED_VERTICES ? '' : ids.join()
  useEffect(() => {
    if (asked === '') return setAnswers(new Map())
    const ask = (signal: AbortSignal) =>
      Promise.all(
        asked
          .split(',')
          .map(
            async id => [id, await get<T>(`/jobs/${jobId}/vertices/${id}/${pathOf(id)}`, signal)] as const,
          ),
      )
    return poll(
      ask,
      result => {
        if (result instanceof Error) return !result.final
        setAnswers(new Map(result))
        return true
      },
      everyMs,
    )
  }, [jobId, asked, everyMs])
  return answers
}
