import { useEffect, useMemo, useState } from 'preact/hooks'
import { usePoll } from '../api/poll.ts'
import type { Metric } from '../api/shapes.ts'
import { short } from '../model/format.ts'
import { Chart } from './chart.tsx'
import { Empty, Shown } from './parts.tsx'

/** Points of a plot: ten minutes at the usual refresh interval. */
const MAX_POINTS = 200
/** More at once than this nobody looks at. */
const MAX_CHOSEN = 12
const MAX_LISTED = 200

interface Points {
  readonly at: readonly number[]
  readonly values: Readonly<Record<string, readonly (number | undefined)[]>>
}

/**
 * Metrics of one thing, chosen by name and plotted from then on. The choice is remembered for all things of a scope.
 * @param path answers names, and with `?get=` values
 */
export function MetricPlots({ path, scope }: { path: string; scope: string }) {
  const storeKey = `flink-metrics-${scope}`
  const names = usePoll<readonly Metric[]>(path, 'once')
  const [filter, setFilter] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>(() =>
    JSON.parse(localStorage.getItem(storeKey) ?? '[]'),
  )
  const [points, setPoints] = useState<Points>({ at: [], values: {} })
  const known = useMemo(() => new Set(names.data?.map(({ id }) => id)), [names.data])
  const plotted = chosen.filter(id => known.has(id))
  const values = usePoll<readonly Metric[]>(
    plotted.length === 0 ? undefined : `${path}?get=${plotted.map(encodeURIComponent).join(',')}`,
  )
  useEffect(() => {
    const { data, at } = values
    if (data !== undefined) setPoints(before => withValues(before, data, at))
  }, [values])
  const choose = (id: string): void => {
    const next = chosen.includes(id)
      ? chosen.filter(other => other !== id)
      : [...chosen, id].slice(-MAX_CHOSEN)
    setChosen(next)
    localStorage.setItem(storeKey, JSON.stringify(next))
  }
  const wanted = filter.toLowerCase()
  return (
    <Shown answer={names} what="metrics">
      {all => {
        const matching = all.map(({ id }) => id).filter(id => id.toLowerCase().includes(wanted))
        return (
          <div class="pad stack">
            {plotted.length > 0 && (
              <div class="charts">
                {plotted.map(id => (
                  <Chart
                    key={id}
                    title={id}
                    at={points.at}
                    series={[{ name: id, values: points.values[id] ?? [] }]}
                    write={short}
                  />
                ))}
              </div>
            )}
            <input
              type="search"
              placeholder={`Find one of ${all.length} metrics`}
              aria-label="Find a metric"
              value={filter}
              onInput={event => setFilter(event.currentTarget.value)}
            />
            {matching.length === 0 && (
              <Empty>{all.length === 0 ? 'Nothing is measured here.' : 'No such metric.'}</Empty>
            )}
            <ul class="choices">
              {matching
                .toSorted()
                .slice(0, MAX_LISTED)
                .map(id => (
                  <li key={id}>
                    <label title={id}>
                      <input type="checkbox" checked={chosen.includes(id)} onChange={() => choose(id)} /> {id}
                    </label>
                  </li>
                ))}
            </ul>
            {matching.length > MAX_LISTED && (
              <p class="muted">{matching.length - MAX_LISTED} more: type a part of the name.</p>
            )}
          </div>
        )
      }}
    </Shown>
  )
}

function withValues(before: Points, data: readonly Metric[], at: number): Points {
  if (before.at.at(-1) === at) return before
  const last = before.at.length
  const now = new Map(data.map(({ id, value }) => [id, Number(value)]))
  const ids = new Set([...Object.keys(before.values), ...now.keys()])
  const values: Record<string, (number | undefined)[]> = {}
  for (const id of ids) {
    const value = now.get(id)
    // One that was chosen later has no values before.
    const earlier = before.values[id] ?? Array.from({ length: last }, () => undefined)
    values[id] = [...earlier, Number.isFinite(value) ? value : undefined].slice(-MAX_POINTS)
  }
  return { at: [...before.at, at].slice(-MAX_POINTS), values }
}
