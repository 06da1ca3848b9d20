/** How the command line ends; listed in its help. */
export const EXIT_CODES = {
  ok: 0,
  /** A job or program failed, was cancelled, or the cluster refused. */
  failed: 1,
  /** Wrong arguments or configuration. */
  usage: 2,
  /** No JobManager answers, or none any more: what became of the job is unknown. */
  noCluster: 3,
  /** Ctrl-C: the job goes on. */
  interrupted: 130,
} as const

export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    the job or the program failed or was cancelled, or the cluster refused
  2    wrong arguments or configuration
  3    no JobManager answers, or none any more: then the state of the job is unknown
  130  ended by Ctrl-C; a job that was submitted goes on (with -sae: is cancelled)`

const USAGE_CODES = [
  'common.auth-token-unusable',
  'common.configuration-',
  'common.dynamic-property-invalid',
  'common.invalid-option-value',
  'jobgraph.bundle-entry-invalid',
  'jobgraph.entry-not-exported',
  'jobgraph.entry-of-bundle-fixed',
  'cli.job-id-invalid',
  'cli.project-folder-in-use',
  'cli.project-missing',
  'cli.project-name-invalid',
  'cli.project-package-unknown',
  'cli.savepoint-arguments',
]

const NO_CLUSTER_CODES = ['client.no-jobmanager', 'client.job-state-unknown']

/** The exit code for an error by its code. */
export function exitCodeOf(error: unknown): number {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  if (NO_CLUSTER_CODES.includes(code)) return EXIT_CODES.noCluster
  return USAGE_CODES.some(prefix => code.startsWith(prefix)) ? EXIT_CODES.usage : EXIT_CODES.failed
}
