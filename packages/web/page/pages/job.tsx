import { useEffect, useState } from 'preact/hooks'
import { usePoll } from '../api/poll.ts'
import type { Exceptions, Job } from '../api/shapes.ts'
import { Badge, Empty, Id, Shown, Tabs } from '../components/parts.tsx'
import { count, duration, time } from '../model/format.ts'
import { type JobHistory, latestRates, withJob } from '../model/job-history.ts'
import { whatLimits } from '../model/why.ts'
import { Accumulators } from './job/accumulators.tsx'
import { JobActions } from './job/actions.tsx'
import { CheckpointsTab } from './job/checkpoints.tsx'
import { ConfigurationTab } from './job/configuration.tsx'
import { ExceptionsTab } from './job/exceptions.tsx'
import { GraphTab } from './job/graph-tab.tsx'
import { Operations } from './job/operations.tsx'
import { TimelineTab } from './job/timeline.tsx'
import { hasEnded } from './jobs.tsx'

const TABS = [
  ['graph', 'Graph'],
  ['checkpoints', 'Checkpoints'],
  ['exceptions', 'Exceptions'],
  ['timeline', 'Timeline'],
  ['configuration', 'Configuration'],
  ['accumulators', 'Accumulators'],
] as const

/** One job: `#/job/<id>/<tab>/...` */
export function JobPage({ path }: { path: readonly string[] }) {
  const [jobId = '', tab = 'graph', ...rest] = path
  const answer = usePoll<Job>(`/jobs/${jobId}`)
  const [history, setHistory] = useState<JobHistory | undefined>()
  const job = answer.data
  useEffect(() => {
    if (job !== undefined) setHistory(before => withJob(before, job))
  }, [job])
  useEffect(() => {
    if (job !== undefined) document.title = `${job.name} – flink-ts`
    return () => {
      document.title = 'flink-ts'
    }
  }, [job?.name])
  return (
    <Shown answer={answer} what="the job">
      {data => (
        <>
          <Head job={data} />
          <Why job={data} history={history} />
          <Operations jobId={jobId} />
          <Tabs base={['job', jobId]} tabs={TABS} current={tab} />
          <Tab tab={tab} path={rest} job={data} history={history} />
        </>
      )}
    </Shown>
  )
}

interface TabProps {
  readonly tab: string
  readonly path: readonly string[]
  readonly job: Job
  readonly history: JobHistory | undefined
}

function Tab({ tab, path, job, history }: TabProps) {
  switch (tab) {
    case 'graph':
      return <GraphTab job={job} history={history} />
    case 'checkpoints':
      return <CheckpointsTab job={job} path={path} />
    case 'exceptions':
      return <ExceptionsTab jobId={job.jid} />
    case 'timeline':
      return <TimelineTab job={job} />
    case 'configuration':
      return <ConfigurationTab jobId={job.jid} />
    case 'accumulators':
      return <Accumulators job={job} />
    default:
      return <Empty>There is no such part of a job.</Empty>
  }
}

function Head({ job }: { job: Job }) {
  const tasks = job.vertices.reduce((all, vertex) => all + vertex.parallelism, 0)
  return (
    <div class="job-head">
      <div>
        <div class="title">
          <h1>{job.name}</h1>
          <Badge state={job.state} />
        </div>
        <div class="facts-line">
          <Id value={job.jid} />
          <span>started {time(job['start-time'])}</span>
          {hasEnded(job) ? <span>ended {time(job['end-time'])}</span> : null}
          <span>{duration(job.duration)}</span>
          <span>
            {count(job.vertices.length)} {job.vertices.length === 1 ? 'vertex' : 'vertices'}, {count(tasks)}{' '}
            {tasks === 1 ? 'task' : 'tasks'}
          </span>
        </div>
      </div>
      <JobActions jobId={job.jid} state={job.state} ended={hasEnded(job)} />
    </div>
  )
}

/** What a job is in trouble with: only then its failures are asked for. */
const IN_TROUBLE = ['FAILED', 'FAILING', 'RESTARTING']

function Why({ job, history }: { job: Job; history: JobHistory | undefined }) {
  const failed = IN_TROUBLE.includes(job.state)
  const exceptions = usePoll<Exceptions>(
    failed ? `/jobs/${job.jid}/exceptions?maxExceptions=1` : undefined,
    'once',
  )
  const rates = history && latestRates(history)
  const inputs = new Map(job.plan.nodes.map(node => [node.id, (node.inputs ?? []).map(({ id }) => id)]))
  const tasks = job.vertices.reduce((all, vertex) => all + vertex.parallelism, 0)
  const notYet = ['CREATED', 'SCHEDULED', 'DEPLOYING', 'INITIALIZING']
  const { text, tone } = whatLimits({
    state: job.state,
    durationMs: job.duration,
    failure: exceptions.data?.['root-exception']?.split('\n')[0]?.replace(/^FlinkError: /, ''),
    waiting: job.vertices.reduce(
      (all, vertex) => all + notYet.reduce((sum, state) => sum + (vertex.tasks[state] ?? 0), 0),
      0,
    ),
    tasks,
    vertices: job.vertices.map(({ id, name, parallelism }) => ({
      ...{ id, name, parallelism },
      inputs: inputs.get(id) ?? [],
      rates: rates?.get(id),
    })),
  })
  return (
    <p class={`why ${tone}`}>
      <b>Why</b>
      <span>{text}</span>
    </p>
  )
}
