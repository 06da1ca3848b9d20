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

/** `process.exit` came before the cluster had the job. */
export const JobNotSubmitted = defineError<{ jobs: readonly string[] }>({
  code: 'cli.job-not-submitted',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The program ended by process.exit before ${d.jobs.map(job => `'${job}'`).join(', ')} reached the cluster: nothing ` +
    "runs. Write await env.execute('name'), and call process.exit behind it, if at all.",
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
    `the uid, name or id '${d.operator}'. Give one of: ${d.known.join(', ')}.`,
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

/** There is something in the folder of the new project. */
export const ProjectFolderInUse = defineError<{ folder: string; files: readonly string[] }>({
  code: 'cli.project-folder-in-use',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.folder} is not empty: it has ${d.files.join(', ')}. Nothing was written: name a new or an empty folder.`,
})

/** npm takes no project of this name. */
export const ProjectNameInvalid = defineError<{ name: string }>({
  code: 'cli.project-name-invalid',
  domain: 'user',
  retry: 'no',
  message: d =>
    `'${d.name}' cannot be the name of a project: begin with a letter or digit, and use only a to z, 0 to 9, '.', '_' and '-'.`,
})

/** A new project could not install flink-ts. */
export const ProjectPackageUnknown = defineError<{ version: string }>({
  code: 'cli.project-package-unknown',
  domain: 'user',
  retry: 'no',
  message: d =>
    `Where the new project gets flink-ts ${d.version} from is not known: this one was not installed by npm. Run npm run ` +
    `dist in the repository, and give --package file:<repository>/build/npm/flink-ts-${d.version}.tgz, or --package ` +
    'with a version that your registry has.',
})

/** There is no project to check. */
export const ProjectMissing = defineError<{ folder: string }>({
  code: 'cli.project-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `${d.folder} is no folder of a project: give the one with its package.json and tsconfig.json.`,
})

/** The project has no compiler to check it with. */
export const CompilerMissing = defineError<{ project: string }>({
  code: 'cli.compiler-missing',
  domain: 'user',
  retry: 'no',
  message: d =>
    `The types of ${d.project} can't be checked: there is no TypeScript. Run npm install there; if that is no help, npm ` +
    'install --save-dev typescript.',
})

/** The compiler has found something; it has been printed. */
export const CheckFailed = defineError<{ project: string }>({
  code: 'cli.check-failed',
  domain: 'user',
  retry: 'no',
  message: d => `The types of ${d.project} are not right: mend what is listed above.`,
})
