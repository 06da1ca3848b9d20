import type { JobOverview } from '@flink-ts/gateways'
import { isGloballyTerminal } from '@flink-ts/jobgraph'
import { formatTable, formatTime } from '../format.ts'
import { configurationFor, connect, type SessionOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export interface ListOptions extends SessionOptions {
  /** Also jobs that are over. */
  readonly all?: boolean
  /** Jobs that are not over: the default. */
  readonly running?: boolean
  readonly json?: boolean
}

/** `flink list`: jobs of the cluster, the latest first. */
export async function listCommand(options: ListOptions, terminal: Terminal): Promise<void> {
  const cluster = await connect(configurationFor(options), terminal)
  try {
    const all = options.all === true && options.running !== true
    const jobs = (await cluster.listJobs())
      .filter(job => all || !isGloballyTerminal(job.status))
      .sort((a, b) => b.startTime - a.startTime || (a.jobId < b.jobId ? -1 : 1))
    if (options.json === true) terminal.print(JSON.stringify(jobs, null, 2))
    else for (const line of jobTable(jobs, all)) terminal.print(line)
  } finally {
    await cluster.close()
  }
}

/** @param all whether jobs that are over are among them */
function jobTable(jobs: readonly JobOverview[], all: boolean): readonly string[] {
  if (jobs.length === 0)
    return [all ? 'No jobs.' : 'No running jobs. flink list -a shows those that are over.']
  const rows = jobs.map(job => [formatTime(job.startTime), job.jobId, `${job.name} (${job.status})`])
  return formatTable([['START TIME', 'JOB ID', 'NAME (STATUS)'], ...rows])
}
