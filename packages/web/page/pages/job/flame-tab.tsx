import { useState } from 'preact/hooks'
import { usePoll } from '../../api/poll.ts'
import { FlameGraph } from '../../components/flame-graph.tsx'
import { Empty } from '../../components/parts.tsx'
import type { FlameNode } from '../../model/flame.ts'
import { time } from '../../model/format.ts'

/** GET /jobs/:id/vertices/:id/flamegraph. Without data: the samples are being taken. */
interface FlameGraphAnswer {
  readonly endTimestamp?: number | null
  readonly data?: FlameNode | null
}

const KINDS = [
  ['on_cpu', 'On CPU'],
  ['off_cpu', 'Off CPU'],
  ['full', 'Both'],
] as const

/** Where a vertex, or one of its subtasks, spends its time. */
export function FlameTab({ path, parallelism }: { path: string; parallelism: number }) {
  const [kind, setKind] = useState('on_cpu')
  const [subtask, setSubtask] = useState('')
  const [times, setTimes] = useState(0)
  const of = subtask === '' ? '' : `&subtaskindex=${subtask}`
  return (
    <div class="pad stack">
      <div class="choices-line">
        <label>
          Time{' '}
          <select value={kind} onChange={event => setKind(event.currentTarget.value)}>
            {KINDS.map(([id, label]) => (
              <option key={id} value={id}>
                {label}
              </option>
            ))}
          </select>
        </label>
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
        <button type="button" onClick={() => setTimes(times + 1)}>
          Look again
        </button>
      </div>
      <Samples key={times} path={`${path}/flamegraph?type=${kind}${of}`} />
    </div>
  )
}

function Samples({ path }: { path: string }) {
  const [done, setDone] = useState<string | undefined>()
  // Asked until the samples are there, then no more: taking them costs the tasks time.
  const answer = usePoll<FlameGraphAnswer>(path, done === path ? 'once' : 'live')
  const { data, error } = answer
  const root = data?.data ?? undefined
  if (root !== undefined && done !== path) setDone(path)
  if (error !== undefined && root === undefined) {
    return (
      <Empty>{error.final ? 'This cluster takes no samples of what its tasks do.' : error.message}</Empty>
    )
  }
  if (root === undefined) return <Empty>Samples are being taken …</Empty>
  if (root.value === 0) return <Empty>No sample was found here: nothing ran at that time.</Empty>
  return (
    <>
      <p class="muted">
        {root.value} samples, until {time(data?.endTimestamp ?? undefined)}
      </p>
      <FlameGraph key={data?.endTimestamp} root={root} />
    </>
  )
}
