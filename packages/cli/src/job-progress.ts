import type { JobDetails, ResourceOverview } from '@flink-ts/gateways'
import { isGloballyTerminal } from '@flink-ts/jobgraph'
import { isWaitingForSlots, JobNotes } from './job-notes.ts'
import { JobStatusLine } from './status-line.ts'
import type { Terminal } from './terminal.ts'

/** Where a line is seen that changes, and where only what stays matters. */
const INTERACTIVE_PERIOD_MS = 500
const PERIOD_MS = 1000

/** Whom to ask about a job. */
export interface JobProgressSource {
  details(): Promise<JobDetails>
  resources(): Promise<ResourceOverview>
}

/**
 * Tells on the terminal how a job is doing while its client waits: restarts and waiting for slots by lines that stay,
 * on terminals the rest by a line that changes. Asks until the returned function is called, or the job is over.
 */
export function followJob(
  job: { readonly jobId: string; readonly name: string },
  source: JobProgressSource,
  terminal: Terminal,
): () => void {
  const line = new JobStatusLine(job.name)
  const notes = new JobNotes(`Job ${job.jobId}`)
  let stopped = false
  let asking = false
  const stop = (): void => {
    stopped = true
    clearInterval(timer)
    terminal.showStatus(undefined)
  }
  const look = async (): Promise<void> => {
    const details = await source.details()
    const resources = isWaitingForSlots(details) ? await source.resources() : undefined
    if (stopped) return
    for (const note of notes.observe(details, resources, performance.now())) terminal.complain(note)
    if (terminal.interactive) terminal.showStatus(line.line(details, performance.now()))
    // The rest is told by the result.
    if (isGloballyTerminal(details.status)) clearInterval(timer)
  }
  const timer = setInterval(
    () => {
      if (asking) return
      asking = true
      look()
        // What cannot be shown is no failure: whoever waits for the result learns of a lost cluster.
        .catch(() => undefined)
        .finally(() => {
          asking = false
        })
    },
    terminal.interactive ? INTERACTIVE_PERIOD_MS : PERIOD_MS,
  )
  timer.unref()
  return stop
}
