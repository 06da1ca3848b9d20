import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { parseArgs } from 'node:util'
import {
  type Configuration,
  checkKeys,
  createLogger,
  type Logger,
  newId,
  type ResourceId,
  SystemClock,
  SystemRandom,
  VERSION,
} from '@flink-ts/common'
import { loadConfiguration, parseDynamicProperties } from '@flink-ts/common/configuration-file'
import { configureFileSystems } from '@flink-ts/filesystem'
import { looksLikeSecret } from '@flink-ts/jobgraph'
import { LOG_LEVEL, TMP_DIRS } from '../cluster-options.ts'
import { WorkingDirectory } from './working-directory.ts'

/** What every process of a cluster begins with. */
export interface ProcessStart {
  readonly configuration: Configuration
  readonly logger: Logger
  /** Where the logger writes; undefined: standard output. */
  readonly logFile: string | undefined
  readonly clock: SystemClock
  readonly random: SystemRandom
  readonly workingDirectory: WorkingDirectory
  readonly resourceId: ResourceId
}

/** Something that runs until it is closed. */
export interface Closeable {
  close(): Promise<void>
  /** Takes no more work, and resolves when what it has is done or a limit is reached. Absent: there is nothing to do. */
  drain?(): Promise<void>
}

const CLOSE_TIMEOUT_MS = 8000

/**
 * The frame of a process: reads `--configDir` and `-D`, logs to standard output, runs `start`, closes it on SIGTERM,
 * SIGINT or when it calls `end`; drains it first on SIGUSR2. A failure to start or an error that nobody handles ends the
 * process with code 1.
 */
export async function runProcess(
  role: 'jobmanager' | 'taskmanager' | 'jobhost' | 'historyserver',
  start: (process: ProcessStart, end: (reason: string, code: number) => void) => Promise<Closeable>,
): Promise<void> {
  const random = new SystemRandom()
  const configuration = orRefuse(() => configurationOf(process.argv.slice(2)))
  // Before any thread starts.
  configureFileSystems(configuration)
  const logFile = process.env['FLINK_LOG_FILE']
  const logger = createLogger({
    level: orRefuse(() => configuration.get(LOG_LEVEL)),
    ...(logFile !== undefined && { file: logFile }),
  })
  logConfiguration(configuration, logger)
  const workingDirectory = orRefuse(() =>
    WorkingDirectory.create(configuration.get(TMP_DIRS) || tmpdir(), role),
  )
  let running: Closeable | undefined
  let ending = false
  const end = (reason: string, code: number): void => {
    if (ending) return
    ending = true
    logger.info({ reason }, 'Process ends')
    const forced = setTimeout(() => process.exit(code === 0 ? 1 : code), CLOSE_TIMEOUT_MS)
    forced.unref()
    const finish = (): void => {
      workingDirectory.remove()
      process.exit(code)
    }
    // `finish` ends the process in both cases; what fails while closing is logged.
    void (running?.close() ?? Promise.resolve()).then(finish, (error: unknown) => {
      logger.error({ error }, 'Closing failed')
      finish()
    })
  }
  let draining = false
  const drain = (): void => {
    if (draining || ending) return
    draining = true
    const drained = running?.drain?.() ?? Promise.resolve()
    // `end` ends the process in both cases.
    void drained.then(
      () => end('drained', 0),
      (error: unknown) => {
        logger.error({ error }, 'Draining failed')
        end('draining failed', 1)
      },
    )
  }
  // SIGUSR1 would open Node's debugger. Windows has neither.
  if (process.platform !== 'win32') process.on('SIGUSR2', drain)
  process.on('SIGTERM', () => end('SIGTERM', 0))
  process.on('SIGINT', () => end('SIGINT', 0))
  process.on('uncaughtException', error => {
    logger.error({ error }, 'An error that nobody handled')
    end('uncaught error', 1)
  })
  try {
    const resourceId = newId<ResourceId>(random)
    running = await start(
      { configuration, logger, logFile, clock: new SystemClock(), random, workingDirectory, resourceId },
      end,
    )
    tellStarted()
  } catch (error) {
    logger.error({ error }, 'Start failed')
    // For whoever waits for the start: the log is elsewhere.
    if (logFile !== undefined) complain(error)
    end('start failed', 1)
  }
}

function configurationOf(args: readonly string[]): Configuration {
  const { values } = parseArgs({
    args: [...args],
    options: { configDir: { type: 'string' }, define: { type: 'string', short: 'D', multiple: true } },
  })
  return loadConfiguration(values.configDir, parseDynamicProperties(values.define ?? []))
}

/** The script that started this process waits until its file is gone. */
function tellStarted(): void {
  const file = process.env['FLINK_STARTING_FILE']
  if (file !== undefined) rmSync(file, { force: true })
}

function complain(error: unknown): void {
  process.stderr.write(`error: ${error instanceof Error ? error.message : String(error)}\n`)
}

/** Ends the process with one line for whoever starts it: there is no log yet. */
function orRefuse<T>(prepare: () => T): T {
  try {
    return prepare()
  } catch (error) {
    complain(error)
    process.exit(1)
  }
}

const MASKED = '******'

/** What the process runs with, without secrets, and what is to be changed about its keys. */
export function logConfiguration(configuration: Configuration, logger: Logger): void {
  const shown = Object.entries(configuration.toRecord()).map(([key, value]) => [
    key,
    looksLikeSecret(key) ? MASKED : value,
  ])
  logger.info(
    { version: VERSION, node: process.version, configuration: Object.fromEntries(shown) },
    'Process starts',
  )
  for (const { key, kind, message } of checkKeys(configuration)) {
    logger.warn({ key, kind, remedy: message }, 'A configuration key should be changed')
  }
}
