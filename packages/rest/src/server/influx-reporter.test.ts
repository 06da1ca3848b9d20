import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Configuration, type Logger, ManualClock, nullLogger } from '@flink-ts/common'
import { expect, it } from 'vitest'
import { fakeMonitor } from '../testing/fake-monitor.ts'
import { smallCluster } from '../testing/small-cluster.ts'
import { InfluxReporter, type InfluxReporterOptions, influxReporterOptionsOf } from './influx-reporter.ts'

const DATABASE = {
  version: 1,
  ...{ database: 'flink', username: 'user', password: 'secret' },
  ...{ retentionPolicy: '', consistency: 'ONE' },
} as const
const BUCKET = { version: 2, bucket: 'metrics of flink', organization: 'us', token: 't0' } as const

function loggerInto(warnings: string[]): Logger {
  const logger = { ...nullLogger, warn: ({ error }: { error: Error }) => warnings.push(error.message) }
  return { ...logger, child: () => logger } as unknown as Logger
}

interface Received {
  readonly url: string
  readonly authorization: string | undefined
  readonly body: string
}

/** A server that notes what it gets, and answers as `answer` says. */
async function startServer() {
  const received: Received[] = []
  const answer = { status: 204, text: '' }
  const server = createServer((request, response) => {
    const parts: Buffer[] = []
    request.on('data', (part: Buffer) => parts.push(part))
    request.on('end', () => {
      const { url = '', headers } = request
      received.push({ url, authorization: headers.authorization, body: Buffer.concat(parts).toString() })
      response.writeHead(answer.status).end(answer.text)
    })
  })
  const listen = (port: number): Promise<void> =>
    new Promise(resolve => server.listen(port, '127.0.0.1', resolve))
  await listen(0)
  const { port } = server.address() as AddressInfo
  const close = (): Promise<unknown> => {
    server.closeAllConnections()
    return new Promise(resolve => server.close(resolve))
  }
  return { received, answer, baseUrl: `http://127.0.0.1:${port}`, close, listenAgain: () => listen(port) }
}

function reporterTo(
  baseUrl: string,
  target: InfluxReporterOptions['target'],
  { warnings = [], clock = new ManualClock() }: { warnings?: string[]; clock?: ManualClock } = {},
): InfluxReporter {
  return new InfluxReporter(
    { baseUrl, target, intervalMs: 10_000, timeoutMs: 5000, host: 'jm' },
    { dispatcher: smallCluster(), monitor: fakeMonitor(), clock, logger: loggerInto(warnings) },
  )
}

it('writes points with tags, and says once that the database does not take them', async () => {
  const { received, answer, baseUrl, close } = await startServer()
  const warnings: string[] = []
  const reporter = reporterTo(baseUrl, DATABASE, { warnings })
  try {
    await reporter.report()
    expect(received).toHaveLength(1)
    const [{ url, authorization, body } = { url: '', authorization: '', body: '' }] = received
    expect(url).toBe('/write?db=flink&consistency=one&precision=ms')
    expect(authorization).toBe(`Basic ${Buffer.from('user:secret').toString('base64')}`)
    const lines = body.trimEnd().split('\n')
    const tags = 'job_name=flights\\,\\ by\\ day\\ \\=\\ all'
    expect(lines.find(line => line.startsWith('jobmanager_job_numRestarts,'))).toContain(`${tags} value=2 `)
    expect(lines.find(line => line.startsWith('taskmanager_job_task_numRecordsIn,'))).toContain(
      'host=host\\ 1,tm_id=tm-1',
    )
    expect(lines.find(line => line.startsWith('taskmanager_job_task_operator_size,'))).toContain(
      ' p99=9,mean=3 ',
    )
    Object.assign(answer, { status: 404, text: '{"error":"database not found: \\"flink\\""}' })
    await reporter.report()
    await reporter.report()
    expect(warnings).toEqual([expect.stringContaining('database not found')])
  } finally {
    await reporter.close()
    await close()
  }
})

it('writes to a bucket of InfluxDB 2.x with its token', async () => {
  const { received, baseUrl, close } = await startServer()
  const reporter = reporterTo(baseUrl, BUCKET)
  try {
    await reporter.report()
    expect(received).toMatchObject([
      { url: '/api/v2/write?org=us&bucket=metrics+of+flink&precision=ms', authorization: 'Token t0' },
    ])
  } finally {
    await reporter.close()
    await close()
  }
})

it('says once a minute that InfluxDB is away, and goes on when it is back', async () => {
  const { received, baseUrl, close, listenAgain } = await startServer()
  const warnings: string[] = []
  const clock = new ManualClock()
  const reporter = reporterTo(baseUrl, DATABASE, { warnings, clock })
  await close()
  try {
    await reporter.report()
    await reporter.report()
    expect(warnings).toEqual([expect.stringContaining(baseUrl)])
    clock.advance(60_000)
    await reporter.report()
    expect(warnings).toHaveLength(2)
    await listenAgain()
    await reporter.report()
    expect(received).toHaveLength(1)
  } finally {
    await reporter.close()
    await close()
  }
})

it('is configured by the keys of Flink', () => {
  const keys = {
    'metrics.reporter.influxdb.class': 'org.apache.flink.metrics.influxdb.InfluxdbReporter',
    'metrics.reporter.influxdb.host': 'node1',
  }
  expect(influxReporterOptionsOf(Configuration.of({}), 'jm')).toBeUndefined()
  expect(() => influxReporterOptionsOf(Configuration.of(keys), 'jm')).toThrow(
    /metrics\.reporter\.influxdb\.db/,
  )
  const configured = Configuration.of({ ...keys, 'metrics.reporter.influxdb.db': 'flink' })
  expect(influxReporterOptionsOf(configured, 'jm')).toMatchObject({
    ...{ baseUrl: 'http://node1:8086', intervalMs: 10_000, host: 'jm' },
    target: { version: 1, database: 'flink' },
  })
  const bucket = { ...keys, 'metrics.reporter.influxdb.bucket': 'b', 'metrics.reporter.influxdb.token': 't' }
  expect(() => influxReporterOptionsOf(Configuration.of(bucket), 'jm')).toThrow(/influxdb\.org/)
  const withBucket = Configuration.of({ ...bucket, 'metrics.reporter.influxdb.org': 'o' })
  expect(influxReporterOptionsOf(withBucket, 'jm')?.target).toEqual({
    ...{ version: 2, bucket: 'b', organization: 'o', token: 't' },
  })
})
