import { useRef } from 'preact/hooks'
import { usePoll } from '../../api/poll.ts'
import type { IoMetrics, Subtask } from '../../api/shapes.ts'
import { Badge, LoadMeter, Shown, TaskCounts } from '../../components/parts.tsx'
import { bytes, count, duration, percent, time } from '../../model/format.ts'
import { type Look, ratesBetween } from '../../model/rates.ts'
import { href } from '../../router.ts'

/** The subtasks of a vertex, the slowest to be found by its bar. */
export function SubtaskTable({ path }: { path: string }) {
  const answer = usePoll<{ now: number; subtasks: readonly Subtask[] }>(path)
  const before = useRef(new Map<string, Look>())
  return (
    <Shown answer={answer} what="subtasks">
      {({ now, subtasks }) => (
        <div class="scroll">
          <Skew subtasks={subtasks} />
          <table>
            <thead>
              <tr>
                <th class="num">#</th>
                <th>State</th>
                <th>Load</th>
                <th class="num">Records in</th>
                <th class="num">Records out</th>
                <th class="num">Read</th>
                <th class="num">Written</th>
                <th class="num">Attempt</th>
                <th>Task manager</th>
                <th class="num">Duration</th>
              </tr>
            </thead>
            <tbody>
              {subtasks.map(subtask => (
                <tr key={subtask.subtask}>
                  <td class="num">{subtask.subtask + 1}</td>
                  <td>
                    <Badge state={subtask.status} />
                  </td>
                  <td>
                    <LoadMeter rates={loadOf(before.current, subtask, now)} />
                  </td>
                  <td class="num">{count(subtask.metrics['read-records'])}</td>
                  <td class="num">{count(subtask.metrics['write-records'])}</td>
                  <td class="num">{bytes(subtask.metrics['read-bytes'])}</td>
                  <td class="num">{bytes(subtask.metrics['write-bytes'])}</td>
                  <td class="num">{subtask.attempt + 1}</td>
                  <td class="nowrap">
                    <TaskManagerLink of={subtask} />
                  </td>
                  <td class="num" title={`started ${time(subtask['start-time'])}`}>
                    {duration(subtask.duration)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Shown>
  )
}

/** Load since the last look; at first since the start. */
function loadOf(before: Map<string, Look>, { subtask, attempt, metrics }: Subtask, now: number) {
  const key = `${subtask}.${attempt}`
  const nothing = Object.fromEntries(Object.keys(metrics).map(name => [name, 0])) as unknown as IoMetrics
  const last = before.get(key) ?? { at: now - 1000, metrics: nothing }
  if (now - last.at > 1000) before.set(key, { at: now, metrics })
  return (
    ratesBetween(last, { at: now, metrics }) ??
    ratesBetween({ at: now - 1000, metrics: nothing }, { at: now, metrics })
  )
}

/** From here on uneven input is worth a sentence. */
const SKEWED = 1.5

function Skew({ subtasks }: { subtasks: readonly Subtask[] }) {
  const received = subtasks.map(({ metrics }) => metrics['read-records'])
  const most = Math.max(...received)
  const average = received.reduce((sum, value) => sum + value, 0) / Math.max(1, received.length)
  if (received.length < 2 || average < 100 || most < SKEWED * average) return null
  return (
    <p class="pad muted">
      Uneven keys: subtask {received.indexOf(most) + 1} has received {percent(most / average)} of the average.
    </p>
  )
}

function TaskManagerLink({ of }: { of: Pick<Subtask, 'taskmanager-id' | 'endpoint' | 'host'> }) {
  const id = of['taskmanager-id']
  const text = of.endpoint ?? of.host ?? id ?? '–'
  if (id === undefined || id === '(unassigned)') return <span class="faint">{text}</span>
  return (
    <a href={href(['task-manager', id])} title={id}>
      {text}
    </a>
  )
}

interface TaskManagerPart {
  readonly 'taskmanager-id': string
  readonly endpoint?: string
  readonly host?: string
  readonly status: string
  readonly 'status-counts': Readonly<Record<string, number>>
  readonly metrics: IoMetrics
  readonly duration: number
}

/** Where the subtasks of a vertex run. */
export function TaskManagersOfVertex({ path }: { path: string }) {
  const answer = usePoll<{ taskmanagers: readonly TaskManagerPart[] }>(`${path}/taskmanagers`)
  return (
    <Shown answer={answer} what="task managers">
      {({ taskmanagers }) => (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Task manager</th>
                <th>Tasks</th>
                <th class="num">Records in</th>
                <th class="num">Records out</th>
                <th class="num">Read</th>
                <th class="num">Written</th>
                <th class="num">Duration</th>
              </tr>
            </thead>
            <tbody>
              {taskmanagers.map(part => (
                <tr key={part['taskmanager-id']}>
                  <td class="nowrap">
                    <TaskManagerLink of={part} />
                  </td>
                  <td>
                    <TaskCounts tasks={part['status-counts']} />
                  </td>
                  <td class="num">{count(part.metrics['read-records'])}</td>
                  <td class="num">{count(part.metrics['write-records'])}</td>
                  <td class="num">{bytes(part.metrics['read-bytes'])}</td>
                  <td class="num">{bytes(part.metrics['write-bytes'])}</td>
                  <td class="num">{duration(part.duration)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Shown>
  )
}
