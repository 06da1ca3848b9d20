import { fileURLToPath } from 'node:url'
import { ClusterClient, clientSettingsOf } from '@flink-ts/client'
import {
  Configuration,
  checkKeys,
  JOBMANAGER_RPC_ADDRESS,
  JOBMANAGER_RPC_PORT,
  type JobId,
  nullLogger,
  SystemClock,
  SystemRandom,
  VERSION,
} from '@flink-ts/common'
import {
  configurationFile,
  loadConfiguration,
  parseDynamicProperties,
} from '@flink-ts/common/configuration-file'
import { configureFileSystems } from '@flink-ts/filesystem'
import { highAvailabilityType, jobManagerAccess } from '@flink-ts/highavailability'
import { reportConnection } from './connection-report.ts'
import { JobIdInvalid } from './errors.ts'
import type { Terminal } from './terminal.ts'

/** A new leader may be about to begin: then it takes as long as the lease of the old one. */
const ELECTION_TIMEOUT_MS = 15_000
/** For commands that are quickly typed again. */
const SHORT_ELECTION_TIMEOUT_MS = 2500
/** After which a wait for a leader is talked about. */
const WAIT_TOLD_AFTER_MS = 2000

/** Options of every command that needs a cluster. */
export interface SessionOptions {
  /** `-D` arguments. */
  readonly property: readonly string[]
  /** `host:port` of `-m`. */
  readonly jobmanager?: string
}

/**
 * The configuration for a command: the file, then `-D`, then `-m`. Unknown keys are told on the terminal; the processes
 * log what else is to be said about keys.
 */
export function configurationFor(options: SessionOptions, terminal?: Terminal): Configuration {
  const configuration = loadedConfiguration(options)
  for (const { kind, message } of checkKeys(configuration)) {
    if (kind === 'unknown') terminal?.complain(`warning: ${message}`)
  }
  return configuration
}

/** The configuration for a command, unchecked. */
export function loadedConfiguration(options: SessionOptions): Configuration {
  const configuration = loadConfiguration(configurationDir(), parseDynamicProperties(options.property))
  configureFileSystems(configuration)
  if (options.jobmanager === undefined) return configuration
  const at = options.jobmanager.lastIndexOf(':')
  const address = at < 0 ? options.jobmanager : options.jobmanager.slice(0, at)
  const port = at < 0 ? {} : { [JOBMANAGER_RPC_PORT.key]: options.jobmanager.slice(at + 1) }
  // Who names a JobManager means that one, whoever leads.
  const direct = { [JOBMANAGER_RPC_ADDRESS.key]: address, ...port, [highAvailabilityType.key]: 'NONE' }
  return configuration.with(Configuration.of(direct, '-m'))
}

/** What options of several commands say, by Flink's keys. */
export function settingsConfiguration(options: { readonly parallelism?: number }): Configuration {
  if (options.parallelism === undefined) return Configuration.EMPTY
  return Configuration.of({ 'parallelism.default': String(options.parallelism) }, '-p')
}

/**
 * Connects to the cluster. Rejects with `client.no-jobmanager` within about two seconds; where leaders are elected, a
 * `patient` command waits for as long as an election takes, and says so. A connection that is lost later is told on the
 * terminal, and opened again for `client.timeout`.
 */
export async function connect(
  configuration: Configuration,
  terminal: Terminal,
  { patient = false }: { readonly patient?: boolean } = {},
): Promise<ClusterClient> {
  const { address, elected, through } = jobManagerAccess(configuration)
  const clock = new SystemClock()
  const electionMs = patient ? ELECTION_TIMEOUT_MS : SHORT_ELECTION_TIMEOUT_MS
  const note = setTimeout(() => {
    if (!elected || !patient) return
    terminal.complain(`No JobManager leads yet: waiting up to ${electionMs / 1000} s for ${address} ...`)
  }, WAIT_TOLD_AFTER_MS)
  try {
    return await ClusterClient.connect(
      {
        address,
        version: VERSION,
        clientName: 'flink',
        ...clientSettingsOf(configuration),
        ...(elected && { connectTimeoutMs: electionMs }),
        onConnection: reportConnection(address, terminal, clock),
      },
      // Whatever goes wrong comes back as an error; the JobManager keeps the log.
      { clock, random: new SystemRandom(), logger: nullLogger, through },
    )
  } finally {
    clearTimeout(note)
  }
}

/** Checks the form of a job id. Throws `cli.job-id-invalid`. */
export function parseJobId(text: string): JobId {
  const jobId = text.trim().toLowerCase()
  if (!/^[0-9a-f]{32}$/.test(jobId)) throw JobIdInvalid({ jobId: text })
  return jobId as JobId
}

/** `FLINK_CONF_DIR`, which must then exist; else `conf` of the installation, if there is one. */
export function configurationDir(): string | undefined {
  const given = process.env['FLINK_CONF_DIR']
  if (given !== undefined && given !== '') return given
  const ofInstallation = fileURLToPath(new URL('../../../conf', import.meta.url))
  return configurationFile(ofInstallation) === undefined ? undefined : ofInstallation
}
