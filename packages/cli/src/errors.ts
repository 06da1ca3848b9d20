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

/** A program that names where its jobs run, under a command that does so too. */
export const TargetGivenTwice = defineError<{ target: string }>({
  code: 'cli.target-given-twice',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The program asks for a ${d.target} environment, but flink run says where it runs: use getExecutionEnvironment() in ` +
    'the program, or start it with node.',
})

/** Neither a job nor a savepoint, or both. */
export const SavepointArguments = defineError<Record<string, never>>({
  code: 'cli.savepoint-arguments',
  domain: 'user',
  retry: 'no',
  message: () =>
    'Give either the id of a job to take a savepoint of (flink savepoint <jobId> [directory]), or the path of a ' +
    'savepoint to remove (flink savepoint -d <path>).',
})
