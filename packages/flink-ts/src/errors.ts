import { defineError } from '@flink-ts/common'

/** A program under `node job.ts` made an environment and ended without a job. */
export const NoJobExecuted = defineError<{ program: string }>({
  code: 'flink-ts.no-job-executed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.program} made an execution environment, but ended without calling env.execute(), so nothing ran: call await ` +
    "env.execute('name') after building the job.",
})

/** `process.exit` ended a program under `node job.ts` that had made jobs, and nothing came of them. */
export const ExitBeforeJobEnded = defineError<{
  program: string
  jobs: readonly string[]
  missing: 'submission' | 'end'
}>({
  code: 'flink-ts.exit-before-job-ended',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.program} ended by process.exit ` +
    (d.missing === 'submission'
      ? `before ${nameOf(d.jobs)} reached the cluster, so that nothing runs.`
      : `while ${nameOf(d.jobs)} had not ended: under node a job runs in the process of its program, and ends with it.`) +
    " Write await env.execute('name'), and call process.exit behind it, if at all.",
})

const nameOf = (jobs: readonly string[]): string =>
  `${jobs.length === 1 ? 'its job' : 'its jobs'} ${jobs.map(job => `'${job}'`).join(', ')}`
