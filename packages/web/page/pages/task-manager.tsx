import { usePoll } from '../api/poll.ts'
import type { JobSummary, TaskManager } from '../api/shapes.ts'
import { LogFiles } from '../components/log-files.tsx'
import { MetricPlots } from '../components/metric-plots.tsx'
import { Empty, Facts, Panel, Shown, Tabs, Tile, UsedMeter } from '../components/parts.tsx'
import { Profiler } from '../components/profiler.tsx'
import { ThreadDump } from '../components/thread-dump.tsx'
import { bytes, count, duration } from '../model/format.ts'
import { href } from '../router.ts'

const TABS = [
  ['overview', 'Overview'],
  ['metrics', 'Metrics'],
  ['logs', 'Logs'],
  ['stdout', 'Stdout'],
  ['threads', 'Thread dump'],
  ['profiler', 'Profiler'],
] as const

/** One task manager: `#/task-manager/<id>/<tab>` */
export function TaskManagerPage({ path }: { path: readonly string[] }) {
  const [id = '', tab = 'overview'] = path
  const place = ['task-manager', id]
  const process = `/taskmanagers/${encodeURIComponent(id)}`
  return (
    <>
      <p class="muted">
        <a href={href(['task-managers'])}>Task managers</a>
      </p>
      <h1>{id}</h1>
      <Tabs base={place} tabs={TABS} current={tab} />
      {tab === 'overview' && <Overview process={process} />}
      {tab === 'metrics' && (
        <Panel title="Metrics">
          <MetricPlots path={`${process}/metrics`} scope="task-manager" />
        </Panel>
      )}
      {(tab === 'logs' || tab === 'stdout') && (
        <LogFiles
          key={tab}
          process={process}
          place={[...place, tab]}
          kind={tab === 'logs' ? 'log' : 'stdout'}
        />
      )}
      {tab === 'threads' && <ThreadDump process={process} />}
      {tab === 'profiler' && <Profiler process={process} />}
    </>
  )
}

function Overview({ process }: { process: string }) {
  const answer = usePoll<TaskManager>(process)
  return (
    <Shown answer={answer} what="the task manager">
      {taskManager => (
        <>
          <Tiles of={taskManager} />
          <Memory of={taskManager} />
          <Slots of={taskManager} />
          <Collectors of={taskManager} />
        </>
      )}
    </Shown>
  )
}

function Tiles({ of }: { of: TaskManager }) {
  const used = of.slotsNumber - of.freeSlots
  return (
    <div class="tiles">
      <Tile label="Slots in use">
        {used} <small>of {of.slotsNumber}</small>
        <UsedMeter share={of.slotsNumber === 0 ? 0 : used / of.slotsNumber} />
      </Tile>
      <Tile label="Heard of">{duration(Math.max(0, Date.now() - of.timeSinceLastHeartbeat))} ago</Tile>
      <Tile label="Address">
        {of.path}
        <small>:{of.dataPort}</small>
      </Tile>
      <Tile label="Cores">{count(of.hardware['cpuCores'])}</Tile>
      <Tile label="Memory of the host">{bytes(of.hardware['physicalMemory'])}</Tile>
    </div>
  )
}

/** Parts of the memory: what is used of them, and what they may have. */
const MEMORY = [
  ['Heap of the process', 'heapUsed', 'heapMax', undefined],
  ['Outside of the heap', 'nonHeapUsed', undefined, undefined],
  ['Buffers', 'directUsed', undefined, undefined],
  ['Network', 'nettyShuffleMemoryUsed', 'nettyShuffleMemoryTotal', 'networkMemory'],
  ['All slots', undefined, undefined, 'taskHeap'],
] as const

function Memory({ of }: { of: TaskManager }) {
  const { metrics = {}, memoryConfiguration = {} } = of
  const numberOf = (key: string | undefined): number | undefined => {
    const value = key === undefined ? undefined : metrics[key]
    return typeof value === 'number' ? value : undefined
  }
  const rows = MEMORY.map(([label, usedKey, maxKey, configured]) => {
    const most = numberOf(maxKey) ?? (configured === undefined ? undefined : memoryConfiguration[configured])
    return { label, used: numberOf(usedKey), most }
  }).filter(({ used, most }) => used !== undefined || most !== undefined)
  return (
    <Panel title="Memory">
      {rows.length === 0 && <Empty>This task manager does not tell of its memory.</Empty>}
      {rows.length > 0 && (
        <div class="scroll">
          <table>
            <thead>
              <tr>
                <th>Part</th>
                <th class="num">Used</th>
                <th class="num">At most</th>
                <th style={{ width: '45%' }} />
              </tr>
            </thead>
            <tbody>
              {rows.map(({ label, used, most }) => (
                <tr key={label}>
                  <td>{label}</td>
                  <td class="num">{bytes(used)}</td>
                  <td class="num">{bytes(most)}</td>
                  <td style={{ verticalAlign: 'middle' }}>
                    {used !== undefined && most !== undefined && most > 0 && (
                      <UsedMeter share={used / most} />
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  )
}

function Slots({ of }: { of: TaskManager }) {
  const jobs = usePoll<{ jobs: readonly JobSummary[] }>('/jobs/overview', 'once')
  const { allocatedSlots } = of
  if (allocatedSlots === undefined) return null
  const names = new Map(jobs.data?.jobs.map(({ jid, name }) => [jid, name]))
  const slots = Map.groupBy(allocatedSlots, ({ jobId }) => jobId)
  return (
    <Panel title="Jobs in its slots">
      {slots.size === 0 && <Empty>All slots are free.</Empty>}
      {slots.size > 0 && (
        <div class="pad">
          <Facts
            of={[...slots].map(([jobId, own]) => [
              `${own.length} ${own.length === 1 ? 'slot' : 'slots'}`,
              <a href={href(['job', jobId])}>{names.get(jobId) ?? jobId}</a>,
            ])}
          />
        </div>
      )}
    </Panel>
  )
}

interface Collector {
  readonly name: string
  readonly count: number
  readonly time: number
}

function Collectors({ of }: { of: TaskManager }) {
  const collectors = of.metrics?.['garbageCollectors'] as readonly Collector[] | undefined
  if (collectors === undefined || collectors.length === 0) return null
  return (
    <Panel title="Garbage collection">
      <div class="pad">
        <Facts
          of={collectors.map(({ name, count: times, time }) => [
            name,
            `${count(times)} times, ${duration(time)} in all`,
          ])}
        />
      </div>
    </Panel>
  )
}
