import { defineError } from '@flink-ts/common'

/** The program ended, but made no job. */
export const NoJobExecuted = defineError<{ program: string }>({
  code: 'cli.no-job-executed',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.program} ended without calling env.execute(). Build the job and call await env.execute('name') in it; code ` +
    'behind a check such as import.meta.main does not run here.',
})

/** No job id. */
export const JobIdInvalid = defineError<{ jobId: string }>({
  code: 'cli.job-id-invalid',
  domain: 'user',
  retry: 'no',
  message: d => `'${d.jobId}' is no job id: give 32 hexadecimal digits, as flink list shows them.`,
})
