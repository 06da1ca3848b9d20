import type { Clock, Configuration, Logger, Timer } from '@flink-ts/common'
import { InfluxDatabaseMissing, InfluxWriteFailed } from '../errors.ts'
import { InfluxOptionKeys } from '../rest-options.ts'
import { InfluxLines } from '../routes/influx-lines.ts'
import { type ClusterMetricsDependencies, collectClusterMetrics } from './cluster-metrics.ts'

/** Where InfluxDB 1.x keeps what is written. */
interface InfluxDatabase {
  readonly version: 1
  readonly database: string
  readonly username: string
  readonly password: string
  /** Empty: the database's own. */
  readonly retentionPolicy: string
  readonly consistency: string
}

/** Where InfluxDB 2.x does. */
interface InfluxBucket {
  readonly version: 2
  readonly bucket: string
  readonly organization: string
  readonly token: string
}

export interface InfluxReporterOptions {
  /** `http://node1:8086` */
  readonly baseUrl: string
  readonly target: InfluxDatabase | InfluxBucket
  readonly intervalMs: number
  readonly timeoutMs: number
  /** Tag `host` of the JobManager. */
  readonly host: string
}

/**
 * As configured; undefined: nothing is to be written.
 * @param host of this JobManager
 * @throws rest.influx-database-missing
 */
export function influxReporterOptionsOf(
  configuration: Configuration,
  host: string,
): InfluxReporterOptions | undefined {
  if (configuration.get(InfluxOptionKeys.reporter) === 'none') return undefined
  const server = configuration.get(InfluxOptionKeys.host)
  if (server === '') throw InfluxDatabaseMissing({ key: InfluxOptionKeys.host.key })
  return {
    baseUrl: `${configuration.get(InfluxOptionKeys.scheme)}://${server}:${configuration.get(InfluxOptionKeys.port)}`,
    target: bucketOf(configuration) ?? databaseOf(configuration),
    intervalMs: configuration.get(InfluxOptionKeys.interval),
    timeoutMs: configuration.get(InfluxOptionKeys.writeTimeout),
    host,
  }
}

function bucketOf(configuration: Configuration): InfluxBucket | undefined {
  const bucket = configuration.get(InfluxOptionKeys.bucket)
  if (bucket === '') return undefined
  const organization = configuration.get(InfluxOptionKeys.organization)
  if (organization === '') throw InfluxDatabaseMissing({ key: InfluxOptionKeys.organization.key })
  return { version: 2, bucket, organization, token: configuration.get(InfluxOptionKeys.token) }
}

function databaseOf(configuration: Configuration): InfluxDatabase {
  const database = configuration.get(InfluxOptionKeys.database)
  if (database === '') throw InfluxDatabaseMissing({ key: InfluxOptionKeys.database.key })
  return {
    version: 1,
    database,
    username: configuration.get(InfluxOptionKeys.username),
    password: configuration.get(InfluxOptionKeys.password),
    retentionPolicy: configuration.get(InfluxOptionKeys.retentionPolicy),
    consistency: configuration.get(InfluxOptionKeys.consistency),
  }
}

/** Of one request. */
const POINTS = 5000
/** While writing fails, it is said at most so often. */
const REPEAT_MS = 60_000

/**
 * Writes the metrics of the whole cluster to InfluxDB at regular times. What cannot be written is lost, and said: the
 * next numbers come anyway. Owner: the main thread of the JobManager.
 */
export class InfluxReporter {
  readonly #options: InfluxReporterOptions
  readonly #ports: ClusterMetricsDependencies
  readonly #clock: Clock
  readonly #logger: Logger
  #timer: Timer | undefined
  #running: Promise<void> | undefined
  #failedMs: number | undefined
  readonly #closing = new AbortController()

  constructor(options: InfluxReporterOptions, dependencies: ClusterMetricsDependencies) {
    this.#options = options
    this.#clock = dependencies.clock
    this.#logger = dependencies.logger.child({ component: 'metrics' })
    this.#ports = { ...dependencies, logger: this.#logger }
  }

  start(): void {
    this.#timer = this.#clock.scheduleEvery(
      this.#options.intervalMs,
      () => {
        // The one before takes long: its server has enough to do.
        this.#running ??= this.report().finally(() => {
          this.#running = undefined
        })
      },
      { unref: true },
    )
  }

  async close(): Promise<void> {
    this.#timer?.cancel()
    this.#closing.abort()
    await this.#running
  }

  /** Collects and writes once. Never rejects. */
  async report(): Promise<void> {
    try {
      const lines = new InfluxLines()
      await collectClusterMetrics(this.#options.host, this.#ports, (...sample) => lines.add(...sample))
      for (const part of lines.parts(POINTS, this.#clock.now())) await this.#write(part)
      if (this.#failedMs !== undefined) this.#logger.info({}, 'Metrics are written to InfluxDB again')
      this.#failedMs = undefined
    } catch (error) {
      if (this.#closing.signal.aborted) return
      const nowMs = this.#clock.monotonicMs()
      if (this.#failedMs !== undefined && nowMs - this.#failedMs < REPEAT_MS) return
      this.#failedMs = nowMs
      this.#logger.warn({ error }, 'Metrics could not be written to InfluxDB; it is tried again')
    }
  }

  async #write(lines: string): Promise<void> {
    const { baseUrl, target, timeoutMs } = this.#options
    const { path, query, authorization } = requestOf(target)
    const url = new URL(path, baseUrl)
    for (const [name, value] of Object.entries({ ...query, precision: 'ms' }))
      url.searchParams.set(name, value)
    const database = target.version === 1 ? target.database : target.bucket
    let status = ''
    try {
      const response = await fetch(url, {
        method: 'POST',
        body: lines,
        ...(authorization !== undefined && { headers: { authorization } }),
        signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closing.signal]),
      })
      const text = await response.text()
      if (response.ok) return
      status = `${response.status} ${text.slice(0, 300)}`
    } catch (error) {
      const { cause, message } = error as Error & { cause?: Error }
      throw InfluxWriteFailed({ server: baseUrl, database, reason: cause?.message ?? message }, error)
    }
    throw InfluxWriteFailed({ server: baseUrl, database, reason: status })
  }
}

/** How points are written to it. */
function requestOf(target: InfluxDatabase | InfluxBucket): {
  readonly path: string
  readonly query: Readonly<Record<string, string>>
  readonly authorization: string | undefined
} {
  if (target.version === 2) {
    const { bucket, organization, token } = target
    return {
      path: '/api/v2/write',
      query: { org: organization, bucket },
      authorization: token === '' ? undefined : `Token ${token}`,
    }
  }
  const { database, username, password, retentionPolicy, consistency } = target
  return {
    path: '/write',
    query: {
      ...{ db: database, consistency: consistency.toLowerCase() },
      ...(retentionPolicy !== '' && { rp: retentionPolicy }),
    },
    authorization:
      username === '' ? undefined : `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
  }
}
