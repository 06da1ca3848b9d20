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

/** Values by metric and what of it: its value, or an aggregate. */
interface Points {
  readonly at: readonly number[]
  readonly values: Readonly<Record<string, readonly (number | undefined)[]>>
}

interface MetricPlotsProps {
  /** Answers names, and with `?get=` values. */
  readonly path: string
  readonly scope: string
  /** The path answers aggregates of several values of each metric. */
  readonly aggregated?: boolean
}

/** A line of a plot, by the field of an answer that has it. */
const VALUE = [['value', '']] as const
const AGGREGATES = [
  ['max', 'most'],
  ['avg', 'average'],
  ['min', 'least'],
] as const

/** Metrics of one thing, chosen by name and plotted from then on. The choice is remembered for all things of a scope. */
export function MetricPlots({ path, scope, aggregated = false }: MetricPlotsProps) {
  const storeKey = `flink-metrics-${scope}`
  const lines = aggregated ? AGGREGATES : VALUE
  const names = usePoll<readonly Metric[]>(path, 'until-some')
  const [filter, setFilter] = useState('')
  const [chosen, setChosen] = useState<readonly string[]>(() => remembered(storeKey))
  const [points, setPoints] = useState<Points>({ at: [], values: {} })
  const known = useMemo(() => new Set(names.data?.map(({ id }) => id)), [names.data])
  const plotted = chosen.filter(id => known.has(id))
  const values = usePoll<readonly Metric[]>(
    plotted.length === 0
      ? undefined
      : `${path}?get=${plotted.map(encodeURIComponent).join(',')}${aggregated ? '&agg=min,max,avg' : ''}`,
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
                    series={lines.map(([field, label]) => ({
                      name: label,
                      values: points.values[`${id} ${field}`] ?? [],
                    }))}
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

function remembered(storeKey: string): readonly string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(storeKey) ?? '[]')
    return Array.isArray(stored) ? stored.filter(id => typeof id === 'string') : []
  } catch {
    return [] // Written by somebody else.
  }
}

function withValues(before: Points, data: readonly Metric[], at: number): Points {
  if (before.at.at(-1) === at) return before
  const last = before.at.length
  const now = new Map(
    data.flatMap(({ id, ...fields }) =>
      Object.entries(fields).map(([field, value]): [string, number] => [`${id} ${field}`, Number(value)]),
    ),
  )
  const keys = new Set([...Object.keys(before.values), ...now.keys()])
  const values: Record<string, (number | undefined)[]> = {}
  for (const key of keys) {
    const value = now.get(key)
    // One that was chosen later has no values before.
    const earlier = before.values[key] ?? Array.from({ length: last }, () => undefined)
    values[key] = [...earlier, Number.isFinite(value) ? value : undefined].slice(-MAX_POINTS)
  }
  return { at: [...before.at, at].slice(-MAX_POINTS), values }
}
