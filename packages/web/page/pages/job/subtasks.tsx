import { usePoll } from '../../api/poll.ts'
import type { IoMetrics, Subtask } from '../../api/shapes.ts'
import { Badge, LoadMeter, Shown, TaskCounts } from '../../components/parts.tsx'
import { bytes, count, duration, time } from '../../model/format.ts'
import { href } from '../../router.ts'
import { type SubtasksAnswer, useSubtaskRates } from './use-subtask-rates.ts'

/** The subtasks of a vertex, the slowest to be found by its bar. */
export function SubtaskTable({ path }: { path: string }) {
  const answer = usePoll<SubtasksAnswer>(path)
  const rates = useSubtaskRates(answer.data)
  return (
    <Shown answer={answer} what="subtasks">
      {({ subtasks }) => (
        <div class="scroll">
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
                    <LoadMeter rates={rates.get(subtask.subtask)} />
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
