import { useState } from 'preact/hooks'
import { usePoll } from '../../api/poll.ts'
import type { Job, Vertex } from '../../api/shapes.ts'
import { Empty, Panel, Shown } from '../../components/parts.tsx'
import { duration, time } from '../../model/format.ts'
import { hasEnded } from '../jobs.tsx'

interface SubtaskTimes {
  readonly now: number
  readonly subtasks: readonly {
    readonly subtask: number
    readonly duration: number
    readonly timestamps: Readonly<Record<string, number>>
  }[]
}

interface Span {
  readonly from: number
  readonly to: number
}

/** When vertices ran, and opened up when each subtask was in which state. */
export function TimelineTab({ job }: { job: Job }) {
  const span = { from: job['start-time'], to: hasEnded(job) ? job['end-time'] : job.now }
  const [open, setOpen] = useState<string | undefined>()
  return (
    <Panel
      title="Timeline"
      end={<span class="muted">{`${time(span.from)} + ${duration(span.to - span.from)}`}</span>}
    >
      {job.vertices.map(vertex => (
        <div key={vertex.id}>
          <VertexRow
            vertex={vertex}
            span={span}
            open={open === vertex.id}
            toggle={() => setOpen(open === vertex.id ? undefined : vertex.id)}
          />
          {open === vertex.id && <Subtasks path={`/jobs/${job.jid}/vertices/${vertex.id}`} span={span} />}
        </div>
      ))}
      <div class="pad legend">
        {['SCHEDULED', 'DEPLOYING', 'RUNNING', 'FINISHED', 'CANCELED', 'FAILED'].map(state => (
          <span key={state}>
            <i class={`state-${state}`} />
            {state.toLowerCase()}
          </span>
        ))}
      </div>
    </Panel>
  )
}

interface VertexRowProps {
  readonly vertex: Vertex
  readonly span: Span
  readonly open: boolean
  readonly toggle: () => void
}

function VertexRow({ vertex, span, open, toggle }: VertexRowProps) {
  const from = vertex['start-time']
  const to = vertex['end-time'] < 0 ? span.to : vertex['end-time']
  return (
    <div class="time-row">
      <button type="button" class="link" title={vertex.name} aria-expanded={open} onClick={toggle}>
        {open ? '▾' : '▸'} {vertex.name}
      </button>
      <div class="time-bar">{from >= 0 && <Bar from={from} to={to} span={span} state={vertex.status} />}</div>
    </div>
  )
}

function Bar({ from, to, span, state }: Span & { span: Span; state: string }) {
  const all = Math.max(1, span.to - span.from)
  const left = Math.max(0, ((from - span.from) / all) * 100)
  const width = Math.min(100 - left, ((to - from) / all) * 100)
  return (
    <i
      class={`state-${state}`}
      style={{ left: `${left}%`, width: `${Math.max(0, width)}%` }}
      title={`${state.toLowerCase()}: ${duration(to - from)} from ${time(from)}`}
    />
  )
}

function Subtasks({ path, span }: { path: string; span: Span }) {
  const answer = usePoll<SubtaskTimes>(`${path}/subtasktimes`)
  return (
    <Shown answer={answer} what="the times of subtasks">
      {({ subtasks }) => (
        <>
          {subtasks.length === 0 && <Empty>There are no subtasks.</Empty>}
          {subtasks.map(subtask => {
            const steps = Object.entries(subtask.timestamps)
              .filter(([, at]) => at > 0)
              .toSorted(([, a], [, b]) => a - b)
            return (
              <div class="time-row" key={subtask.subtask}>
                <span class="muted num">subtask {subtask.subtask + 1}</span>
                <div class="time-bar">
                  {steps.map(([state, at], index) => {
                    const end = steps[index + 1]?.[1]
                    const over = ['FINISHED', 'CANCELED', 'FAILED'].includes(state)
                    return (
                      <Bar
                        key={state}
                        state={state}
                        from={at}
                        to={end ?? (over ? at : span.to)}
                        span={span}
                      />
                    )
                  })}
                </div>
              </div>
            )
          })}
        </>
      )}
    </Shown>
  )
}
