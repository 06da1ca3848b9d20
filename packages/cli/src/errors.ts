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

/** The snapshot has no such operator, or several of that name. */
export const OperatorNotInSnapshot = defineError<{
  snapshot: string
  operator: string
  matches: number
  known: readonly string[]
}>({
  code: 'cli.operator-not-in-snapshot',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.matches === 0 ? 'No operator' : `${d.matches} operators`} of ${d.snapshot} ${d.matches === 0 ? 'has' : 'have'} ` +
    `the name or id '${d.operator}'. Give one of: ${d.known.join(', ')}.`,
})

/** Nothing is stored for this key. */
export const StateValueNotFound = defineError<{
  snapshot: string
  operator: string
  state: string
  key: string
}>({
  code: 'cli.state-value-not-found',
  domain: 'user',
  retry: 'no',
  message: d =>
    `State '${d.state}' of operator '${d.operator}' in ${d.snapshot} has nothing for key ${d.key}. Keys are given as ` +
    'JSON: 5 is a number, "5" a text; flink state ls shows which states there are.',
})
