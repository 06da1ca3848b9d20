import type { ClusterClient } from '@flink-ts/client'
import type { JobOverview } from '@flink-ts/gateways'
import { isGloballyTerminal } from '@flink-ts/jobgraph'
import { formatFlinkTime } from '../format.ts'
import { describeWait, isWaitingForSlots, type SlotWait, slotWaitOf } from '../job-notes.ts'
import { configurationFor, connect, type SessionOptions } from '../session.ts'
import type { Terminal } from '../terminal.ts'

export interface ListOptions extends SessionOptions {
  /** Jobs that run or restart. */
  readonly running?: boolean
  /** Jobs that were accepted and do not run yet. */
  readonly scheduled?: boolean
  /** Also jobs that are over. */
  readonly all?: boolean
  readonly json?: boolean
}

/**
 * `flink list`: jobs of the cluster, the latest first, in Flink's layout, which scripts read. Without options those that
 * run and those that are scheduled.
 */
export async function listCommand(options: ListOptions, terminal: Terminal): Promise<void> {
  const cluster = await connect(configurationFor(options, terminal), terminal)
  let jobs: readonly JobOverview[]
  let waits: ReadonlyMap<string, Wait>
  try {
    jobs = (await cluster.listJobs()).toSorted(
      (a, b) => b.startTime - a.startTime || (a.jobId < b.jobId ? -1 : 1),
    )
    waits = await waitsOf(jobs, cluster)
  } finally {
    await cluster.close()
  }
  const { running = false, scheduled = false, all = false } = options
  const everything = all || !(running || scheduled)
  const groups = [
    {
      of: isRunning,
      shown: everything || running,
      title: ' Running/Restarting Jobs ',
      none: 'No running jobs.',
    },
    {
      of: isScheduled,
      shown: everything || scheduled,
      title: ' Scheduled Jobs ',
      none: 'No scheduled jobs.',
    },
    { of: isOver, shown: all, title: ' Terminated Jobs ', none: 'No terminated jobs.' },
  ].filter(group => group.shown)
  if (options.json === true) {
    const shown = jobs
      .filter(job => groups.some(group => group.of(job)))
      .map(job => ({ ...job, waitsForSlots: waits.get(job.jobId)?.slots ?? null }))
    terminal.print(JSON.stringify(shown, null, 2))
    return
  }
  for (const { of, title, none } of groups) {
    const lines = jobs.filter(of).flatMap(job => {
      const line = `${formatFlinkTime(job.startTime)} : ${job.jobId} : ${job.name} (${job.status})`
      const wait = waits.get(job.jobId)
      return wait === undefined ? [line] : [line, `    ${wait.text}`]
    })
    if (lines.length === 0) terminal.print(none)
    else for (const line of [ruler(title), ...lines, ruler('')]) terminal.print(line)
  }
}

interface Wait {
  readonly slots: SlotWait
  readonly text: string
}

/** Jobs that are RUNNING by Flink's word, but wait for slots, by id. */
async function waitsOf(
  jobs: readonly JobOverview[],
  cluster: ClusterClient,
): Promise<ReadonlyMap<string, Wait>> {
  const waits = new Map<string, Wait>()
  for (const { jobId } of jobs.filter(({ status, tasks }) => status === 'RUNNING' && tasks.SCHEDULED > 0)) {
    // It may be forgotten by now.
    const details = await cluster.jobDetails(jobId).catch(() => undefined)
    if (details === undefined || !isWaitingForSlots(details)) continue
    const resources = await cluster.overview()
    waits.set(jobId, { slots: slotWaitOf(details, resources), text: describeWait(details, resources) })
  }
  return waits
}

const RULER_WIDTH = 66

function ruler(title: string): string {
  const left = Math.floor((RULER_WIDTH - title.length) / 2)
  return `${'-'.repeat(left)}${title}`.padEnd(RULER_WIDTH, '-')
}

const isOver = (job: JobOverview): boolean => isGloballyTerminal(job.status)
const isScheduled = (job: JobOverview): boolean => job.status === 'CREATED' || job.status === 'INITIALIZING'
const isRunning = (job: JobOverview): boolean => !isOver(job) && !isScheduled(job)
