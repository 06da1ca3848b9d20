import { useState } from 'preact/hooks'
import { MetricPlots } from '../../components/metric-plots.tsx'

/** Metrics of a vertex: of all its subtasks by their least, average and most, or of one of them. */
export function VertexMetrics({ path, parallelism }: { path: string; parallelism: number }) {
  const [subtask, setSubtask] = useState('')
  const place = subtask === '' ? `${path}/subtasks/metrics` : `${path}/subtasks/${subtask}/metrics`
  return (
    <>
      <div class="pad choices-line">
        <label>
          Of{' '}
          <select value={subtask} onChange={event => setSubtask(event.currentTarget.value)}>
            <option value="">all subtasks</option>
            {Array.from({ length: parallelism }, (_, index) => (
              <option key={index} value={index}>
                subtask {index + 1}
              </option>
            ))}
          </select>
        </label>
      </div>
      <MetricPlots key={place} path={place} scope="subtask" aggregated={subtask === '' && parallelism > 1} />
    </>
  )
}
