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
