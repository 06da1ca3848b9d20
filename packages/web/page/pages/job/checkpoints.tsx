import { usePoll } from '../../api/poll.ts'
import type { Checkpoint, Checkpoints, Job } from '../../api/shapes.ts'
import { Empty, Facts, Panel, Shown, Tabs, Tile } from '../../components/parts.tsx'
import { bytes, count, duration, time } from '../../model/format.ts'
import { CheckpointDetails } from './checkpoint-details.tsx'
import { CheckpointFacts } from './checkpoint-facts.tsx'
import { CheckpointHistory } from './checkpoint-history.tsx'

const TABS = [
  ['overview', 'Overview'],
  ['history', 'History'],
  ['summary', 'Summary'],
  ['configuration', 'Configuration'],
] as const

/** Checkpoints of a job in four parts; `history/<id>` is one of them. */
export function CheckpointsTab({ job, path }: { job: Job; path: readonly string[] }) {
  const [part = 'overview', checkpointId] = path
  const answer = usePoll<Checkpoints>(
    part === 'configuration' || checkpointId !== undefined ? undefined : `/jobs/${job.jid}/checkpoints`,
  )
  const place = ['job', job.jid, 'checkpoints']
  const base = `/jobs/${job.jid}/checkpoints`
  return (
    <>
      <Tabs base={place} tabs={TABS} current={part} />
      {part === 'configuration' && <Configuration path={`${base}/config`} />}
      {part === 'history' && checkpointId !== undefined && (
        <CheckpointDetails job={job} path={`${base}/details/${checkpointId}`} />
      )}
      {part !== 'configuration' && checkpointId === undefined && (
        <Shown answer={answer} what="checkpoints">
          {data => {
            if (part === 'history') return <CheckpointHistory place={place} history={data.history} />
            return part === 'summary' ? <SummaryPanel data={data} /> : <Overview data={data} />
          }}
        </Shown>
      )}
    </>
  )
}

function Overview({ data }: { data: Checkpoints }) {
  const { counts, latest } = data
  return (
    <>
      <div class="tiles">
        <Tile label="Completed">{count(counts.completed)}</Tile>
        <Tile label="In progress">{count(counts.in_progress)}</Tile>
        <Tile label="Failed">{count(counts.failed)}</Tile>
        <Tile label="Triggered">{count(counts.total)}</Tile>
        <Tile label="Restored">{count(counts.restored)}</Tile>
      </div>
      <Latest
        title="Latest completed checkpoint"
        of={latest.completed}
        none="No checkpoint has completed yet."
      />
      <Latest title="Latest savepoint" of={latest.savepoint} none="No savepoint has been taken." />
      <Latest title="Latest failed checkpoint" of={latest.failed} none="None has failed." />
      <Panel title="Latest restore">
        {latest.restored === null ? (
          <Empty>The job has not been restored.</Empty>
        ) : (
          <div class="pad">
            <Facts
              of={[
                ['Id', latest.restored.id],
                ['Kind', latest.restored.is_savepoint ? 'savepoint' : 'checkpoint'],
                ['Restored', time(latest.restored.restore_timestamp)],
                ['Path', <code>{latest.restored.external_path ?? '–'}</code>],
              ]}
            />
          </div>
        )}
      </Panel>
    </>
  )
}

function Latest({ title, of, none }: { title: string; of: Checkpoint | null; none: string }) {
  if (of === null) {
    return (
      <Panel title={title}>
        <Empty>{none}</Empty>
      </Panel>
    )
  }
  return (
    <Panel title={title}>
      <div class="pad">
        <CheckpointFacts of={of} />
      </div>
    </Panel>
  )
}

const SUMMARY_ROWS = [
  ['end_to_end_duration', 'Duration', duration],
  ['checkpointed_size', 'Written', bytes],
  ['state_size', 'State', bytes],
  ['persisted_data', 'Records on their way', bytes],
] as const
const COLUMNS = ['min', 'avg', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const
const COLUMN_LABELS: Readonly<Record<string, string>> = {
  ...{
    min: 'Least',
    avg: 'Average',
    p50: '50 %',
    p90: '90 %',
    p95: '95 %',
    p99: '99 %',
    p999: '99.9 %',
    max: 'Most',
  },
}

function SummaryPanel({ data }: { data: Checkpoints }) {
  if (data.counts.completed === 0) {
    return (
      <Panel title="Completed checkpoints">
        <Empty>No checkpoint has completed yet.</Empty>
      </Panel>
    )
  }
  return (
    <Panel title={`${count(data.counts.completed)} completed checkpoints`}>
      <div class="scroll">
        <table>
          <thead>
            <tr>
              <th />
              {COLUMNS.map(column => (
                <th key={column} class="num">
                  {COLUMN_LABELS[column]}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {SUMMARY_ROWS.map(([key, label, write]) => (
              <tr key={key}>
                <td>{label}</td>
                {COLUMNS.map(column => (
                  <td key={column} class="num">
                    {write(data.summary[key]?.[column])}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

interface CheckpointConfiguration {
  readonly mode: string
  readonly interval: number
  readonly timeout: number
  readonly min_pause: number
  readonly max_concurrent: number
  readonly unaligned_checkpoints: boolean
  readonly aligned_checkpoint_timeout?: number
  readonly tolerable_failed_checkpoints?: number
  readonly externalization: { readonly enabled: boolean; readonly delete_on_cancellation: boolean }
  readonly state_backend?: string
  readonly checkpoint_storage?: string
  readonly checkpoints_after_tasks_finish?: boolean
}

/** An interval above this is none: checkpoints are off. */
const NEVER_MS = Number.MAX_SAFE_INTEGER

function Configuration({ path }: { path: string }) {
  const answer = usePoll<CheckpointConfiguration>(path, 'once')
  return (
    <Panel title="How this job takes checkpoints">
      <Shown answer={answer} what="the configuration">
        {config => (
          <div class="pad">
            <Facts
              of={[
                ['Mode', config.mode.replaceAll('_', ' ')],
                [
                  'Interval',
                  config.interval >= NEVER_MS ? 'none: no periodic checkpoints' : duration(config.interval),
                ],
                ['Pause between two', duration(config.min_pause)],
                ['At a time', config.max_concurrent],
                ['Expire after', duration(config.timeout)],
                ['Failures tolerated', config.tolerable_failed_checkpoints ?? '–'],
                ['Unaligned', unaligned(config)],
                ['After the end', retention(config)],
                ['State backend', config.state_backend ?? '–'],
                [
                  'Storage',
                  <code>{config.checkpoint_storage === '' ? '–' : (config.checkpoint_storage ?? '–')}</code>,
                ],
              ]}
            />
          </div>
        )}
      </Shown>
    </Panel>
  )
}

function unaligned({
  unaligned_checkpoints: on,
  aligned_checkpoint_timeout: timeout = 0,
}: CheckpointConfiguration): string {
  if (!on) return 'no'
  return timeout > 0 ? `after ${duration(timeout)} of waiting` : 'from the start'
}

function retention({ externalization }: CheckpointConfiguration): string {
  if (!externalization.enabled) return 'checkpoints are removed'
  return externalization.delete_on_cancellation
    ? 'checkpoints are kept after a failure, removed when it is cancelled'
    : 'checkpoints are kept'
}
