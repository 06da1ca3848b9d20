import { useEffect, useRef } from 'preact/hooks'
import { usePoll } from '../../api/poll.ts'
import type { Job, Metric, Vertex } from '../../api/shapes.ts'
import { Badge, Empty, Facts, Id, LoadMeter, Shown, Tabs, TaskCounts } from '../../components/parts.tsx'
import { chainOf } from '../../model/chain.ts'
import { bytes, count, duration, percent, short, time, watermark } from '../../model/format.ts'
import type { Rates } from '../../model/rates.ts'
import { hasEnded } from '../jobs.tsx'
import { AccumulatorTable, type AccumulatorValue } from './accumulators.tsx'
import { FlameTab } from './flame-tab.tsx'
import { KeysLook } from './keys-look.tsx'
import { SkewTab } from './skew.tsx'
import { SubtaskTable, TaskManagersOfVertex } from './subtasks.tsx'
import { TapTab } from './tap-tab.tsx'
import { VertexMetrics } from './vertex-metrics.tsx'

const TABS = [
  ['detail', 'Detail'],
  ['subtasks', 'Subtasks'],
  ['skew', 'Data skew'],
  ['task-managers', 'Task managers'],
  ['watermarks', 'Watermarks'],
  ['back-pressure', 'Back pressure'],
  ['accumulators', 'Accumulators'],
  ['metrics', 'Metrics'],
  ['flame-graph', 'Flame graph'],
  ['tap', 'Live tap'],
] as const

interface DrawerProps {
  readonly job: Job
  readonly vertex: Vertex
  readonly show: string
  readonly rates: Rates | undefined
  readonly close: () => void
}

/** One vertex beside the graph. Escape closes it. */
export function VertexDrawer({ job, vertex, show, rates, close }: DrawerProps) {
  const box = useRef<HTMLElement>(null)
  useEffect(() => {
    const before = document.activeElement
    box.current?.focus()
    return () => {
      if (before instanceof HTMLElement) before.focus()
    }
  }, [vertex.id])
  return (
    <aside
      class="drawer"
      ref={box}
      tabIndex={-1}
      aria-label={vertex.name}
      onKeyDown={event => {
        if (event.key === 'Escape') close()
      }}
    >
      <header>
        <div>
          <h2>{vertex.name}</h2>
          <Badge state={vertex.status} /> <span class="muted">×{vertex.parallelism}</span>
        </div>
        <button type="button" class="plain close" aria-label="Close" onClick={close}>
          ✕
        </button>
      </header>
      <Tabs base={['job', job.jid, 'graph']} tabs={TABS} current={show} parameter="show" />
      <div class="body">
        <Content job={job} vertex={vertex} show={show} rates={rates} />
      </div>
    </aside>
  )
}

function Content({ job, vertex, show, rates }: Omit<DrawerProps, 'close'>) {
  const path = `/jobs/${job.jid}/vertices/${vertex.id}`
  const live = !hasEnded(job)
  const receives = job.plan.nodes.some(({ id, inputs = [] }) => id === vertex.id && inputs.length > 0)
  switch (show) {
    case 'subtasks':
      return <SubtaskTable path={path} />
    case 'task-managers':
      return <TaskManagersOfVertex path={path} />
    case 'watermarks':
      return <Watermarks path={path} />
    case 'back-pressure':
      return <BackPressure path={path} />
    case 'accumulators':
      return <AccumulatorsOfVertex path={path} />
    case 'metrics':
      return <VertexMetrics key={path} path={path} parallelism={vertex.parallelism} />
    case 'skew':
      return (
        <>
          <SkewTab path={path} />
          {live && receives && (
            <div class="pad">
              <KeysLook key={path} path={path} />
            </div>
          )}
        </>
      )
    case 'flame-graph':
      if (!live) return <Empty>The job is over.</Empty>
      return <FlameTab key={path} path={path} parallelism={vertex.parallelism} />
    case 'tap': {
      if (!live) return <Empty>The job is over.</Empty>
      const sends = job.plan.nodes.some(({ inputs = [] }) => inputs.some(({ id }) => id === vertex.id))
      return <TapTab key={path} path={path} parallelism={vertex.parallelism} {...{ receives, sends }} />
    }
    default:
      return <Detail vertex={vertex} rates={rates} />
  }
}

