import { useState } from 'preact/hooks'
import { usePoll } from '../api/poll.ts'
import type { JobSummary } from '../api/shapes.ts'
import { Badge, Empty, Panel, Shown, Tabs, TaskCounts } from '../components/parts.tsx'
import { duration, time } from '../model/format.ts'
import { href } from '../router.ts'

const ENDED = ['FINISHED', 'FAILED', 'CANCELED']

/** Whether nothing will happen to a job any more. */
export function hasEnded({ state }: { readonly state: string }): boolean {
  return ENDED.includes(state)
}

/** All jobs, running or completed. */
export function Jobs({ shown }: { shown: string }) {
  const jobs = usePoll<{ jobs: readonly JobSummary[] }>('/jobs/overview')
  const [filter, setFilter] = useState('')
  const completed = shown === 'completed'
  const wanted = filter.toLowerCase()
  const matches = ({ name, jid, state }: JobSummary): boolean =>
    [name, jid, state].some(text => text.toLowerCase().includes(wanted))
  const search = (
    <input
      type="search"
      placeholder="Name, id or state"
      aria-label="Filter jobs"
      value={filter}
      onInput={event => setFilter(event.currentTarget.value)}
    />
  )
  return (
    <>
      <h1>Jobs</h1>
      <Tabs
        base={['jobs']}
        current={completed ? 'completed' : 'running'}
        tabs={[
          ['running', 'Running'],
          ['completed', 'Completed'],
        ]}
      />
      <Panel title={completed ? 'Completed jobs' : 'Running jobs'} end={search}>
        <Shown answer={jobs} what="jobs">
          {data => (
            <JobTable
              jobs={data.jobs.filter(job => hasEnded(job) === completed && matches(job))}
              empty={completed ? 'No job has ended yet.' : 'No job runs.'}
            />
          )}
        </Shown>
      </Panel>
    </>
  )
}

/** Jobs, newest first. */
export function JobTable({ jobs, empty }: { jobs: readonly JobSummary[]; empty: string }) {
  if (jobs.length === 0) return <Empty>{empty}</Empty>
  const sorted = jobs.toSorted((a, b) => b['start-time'] - a['start-time'])
  return (
    <div class="scroll">
      <table>
        <thead>
          <tr>
            <th>Job</th>
            <th>State</th>
            <th>Tasks</th>
            <th>Started</th>
            <th class="num">Duration</th>
          </tr>
        </thead>
        <tbody>
          {sorted.map(job => (
            <tr key={job.jid}>
              <td class="wide">
                <a href={href(['job', job.jid])} title={job.jid}>
                  {job.name}
                </a>
              </td>
              <td>
                <Badge state={job.state} />
              </td>
              <td>
                <TaskCounts tasks={job.tasks} />
              </td>
              <td class="nowrap">{time(job['start-time'])}</td>
              <td class="num">{duration(job.duration)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
