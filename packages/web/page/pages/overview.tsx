import { usePoll } from '../api/poll.ts'
import type { ClusterOverview, JobSummary } from '../api/shapes.ts'
import { Panel, Shown, Tile, UsedMeter } from '../components/parts.tsx'
import { href } from '../router.ts'
import { hasEnded, JobTable } from './jobs.tsx'

/** The cluster at a glance. */
export function Overview() {
  const cluster = usePoll<ClusterOverview>('/overview')
  const jobs = usePoll<{ jobs: readonly JobSummary[] }>('/jobs/overview')
  return (
    <>
      <h1 class="unseen">Overview</h1>
      <Shown answer={cluster} what="the cluster">
        {data => <Tiles cluster={data} />}
      </Shown>
      <Panel title="Running jobs">
        <Shown answer={jobs} what="jobs">
          {data => (
            <JobTable
              jobs={data.jobs.filter(job => !hasEnded(job))}
              empty="No job runs. Start one with bin/flink run job.ts"
            />
          )}
        </Shown>
      </Panel>
      <Panel title="Completed lately" end={<a href={href(['jobs', 'completed'])}>All completed jobs</a>}>
        <Shown answer={jobs} what="jobs">
          {data => <JobTable jobs={latestEnded(data.jobs)} empty="No job has ended yet." />}
        </Shown>
      </Panel>
    </>
  )
}

const MAX_COMPLETED = 8

function latestEnded(jobs: readonly JobSummary[]): readonly JobSummary[] {
  return jobs
    .filter(hasEnded)
    .toSorted((a, b) => b['end-time'] - a['end-time'])
    .slice(0, MAX_COMPLETED)
}

function Tiles({ cluster }: { cluster: ClusterOverview }) {
  const total = cluster['slots-total']
  const used = total - cluster['slots-available']
  return (
    <div class="tiles">
      <Tile label="Task managers">
        <a href={href(['task-managers'])}>{cluster.taskmanagers}</a>
      </Tile>
      <Tile label="Slots in use" title="One slot is one thread, which is one core at most">
        {used} <small>of {total}</small>
        <UsedMeter share={total === 0 ? 0 : used / total} />
      </Tile>
      <Tile label="Running">
        <a href={href(['jobs', 'running'])}>{cluster['jobs-running']}</a>
      </Tile>
      <Tile label="Finished">{cluster['jobs-finished']}</Tile>
      <Tile label="Cancelled">{cluster['jobs-cancelled']}</Tile>
      <Tile label="Failed">{cluster['jobs-failed']}</Tile>
    </div>
  )
}