function Detail({ vertex, rates }: { vertex: Vertex; rates: Rates | undefined }) {
  const { metrics } = vertex
  const chain = chainOf(vertex.name)
  return (
    <div class="pad">
      <Facts
        of={[
          ['Vertex', <Id value={vertex.id} />],
          ['Parallelism', `${vertex.parallelism} (at most ${vertex.maxParallelism})`],
          ['Tasks', <TaskCounts tasks={vertex.tasks} />],
          ['Started', time(vertex['start-time'])],
          ['Ended', time(vertex['end-time'])],
          ['Duration', duration(vertex.duration)],
          ['Received', `${count(metrics['read-records'])} records, ${bytes(metrics['read-bytes'])}`],
          ['Sent', `${count(metrics['write-records'])} records, ${bytes(metrics['write-bytes'])}`],
          ...(rates === undefined
            ? []
            : ([
                [
                  'Now',
                  `${short(rates.recordsInPerSecond)} in, ${short(rates.recordsOutPerSecond)} out by second`,
                ],
                [
                  'Load',
                  `busy ${percent(rates.busy)}, back-pressured ${percent(rates.backPressured)}, idle ${percent(rates.idle)}`,
                ],
              ] as const)),
          [
            chain.length === 1 ? 'Operator' : 'Operators',
            <ol class="chain">
              {chain.map((operator, index) => (
                <li key={index}>{operator}</li>
              ))}
            </ol>,
          ],
        ]}
      />
    </div>
  )
}

interface Watermark extends Metric {
  readonly since?: number
  readonly 'held-by'?: readonly string[]
}

function Watermarks({ path }: { path: string }) {
  const answer = usePoll<readonly Watermark[]>(`${path}/watermarks`)
  return (
    <Shown answer={answer} what="watermarks">
      {watermarks =>
        watermarks.length === 0 ? (
          <Empty>No task here waits for event time.</Empty>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th class="num">Subtask</th>
                  <th>Watermark</th>
                  <th>There since</th>
                  <th>Held back by</th>
                </tr>
              </thead>
              <tbody>
                {watermarks.map(({ id, value, since, 'held-by': heldBy = [] }) => (
                  <tr key={id}>
                    <td class="num">{Number.parseInt(id, 10) + 1}</td>
                    <td class="nowrap">{watermark(value)}</td>
                    <td class="nowrap">{time(since)}</td>
                    <td>{heldBy.join(', ')}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Shown>
  )
}

interface BackPressureAnswer {
  readonly status: string
  readonly 'backpressure-level'?: string
  readonly subtasks?: readonly {
    readonly subtask: number
    readonly 'backpressure-level': string
    readonly ratio: number
    readonly idleRatio: number
    readonly busyRatio: number
  }[]
}

const LEVELS: Readonly<Record<string, string>> = { ok: 'good', low: 'warn', high: 'bad' }

function BackPressure({ path }: { path: string }) {
  const answer = usePoll<BackPressureAnswer>(`${path}/backpressure`)
  return (
    <Shown answer={answer} what="back pressure">
      {({ subtasks = [] }) =>
        subtasks.length === 0 ? (
          <Empty>No task runs here.</Empty>
        ) : (
          <div class="scroll">
            <table>
              <thead>
                <tr>
                  <th class="num">Subtask</th>
                  <th>Load</th>
                  <th class="num">Back-pressured</th>
                  <th class="num">Busy</th>
                  <th class="num">Idle</th>
                  <th>Level</th>
                </tr>
              </thead>
              <tbody>
                {subtasks.map(({ subtask, ratio, idleRatio, busyRatio, 'backpressure-level': level }) => (
                  <tr key={subtask}>
                    <td class="num">{subtask + 1}</td>
                    <td>
                      <LoadMeter rates={{ busy: busyRatio, backPressured: ratio, idle: idleRatio }} />
                    </td>
                    <td class="num">{percent(ratio)}</td>
                    <td class="num">{percent(busyRatio)}</td>
                    <td class="num">{percent(idleRatio)}</td>
                    <td>
                      <span class={`badge ${LEVELS[level] ?? ''}`}>{level}</span>
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )
      }
    </Shown>
  )
}

function AccumulatorsOfVertex({ path }: { path: string }) {
  const answer = usePoll<{ 'user-accumulators': readonly AccumulatorValue[] }>(`${path}/accumulators`)
  return (
    <Shown answer={answer} what="accumulators">
      {data => <AccumulatorTable values={data['user-accumulators']} />}
    </Shown>
  )
}
